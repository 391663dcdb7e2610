//! A change is made once for one signature, and stands in the audit log before it is made.
import { CLOCK_SKEW_MS_MAX } from '../../aws/verify-signature.ts'
import { cachefrontFault, commonFault } from '../../domain/faults.ts'
import { auditedChange } from '../audit.ts'
import { type Call, refuse } from '../call.ts'
import type { ApiEnvironment } from '../environment.ts'
import { stage } from '../stage.ts'

export const once = stage({
  name: 'once',
  next: ['invoke', 'run-local', 'encode', 'record'],
  async run(call, api) {
    const earlier = earlierRun(call, api)
    if (earlier === 'full') {
      api.metrics.count('throttled')
      return refuse(call, commonFault('Throttling', 'There are too many changes at the moment; try again in a minute.'))
    }
    if (earlier !== null) {
      api.metrics.count('replayed')
      const answer = await earlier
      if (answer === null) return refuse(call, spent(call))
      call.replayed = true
      call.answer = { ...answer, headers: { ...answer.headers, 'x-cachefront-replayed': 'true' } }
      return 'record'
    }
    if (api.audit !== null) {
      try {
        await api.audit.change(auditedChange(call))
      } catch {
        api.metrics.count('unaudited')
        const message =
          'The audit log cannot be written, so that nothing is changed; the log of control says why (a full disk?).'
        return refuse(call, commonFault('ServiceUnavailable', message))
      }
      call.audited = true
    }
    return call.target?.kind === 'local' ? 'run-local' : 'invoke'
  },
})

/** Null: it is the first with this signature, or was not verified at all. */
function earlierRun(call: Call, api: ApiEnvironment) {
  const { authorization, digest } = call
  if (digest === null || authorization === null) return null
  const { signedAt, expiresS } = authorization
  const until = signedAt + (expiresS === null ? CLOCK_SKEW_MS_MAX : expiresS * 1000)
  const beginning = api.replays.begin(digest, until)
  if (beginning.kind === 'first') {
    call.isFirst = true
    return null
  }
  return beginning.kind === 'full' ? 'full' : beginning.outcome
}

function spent(call: Call) {
  const message =
    'A call with this signature was answered already, and its answer is not given twice: sign the request anew.'
  return call.target?.kind === 'local'
    ? cachefrontFault('Conflict', message)
    : commonFault('SignatureDoesNotMatch', message)
}
