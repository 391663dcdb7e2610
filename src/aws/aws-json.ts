//! `aws.protocols#awsJson1_1` in the server direction: the operation in the header X-Amz-Target (`<Service>.<Operation>`),
//! input and output as JSON documents in the body. Times are seconds since 1970, bytes are base64.
import { isUtf8 } from 'node:buffer'
import type { NormalizedSchema } from '@smithy/core/schema'
import type { Protocol, WireAnswer } from './protocol.ts'
import { readScalar } from './read-scalar.ts'
import { join } from './read-shape.ts'
import { structOf } from './structs.ts'
import { WireError } from './wire-error.ts'

const CONTENT_TYPE = 'application/x-amz-json-1.1'
const JSON_TYPE = /^application\/x-amz-json-1\.1\s*(?:;|$)/i
/**
 * Structures and lists inside each other. Filters of searches and statements of WAF are recursive: without a limit a body
 * could be as deep as it is long. Three levels are one statement in a logical one.
 */
const DEPTH_MAX = 64

export const awsJson: Protocol = {
  match(service, request) {
    if (request.rawPath !== '/') throw new WireError('no-operation', '', 'Calls of this service go to the path /.')
    const target = request.headers.get('x-amz-target')
    if (target === undefined) throw new WireError('no-action', 'X-Amz-Target', 'The header X-Amz-Target is missing.')
    const [prefix, name = ''] = target.split('.')
    const operation = prefix === service.namespace ? service.model.operations.get(name) : undefined
    if (operation === undefined) {
      throw new WireError('no-operation', 'X-Amz-Target', `Could not find operation ${target.slice(0, 80)}.`)
    }
    return { operation, labels: {} }
  },

  decode(_service, { operation }, request) {
    if (!JSON_TYPE.test(request.headers.get('content-type') ?? '')) {
      throw new WireError('malformed', '', `The Content-Type must be ${CONTENT_TYPE}.`)
    }
    const value = parse(request.body)
    if (!operation.input.isStructSchema()) {
      if (Object.keys(objectAt(value, '')).length > 0) {
        throw new WireError('unknown', '', `${operation.name} has no parameters.`)
      }
      return {}
    }
    return readStruct(value, operation.input, '', 0)
  },

  encode(_service, operation, output, requestId) {
    // Operations without an output answer with an empty body.
    const body = operation.output.isStructSchema() ? JSON.stringify(written(output ?? {}, operation.output)) : ''
    return answer(200, body, requestId)
  },

  encodeFault(_service, { code, status, message, details }, requestId) {
    return answer(status, JSON.stringify({ __type: code, message, ...details }), requestId)
  },
}

function answer(status: number, body: string, requestId: string): WireAnswer {
  return { status, headers: { 'x-amzn-RequestId': requestId, 'Content-Type': CONTENT_TYPE }, body }
}

function parse(body: Uint8Array): unknown {
  if (body.length === 0) return {}
  if (!isUtf8(body)) throw new WireError('malformed', '', 'The body is not UTF-8.')
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    // The parser's message quotes what it read, and that may be a private key.
    throw new WireError('malformed', '', 'The body is not JSON.')
  }
}

function objectAt(value: unknown, path: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new WireError('type', path, `${path || 'The body'} must be a structure.`)
}

/** @throws WireError `unknown`, `type`, `malformed` */
function read(value: unknown, schema: NormalizedSchema, path: string, depth: number): unknown {
  if (depth > DEPTH_MAX) throw new WireError('malformed', path.slice(0, 80), 'The body is nested too deeply.')
  if (schema.isStructSchema()) return readStruct(value, schema, path, depth)
  if (schema.isListSchema()) {
    if (!Array.isArray(value)) throw new WireError('type', path, `${path} must be a list.`)
    return value.map((item, at) => read(item, schema.getValueSchema(), `${path}.${at + 1}`, depth + 1))
  }
  if (schema.isMapSchema()) {
    const map: Record<string, unknown> = Object.create(null)
    for (const [key, item] of Object.entries(objectAt(value, path))) {
      map[key] = read(item, schema.getValueSchema(), `${path}.entry`, depth + 1)
    }
    return map
  }
  return readValue(value, schema, path)
}

function readStruct(value: unknown, schema: NormalizedSchema, path: string, depth: number): Record<string, unknown> {
  const { members } = structOf(schema)
  const byName = new Map(members.map((member) => [jsonName(member.schema, member.name), member]))
  const result: Record<string, unknown> = {}
  for (const [name, content] of Object.entries(objectAt(value, path))) {
    const inside = join(path, name)
    const member = byName.get(name)
    if (member === undefined) throw new WireError('unknown', inside, `${inside} is not known.`)
    // null is how some clients say that a member is absent.
    if (content !== null) result[member.name] = read(content, member.schema, inside, depth + 1)
  }
  return result
}

function readValue(value: unknown, schema: NormalizedSchema, path: string): unknown {
  const mistyped = (wanted: string) => new WireError('type', path, `${path} must be ${wanted}.`)
  if (schema.isBooleanSchema()) {
    if (typeof value !== 'boolean') throw mistyped('true or false')
    return value
  }
  if (schema.isNumericSchema()) {
    if (typeof value !== 'number') throw mistyped('a number')
    return value
  }
  if (schema.isTimestampSchema()) {
    const time = typeof value === 'number' ? new Date(value * 1_000) : null
    if (time === null || Number.isNaN(time.getTime())) throw mistyped('a time in seconds since 1970')
    return time
  }
  if (typeof value !== 'string') throw mistyped('a string')
  return readScalar(value, schema, path)
}

function written(value: unknown, schema: NormalizedSchema): unknown {
  if (value === undefined || value === null) return undefined
  if (schema.isStructSchema()) {
    const members = structOf(schema).members
    const strangers = Object.keys(value).filter((name) => !members.some((member) => member.name === name))
    if (strangers.length > 0) throw new Error(`${schema.getName()} has no member ${strangers.join(', ')}`)
    return Object.fromEntries(
      members.map(({ name, schema: inner }) => [
        jsonName(inner, name),
        written((value as Record<string, unknown>)[name], inner),
      ]),
    )
  }
  if (schema.isListSchema()) return (value as unknown[]).map((item) => written(item, schema.getValueSchema()))
  if (schema.isMapSchema()) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, written(item, schema.getValueSchema())]))
  }
  if (value instanceof Date) return value.getTime() / 1_000
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return value
}

const jsonName = (schema: NormalizedSchema, name: string): string =>
  (schema.getMergedTraits().jsonName as string | undefined) ?? name
