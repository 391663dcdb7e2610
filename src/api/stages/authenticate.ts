//! Who calls. On loopback any well-formed Authorization header will do, unless keys are required there, too; a call in the
//! name of a known key is always verified, and has that key's role. From beyond, only a known key with a valid signature
//! is let in. Presigned requests are verified everywhere.
import { type Authorization, readAuthorization } from '../../aws/authorization.ts'
import { type SignatureProblem, verifySignature } from '../../aws/verify-signature.ts'
import type { Caller } from '../../domain/access-keys.ts'
import { type CommonCode, commonFault, type Fault } from '../../domain/faults.ts'
import { CONFIGURED } from '../../services/cachefront/access-keys.ts'
import { type KnownKey, secretsAt } from '../../services/cachefront/key-ring.ts'
import { isLoopback } from '../access.ts'
import { type Call, refuse } from '../call.ts'
import type { ApiEnvironment } from '../environment.ts'
import { stage } from '../stage.ts'

/** Region of CloudFront, STS and whatever else AWS has in one region for all. */
const GLOBAL_REGION = 'us-east-1'

export const authenticate = stage({
  name: 'authenticate',
  next: ['decode', 'authorize', 'encode'],
  async run(call, api) {
    const near = api.listensOnLoopback && !api.requireKeys && isLoopback(call.peer)
    const onward = call.target?.kind === 'local' ? 'authorize' : 'decode'
    const reading = readAuthorization(call.sent.headers, call.sent.rawQuery)
    if (reading.found === 'nothing') {
      if (call.target?.kind !== 'local' || !(near || isOpen(call))) return turnedAway(call, api, 'unsigned', near)
      call.caller = near ? atItsWord(null) : ANYBODY
      return onward
    }
    if (reading.found === 'incomplete') {
      api.metrics.authenticationFailed('incomplete')
      return refuse(call, commonFault('IncompleteSignature', reading.why))
    }
    const { authorization } = reading
    call.authorization = authorization
    if (call.sent.headers.get('x-amz-content-sha256')?.startsWith('STREAMING-')) {
      return turnedAway(call, api, 'streaming', near)
    }
    if (!api.brake.admits(call.peer)) {
      api.metrics.count('throttled')
      return refuse(
        call,
        commonFault('Throttling', 'This address has signed with wrong keys too often; wait a few seconds.'),
      )
    }
    const key = await api.keys.find(authorization.accessKeyId)
    if (key === null && near) {
      if (authorization.place === 'query') return turnedAway(call, api, 'presigned', near)
      call.caller = atItsWord(authorization.accessKeyId)
      return onward
    }
    return (await verified(call, api, authorization, key, near)) ?? onward
  },
})

/** Null when the signature holds. */
async function verified(
  call: Call,
  api: ApiEnvironment,
  authorization: Authorization,
  key: KnownKey | null,
  near: boolean,
): Promise<'encode' | null> {
  if (key === null) return wrongKey(call, api, 'unknown-key', near)
  if (key.problem !== null) {
    api.metrics.authenticationFailed('unreadable-key')
    return refuse(call, commonFault('ServiceUnavailable', `The secret of this key cannot be read here: ${key.problem}`))
  }
  const now = api.clock.wall()
  const secrets = secretsAt(key, now)
  if (secrets.length === 0) return turnedAway(call, api, 'expired-key', near)
  if (call.target?.kind === 'local' && authorization.service !== 'cachefront')
    return turnedAway(call, api, 'scope', near)
  const found = verifySignature(call.sent, authorization, secrets, [api.context.region, GLOBAL_REGION], now)
  if (found.verdict === 'mismatch') return wrongKey(call, api, 'mismatch', near)
  if (found.verdict !== 'valid') return turnedAway(call, api, found.verdict, near)
  api.keys.used(key.id)
  call.digest = found.digest
  call.caller = { keyId: key.id, name: key.name, role: key.role, verified: true }
  return null
}

/** Whoever calls from this machine is its owner, as DESIGN 6 has it: signatures of keys that nobody knows are not looked at. */
const atItsWord = (keyId: string | null): Caller => ({ keyId, name: CONFIGURED, role: 'admin', verified: false })

/** Of the open reads, from beyond. */
const ANYBODY: Caller = { keyId: null, name: 'anybody', role: 'read-only', verified: false }

/** Reads of local routes that may be asked by anyone who reaches the port, such as health. */
function isOpen(call: Call): boolean {
  if (call.target?.kind !== 'local') return false
  const { route } = call.target.matched
  return route.method === 'GET' && route.readsNeedSignature !== true
}

/** Why a call is turned away: the words of the metric. */
type Reason = Exclude<SignatureProblem, 'mismatch'> | 'unsigned' | 'presigned' | 'streaming' | 'expired-key'

function turnedAway(call: Call, api: ApiEnvironment, reason: Reason, near: boolean): 'encode' {
  api.metrics.authenticationFailed(reason)
  return refuse(call, faultOf(reason, near))
}

/** What a guesser tries: the refusal waits. */
async function wrongKey(
  call: Call,
  api: ApiEnvironment,
  reason: 'unknown-key' | 'mismatch',
  near: boolean,
): Promise<'encode'> {
  api.metrics.authenticationFailed(reason)
  await api.brake.failed(call.peer)
  return refuse(call, faultOf(reason, near))
}

const REASONS: Readonly<
  Record<Exclude<Reason, 'unsigned'> | 'unknown-key' | 'mismatch', readonly [CommonCode, string]>
> = {
  presigned: [
    'MissingAuthenticationToken',
    'A presigned request is taken from a key that is known here only; sign with the Authorization header.',
  ],
  streaming: [
    'NotImplemented',
    'Bodies that are signed piece by piece (aws-chunked) are not taken: sign the whole body.',
  ],
  'unknown-key': ['InvalidClientTokenId', 'There is no key with this access key id here.'],
  'expired-key': [
    'InvalidClientTokenId',
    'This access key has expired: have another one made (cachefront keys create).',
  ],
  'session-token': [
    'InvalidClientTokenId',
    'There are no temporary credentials here: leave the session token out (AWS_SESSION_TOKEN).',
  ],
  skewed: ['RequestExpired', 'The signature is more than 15 minutes from the time here; set the clock of the client.'],
  expired: ['RequestExpired', 'The time of this presigned request is over (X-Amz-Expires); have it signed anew.'],
  scope: ['SignatureDoesNotMatch', 'The scope of the signature does not fit the request (date, region or service).'],
  path: ['SignatureDoesNotMatch', 'The path has empty parts or dots as parts, which signatures do not cover.'],
  query: ['SignatureDoesNotMatch', 'The query has a plus sign or a percent sign that has to be percent-encoded.'],
  payload: [
    'SignatureDoesNotMatch',
    'X-Amz-Content-Sha256 is not the hash of the body; unsigned payloads are not taken.',
  ],
  'headers-not-signed': ['SignatureDoesNotMatch', 'The headers Host, If-Match and X-Amz-* must all be signed.'],
  mismatch: ['SignatureDoesNotMatch', 'The signature does not match the request; check the secret access key.'],
}

function faultOf(reason: keyof typeof REASONS | 'unsigned', near: boolean): Fault {
  if (reason !== 'unsigned') return commonFault(...REASONS[reason])
  return commonFault(
    'MissingAuthenticationToken',
    near
      ? 'The request has no Authorization header. Any access key will do on this machine; it must be signed all the same.'
      : 'The request has no Authorization header: sign it with an access key of this installation (cachefront keys).',
  )
}
