//! One line a call. With `change`, the lines are an audit log: who changed what, when, from where, and how it ended.
//! Inputs are not in it: they have tokens and passwords.
import type { Call } from '../call.ts'
import { stage } from '../stage.ts'

export const record = stage({
  name: 'record',
  next: ['done'],
  run(call, api) {
    const line = {
      time: new Date(api.clock.wall()).toISOString(),
      event: 'api-call',
      requestId: call.requestId,
      ...whatWasCalled(call),
      status: call.answer?.status ?? 0,
      code: call.fault?.code ?? null,
      durationMs: Math.round((api.clock.monotonic() - call.startedAt) * 1000) / 1000,
      accessKeyId: call.authorization?.accessKeyId ?? null,
      verified: call.verified,
      peer: call.peer,
    }
    api.log(JSON.stringify(line))
    return 'done'
  },
})

/** Operations that only read, by AWS's way of naming them. */
const READS = /^(?:Get|List|Describe)/

function whatWasCalled(call: Call): { service: string | null; operation: string | null; change: boolean } {
  const { target, service } = call
  if (target === null) return { service: service?.name ?? null, operation: null, change: false }
  if (target.kind === 'operation') {
    const { name } = target.matched.operation
    return { service: target.service.name, operation: name, change: !READS.test(name) }
  }
  const { method, path } = target.matched.route
  return { service: 'cachefront', operation: `${method} ${path}`, change: method !== 'GET' }
}
