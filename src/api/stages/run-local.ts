//! Runs one of the installation's own routes; its answer is already what goes over the wire.
import assert from 'node:assert'
import { Fault } from '../../domain/faults.ts'
import { refuse } from '../call.ts'
import { stage } from '../stage.ts'

export const runLocal = stage({
  name: 'run-local',
  next: ['record', 'encode'],
  async run(call) {
    assert(call.target?.kind === 'local', 'route has found a local route')
    const { route, rest } = call.target.matched
    const { request } = call
    try {
      const answer = await route.run({ rest, query: new URLSearchParams(request.rawQuery), body: call.localBody })
      call.madeIds = answer.made ?? {}
      const headers = {
        'Content-Type': answer.contentType,
        'Cache-Control': 'no-store',
        'x-amzn-RequestId': call.requestId,
      }
      const whole = typeof answer.body === 'string'
      call.answer = { status: answer.status, headers, body: whole ? answer.body : '' }
      if (!whole) call.stream = answer.body
      return 'record'
    } catch (error) {
      if (error instanceof Fault) return refuse(call, error)
      throw error
    }
  },
})
