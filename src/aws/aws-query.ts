//! `aws.protocols#awsQuery` in the server direction (spec/elasticache.md 1.1-1.2): everything in one form, the operation
//! in `Action`; answers in `<ActionResponse><ActionResult>`.
import { type FormPairs, formDialect, formTree, readForm } from './form-reader.ts'
import type { OperationModel } from './model.ts'
import type { Protocol, WireAnswer, WireRequest, WireService } from './protocol.ts'
import { readStruct } from './read-shape.ts'
import { structOf } from './structs.ts'
import { WireError } from './wire-error.ts'
import { envelope, errorAnswer, writeXml, xmlAnswer } from './xml-writer.ts'

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i
/** Parameters of the protocol itself. */
const OF_THE_PROTOCOL: ReadonlySet<string> = new Set(['Action', 'Version'])

export const awsQuery: Protocol = {
  match(service, request) {
    if (request.rawPath !== '/') throw new WireError('no-operation', '', 'Calls of this service go to the path /.')
    const pairs = parameters(request)
    const action = single(pairs, 'Action')
    if (action === null) throw new WireError('no-action', 'Action', 'The parameter Action is missing.')
    const version = single(pairs, 'Version')
    const operation = service.model.operations.get(action)
    if (operation === undefined || version !== service.version) {
      const shown = `${action.slice(0, 80)} for version ${version?.slice(0, 20) ?? 'NO_VERSION_SPECIFIED'}`
      throw new WireError('no-operation', 'Action', `Could not find operation ${shown}.`)
    }
    return { operation, labels: {} }
  },

  decode(_service, { operation }, request) {
    const tree = formTree(
      '',
      parameters(request).filter(([name]) => !OF_THE_PROTOCOL.has(name)),
    )
    if (!operation.input.isStructSchema()) {
      if (tree.children.length > 0) throw new WireError('unknown', '', `${operation.name} has no parameters.`)
      return {}
    }
    return readStruct(tree, operation.input, formDialect, '', structOf(operation.input).members)
  },

  encode(service, operation, output, requestId) {
    return resultAnswer(service, operation, output, requestId)
  },

  encodeFault: (service, fault, requestId) => errorAnswer(fault, service.namespace, requestId),
}

const STRING = 0
const METADATA = envelope('ResponseMetadata', [['RequestId', STRING]])

function resultAnswer(service: WireService, operation: OperationModel, output: unknown, requestId: string): WireAnswer {
  const { name } = operation
  const metadata = { RequestId: requestId }
  const hasResult = operation.output.isStructSchema()
  const members: [string, unknown][] = [['ResponseMetadata', METADATA]]
  // The members of the output lie in an element named after the action, whatever the output's own shape is called.
  if (hasResult) members.unshift([`${name}Result`, renamed(operation, `${name}Result`)])
  const value = { ...(hasResult ? { [`${name}Result`]: output ?? {} } : {}), ResponseMetadata: metadata }
  return xmlAnswer(200, writeXml(envelope(`${name}Response`, members), value, service.namespace), requestId)
}

const results = new WeakMap<OperationModel, unknown>()

function renamed(operation: OperationModel, name: string): unknown {
  let schema = results.get(operation)
  if (schema === undefined) {
    const [, , , , members, schemas] = operation.output.getSchema() as unknown as readonly [
      number,
      string,
      string,
      unknown,
      readonly string[],
      readonly unknown[],
    ]
    schema = envelope(
      name,
      members.map((member, at) => [member, schemas[at]] as const),
    )
    results.set(operation, schema)
  }
  return schema
}

const parsed = new WeakMap<WireRequest, FormPairs>()

/** Of the body and, for old tools that send GET, of the query string (spec/elasticache.md 1.1). */
function parameters(request: WireRequest): FormPairs {
  let pairs = parsed.get(request)
  if (pairs === undefined) {
    if (request.body.length > 0 && !FORM_TYPE.test(request.headers.get('content-type') ?? '')) {
      throw new WireError('malformed', '', 'The Content-Type must be application/x-www-form-urlencoded.')
    }
    pairs = [...readForm(request.rawQuery), ...readForm(Buffer.from(request.body).toString('latin1').trimEnd())]
    parsed.set(request, pairs)
  }
  return pairs
}

function single(pairs: FormPairs, wanted: string): string | null {
  const values = pairs.filter(([name]) => name === wanted)
  if (values.length > 1) throw new WireError('malformed', wanted, `The parameter ${wanted} is given twice.`)
  return values[0]?.[1] ?? null
}
