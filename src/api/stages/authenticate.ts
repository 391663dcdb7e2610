//! Who calls. On loopback any well-formed Authorization header will do, except that a call in the name of the configured
//! key is always verified; from beyond, only the configured key with a valid signature is let in.
import { readAuthorization, type Verdict, verifySignature } from '../../aws/sigv4.ts'
import { type CommonCode, commonFault } from '../../domain/faults.ts'
import { isLoopback } from '../access.ts'
import { type Call, refuse } from '../call.ts'
import type { ApiEnvironment } from '../environment.ts'
import { stage } from '../stage.ts'

export const authenticate = stage({
  name: 'authenticate',
  next: ['decode', 'run-local', 'encode'],
  async run(call, api) {
    const near = api.listensOnLoopback && isLoopback(call.peer)
    const reading = readAuthorization(call.request.headers, call.request.rawQuery)
    const onward = call.target?.kind === 'local' ? 'run-local' : 'decode'
    if (reading.found !== 'authorization') {
      if (onward === 'run-local' && reading.found === 'nothing' && (near || isOpen(call))) return 'run-local'
      return refuse(call, reading.found === 'incomplete' ? incomplete(reading.why) : missing(reading.found, near))
    }
    const { authorization } = reading
    call.authorization = authorization
    const named = api.keyPair !== null && authorization.accessKeyId === api.keyPair.accessKeyId
    if (near && !named) return onward
    if (onward === 'run-local' && authorization.service !== 'cachefront') return refuse(call, denied('scope'))
    const verdict = await verdictOn(call, api)
    if (verdict !== 'valid') return refuse(call, denied(verdict))
    call.verified = true
    return onward
  },
})

async function verdictOn(call: Call, api: ApiEnvironment): Promise<Verdict> {
  if (api.keyPair === null || call.authorization === null) return 'unknown-key'
  return verifySignature(call.request, call.authorization, api.keyPair, api.clock.wall())
}

/** Reads of local routes that may be asked by anyone who reaches the port, such as health. */
function isOpen(call: Call): boolean {
  if (call.target?.kind !== 'local') return false
  const { route } = call.target.matched
  return route.method === 'GET' && route.readsNeedSignature !== true
}

const incomplete = (why: string) => commonFault('IncompleteSignature', why)

const missing = (found: 'nothing' | 'presigned', near: boolean) =>
  commonFault(
    'MissingAuthenticationToken',
    found === 'presigned'
      ? 'Presigned requests are not accepted; sign with the Authorization header.'
      : near
        ? 'The request has no Authorization header. Any access key will do on this machine; it must be signed all the same.'
        : 'The request has no Authorization header: sign it with the access key that is configured here.',
  )

/** Code and message by verdict. */
const DENIALS: Readonly<Record<Exclude<Verdict, 'valid'>, readonly [CommonCode, string]>> = {
  'unknown-key': ['InvalidClientTokenId', 'The access key id is not the one that is configured here.'],
  skewed: ['RequestExpired', 'The signature is more than 15 minutes from the time here; set the clock of the client.'],
  scope: ['SignatureDoesNotMatch', 'The scope of the signature does not fit the request (date or service).'],
  'headers-not-signed': ['SignatureDoesNotMatch', 'The headers Host and X-Amz-* must all be signed.'],
  mismatch: ['SignatureDoesNotMatch', 'The signature does not match the request; check the secret access key.'],
}

const denied = (verdict: Exclude<Verdict, 'valid'>) => commonFault(...DENIALS[verdict])
