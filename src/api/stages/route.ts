//! Which service and which of its operations, or which of the installation's own routes: both on one port. The scope of
//! the signature says it best; without one, the path or the Action does, so that the refusal has the service's shape.
import { readAuthorization, withoutSigning } from '../../aws/authorization.ts'
import { WireError } from '../../aws/wire-error.ts'
import { cachefrontFault, commonFault, Fault } from '../../domain/faults.ts'
import { type Call, refuse } from '../call.ts'
import type { ApiEnvironment } from '../environment.ts'
import { findLocalRoute, isLocalPath } from '../local.ts'
import { type ApiService, wireFault } from '../services.ts'
import { stage } from '../stage.ts'

export const route = stage({
  name: 'route',
  next: ['authenticate', 'encode'],
  run(call, api) {
    call.request = { ...call.sent, rawQuery: withoutSigning(call.sent.rawQuery) }
    const { request } = call
    try {
      if (isLocalPath(request.rawPath)) {
        call.target = { kind: 'local', matched: findLocalRoute(api.localRoutes, request.method, request.rawPath) }
        refuseForeignBody(call)
        call.localBody = parseJson(request.body)
        return 'authenticate'
      }
      call.service = serviceOf(call, api)
      if (call.service === null) {
        return refuse(call, commonFault('UnknownOperationException', 'This is no path of a service that runs here.'))
      }
      const matched = call.service.protocol.match(call.service, request)
      call.target = { kind: 'operation', service: call.service, matched }
      return 'authenticate'
    } catch (error) {
      if (error instanceof Fault) return refuse(call, error)
      if (error instanceof WireError && call.service !== null) return refuse(call, wireFault(call.service, error))
      throw error
    }
  },
})

/** @throws Fault NotImplemented for a service of AWS that Cachefront does not have */
function serviceOf(call: Call, api: ApiEnvironment): ApiService | null {
  const { request, sent } = call
  const reading = readAuthorization(sent.headers, sent.rawQuery)
  if (reading.found === 'authorization') {
    const { service } = reading.authorization
    const known = api.services.get(service)
    if (known === undefined) throw commonFault('NotImplemented', `The service ${service} is not part of Cachefront.`)
    return known
  }
  for (const service of api.services.values()) {
    if (request.rawPath.startsWith(`/${service.version}/`)) return service
  }
  if (request.rawPath !== '/') return null
  return [...api.services.values()].find((service) => answersTo(service, call)) ?? null
}

function answersTo(service: ApiService, call: Call): boolean {
  try {
    service.protocol.match(service, call.request)
    return true
  } catch (error) {
    if (error instanceof WireError) return false
    throw error
  }
}

/** A form or plain text can be sent by any web page without asking; JSON cannot. @throws Fault UnsupportedMediaType */
function refuseForeignBody({ request }: Call): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const type = request.headers.get('content-type') ?? ''
  if (/^application\/json\s*(?:;|$)/i.test(type)) return
  throw cachefrontFault('UnsupportedMediaType', 'The Content-Type of a change must be application/json.')
}

/** @throws Fault InvalidRequest */
function parseJson(body: Uint8Array): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw cachefrontFault('InvalidRequest', 'The body is not JSON.')
  }
}
