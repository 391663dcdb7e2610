//! Output or fault to the wire, in the shape of the service that was called.
import assert from 'node:assert'
import { readAuthorization } from '../../aws/authorization.ts'
import type { WireAnswer } from '../../aws/protocol.ts'
import { errorAnswer } from '../../aws/xml-writer.ts'
import type { Fault } from '../../domain/faults.ts'
import type { Call } from '../call.ts'
import type { ApiEnvironment } from '../environment.ts'
import { isLocalPath } from '../local.ts'
import type { ApiService } from '../services.ts'
import { stage } from '../stage.ts'

export const encode = stage({
  name: 'encode',
  next: ['record'],
  run(call, api) {
    call.answer = call.fault === null ? outputAnswer(call) : faultAnswer(call, call.fault, api)
    return 'record'
  },
})

function outputAnswer(call: Call): WireAnswer {
  assert(call.target?.kind === 'operation', 'only operations have an output')
  const { service, matched } = call.target
  return service.protocol.encode(service, matched.operation, call.output, call.requestId)
}

function faultAnswer(call: Call, fault: Fault, api: ApiEnvironment): WireAnswer {
  const { code, status, message } = fault
  if (!isLocalPath(call.request.rawPath)) {
    const service = serviceOf(call, api)
    // Of a service that nobody knows the shape of most errors is a guess that most clients can read.
    if (service === null) return errorAnswer(fault, '', call.requestId)
    return service.protocol.encodeFault(service, fault, call.requestId)
  }
  const headers = { 'Content-Type': 'application/json', 'x-amzn-RequestId': call.requestId }
  // `error` is the sentence that the routes' own answers have; `code` is for programs.
  return { status, headers, body: `${JSON.stringify({ code, message, error: message })}\n` }
}

/** A call that is refused before it is routed is answered in the shape of the service that it was signed for. */
function serviceOf({ service, sent }: Call, api: ApiEnvironment): ApiService | null {
  if (service !== null) return service
  const reading = readAuthorization(sent.headers, sent.rawQuery)
  return reading.found === 'authorization' ? (api.services.get(reading.authorization.service) ?? null) : null
}
