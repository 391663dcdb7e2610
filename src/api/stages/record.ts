//! One line a call. With `change`, the lines are an account of what was done; what came of a change goes to the audit log
//! too, and to whoever sends the same call again. Inputs are in neither: they have tokens and passwords.
import { auditedChange, auditedOutcome } from '../audit.ts'
import type { Call } from '../call.ts'
import { calledOf } from '../called.ts'
import type { ApiEnvironment } from '../environment.ts'
import { stage } from '../stage.ts'

export const record = stage({
  name: 'record',
  next: ['done'],
  async run(call, api) {
    const { caller, answer, digest, stream } = call
    const line = {
      time: new Date(api.clock.wall()).toISOString(),
      event: 'api-call',
      requestId: call.requestId,
      ...calledOf(call),
      status: answer?.status ?? 0,
      code: call.fault?.code ?? null,
      durationMs: Math.round((api.clock.monotonic() - call.startedAt) * 1000) / 1000,
      accessKeyId: call.authorization?.accessKeyId ?? null,
      verified: caller?.verified ?? false,
      role: caller?.role ?? null,
      ...(call.replayed ? { replayed: true } : {}),
      peer: call.peer,
    }
    api.log(JSON.stringify(line))
    if (call.isFirst && digest !== null && answer !== null) {
      const secret = call.target?.kind === 'local' && call.target.matched.route.answersOnce === true
      api.replays.end(digest, answer, !secret && stream === null)
    }
    await audit(call, api)
    return 'done'
  },
})

async function audit(call: Call, api: ApiEnvironment): Promise<void> {
  if (api.audit === null) return
  if (call.audited) await api.audit.outcome(auditedOutcome(call))
  // A read that is denied is in the log of calls; who tries to change what is not theirs belongs here.
  if (call.denied && calledOf(call).change) await api.audit.denied(auditedChange(call), call.fault?.code ?? '')
}
