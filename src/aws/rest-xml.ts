//! `aws.protocols#restXml` in the server direction (spec/cloudfront.md 1.1): operation by method, path and query literal;
//! input from labels, query, headers and an XML body or raw payload; output to headers and XML or a raw payload.
import { readForm } from './form-reader.ts'
import type { OperationModel } from './model.ts'
import type { Matched, Protocol, WireAnswer, WireRequest, WireService } from './protocol.ts'
import { readScalar } from './read-scalar.ts'
import { readShape, readStruct, xmlDialect } from './read-shape.ts'
import { literalNames, restRoutes } from './rest-routes.ts'
import { type Member, structOf } from './structs.ts'
import { WireError } from './wire-error.ts'
import { readXml, type XmlRoot } from './xml-reader.ts'
import { errorAnswer, writeXml, xmlAnswer } from './xml-writer.ts'

export const restXml: Protocol = {
  match(service, request) {
    return restRoutes(service.model).find(request.method, request.rawPath, readForm(request.rawQuery))
  },

  decode(service, matched, request) {
    const { operation } = matched
    const input: Record<string, unknown> = {}
    if (operation.input.isStructSchema()) {
      const query = queryValues(request, operation)
      for (const member of structOf(operation.input).members) {
        const text = bindingText(member, matched, request, query)
        if (text !== undefined) input[member.name] = readScalar(text, member.schema, bindingName(member))
      }
      refuseRest(query, operation)
    }
    Object.assign(input, readBody(service, operation, request.body))
    return input
  },

  encode(service, operation, output, requestId): WireAnswer {
    const status = operation.http?.status ?? 200
    if (!operation.output.isStructSchema()) return xmlAnswer(status, '', requestId)
    const value = (output ?? {}) as Record<string, unknown>
    const { members } = structOf(operation.output)
    const headers = headersOf(members, value)
    const payload = members.find((member) => member.binding.in === 'payload')
    if (payload === undefined) {
      const inBody = members.some((member) => member.binding.in === 'body')
      const body = inBody ? writeXml(operation.output.getSchema(), value, service.namespace) : ''
      return xmlAnswer(status, body, requestId, headers)
    }
    const content = value[payload.name]
    if (content === undefined) return xmlAnswer(status, '', requestId, headers)
    const raw = payload.schema.isBlobSchema()
    const body = raw ? (content as Uint8Array) : writeXml(payload.schema.getSchema(), content, service.namespace)
    return xmlAnswer(status, body, requestId, headers)
  },

  encodeFault: (service, fault, requestId) => errorAnswer(fault, service.namespace, requestId),
}

/** Query parameters by name, without the literals that belong to the address. What is used is taken out. */
function queryValues(request: WireRequest, operation: OperationModel): Map<string, string> {
  const literals = literalNames(operation)
  const values = new Map<string, string>()
  for (const [name, value] of readForm(request.rawQuery)) {
    if (literals.has(name)) continue
    if (values.has(name))
      throw new WireError('malformed', name, `The query parameter ${name.slice(0, 80)} is given twice.`)
    values.set(name, value)
  }
  return values
}

function bindingText(
  member: Member,
  matched: Matched,
  request: WireRequest,
  query: Map<string, string>,
): string | undefined {
  const { binding } = member
  if (binding.in === 'label') return matched.labels[member.name]
  if (binding.in === 'header') return request.headers.get(binding.name)
  if (binding.in !== 'query') return undefined
  const text = query.get(binding.name)
  query.delete(binding.name)
  return text
}

const bindingName = ({ binding, name }: Member): string => ('name' in binding ? binding.name : name)

function refuseRest(query: ReadonlyMap<string, string>, operation: OperationModel): void {
  const [name] = query.keys()
  if (name === undefined) return
  const shown = name.slice(0, 80)
  throw new WireError('unknown', shown, `${operation.name} has no query parameter ${shown}.`)
}

/** The members that come in the body: one payload, or all that are bound to nothing else. */
function readBody(service: WireService, operation: OperationModel, body: Uint8Array): Record<string, unknown> {
  const members = operation.input.isStructSchema() ? structOf(operation.input).members : []
  const payload = members.find((member) => member.binding.in === 'payload')
  const inBody = members.filter((member) => member.binding.in === 'body')
  if (payload === undefined && inBody.length === 0) {
    if (body.length > 0) throw new WireError('unknown', '', `${operation.name} takes no body.`)
    return {}
  }
  if (body.length === 0) {
    if (payload === undefined && inBody.some((member) => member.required)) {
      throw new WireError('no-body', '', 'The request needs a body.')
    }
    return {}
  }
  if (payload?.schema.isBlobSchema()) return { [payload.name]: body }
  const root = readXml(body)
  if (payload === undefined) {
    const name = operation.input.getName() ?? operation.name
    checkRoot(root, name, service.namespace)
    return readStruct(root, operation.input, xmlDialect, name, inBody)
  }
  const name =
    (payload.schema.getMergedTraits().xmlName as string | undefined) ?? payload.schema.getName() ?? payload.name
  checkRoot(root, name, service.namespace)
  return { [payload.name]: readShape(root, payload.schema, xmlDialect, name) }
}

/** Hand-written bodies often leave the namespace out; another one is another API version. */
function checkRoot(root: XmlRoot, name: string, namespace: string): void {
  if (root.name !== name)
    throw new WireError('unknown', name, `The root element is <${root.name}>; <${name}> is expected.`)
  if (root.namespace !== '' && root.namespace !== namespace) {
    throw new WireError('unknown', name, `The namespace of <${name}> must be ${namespace}.`)
  }
}

/** CloudFront's model spells one ETag header `ETtag`; clients look for either (spec/cloudfront.md 1.2). */
const ALSO_SENT_AS: Readonly<Record<string, string>> = { ettag: 'ETag' }

function headersOf(members: readonly Member[], value: Record<string, unknown>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const member of members) {
    const content = value[member.name]
    if (member.binding.in !== 'header' || content === undefined || content === null) continue
    headers[member.schema.getMemberTraits().httpHeader ?? member.binding.name] = String(content)
    const also = ALSO_SENT_AS[member.binding.name]
    if (also !== undefined) headers[also] = String(content)
  }
  return headers
}
