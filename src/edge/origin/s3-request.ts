//! What is asked of a bucket: the request in the spelling of S3, signed where the origin says so. PURE: takes the keys and
//! the time.
import type { OriginFailureKind } from '../../domain/outcomes.ts'
import { firstValue } from '../../http/headers.ts'
import type { OriginRequest } from './attempts.ts'
import { OriginFailure } from './failure.ts'
import type { S3Plan, SigningPlan } from './reached.ts'
import { climbs, encodedKey, encodedQuery } from './s3-path.ts'
import { amzDate, authorization, EMPTY_PAYLOAD, type S3Keys, UNSIGNED_PAYLOAD } from './sign.ts'

export interface S3Context {
  /** Null when the operator has given none. */
  readonly keys: S3Keys | null
  /** Milliseconds since the epoch by the clock on the wall: S3 does not know of a clock that was moved. */
  readonly wall: number
  /** The path that the viewer asked for, without what the origin puts before it. */
  readonly viewerPath: string
  /** The viewer sent Authorization, whether it is forwarded or not. */
  readonly viewerSigned: boolean
}

/** A request to the bucket, or why none can be made (`refusal` in it). */
export function s3Request(request: OriginRequest, plan: S3Plan, context: S3Context): OriginRequest {
  const { target } = request
  const mark = target.indexOf('?')
  const path = encodedKey(mark < 0 ? target : target.slice(0, mark))
  const query = mark < 0 ? '' : encodedQuery(target.slice(mark + 1))
  const addressed: OriginRequest = {
    ...request,
    target: query === '' ? path : `${path}?${query}`,
    headers: withHost(request.headers, plan.host),
  }
  if (climbs(encodedKey(context.viewerPath))) {
    return refused(addressed, 's3-key', 'the path leads out of the bucket')
  }
  // S3 needs to know the length of what it stores; a chunked body does not tell (AWS: 411 MissingContentLength).
  if (request.body !== null && firstValue(request.headers, 'content-length') === undefined) {
    return refused(addressed, 's3-length', 'an upload to S3 needs a Content-Length')
  }
  const { signing } = plan
  if (signing === null || !signs(signing, request.method, context)) return addressed
  if (context.keys === null) return refused(addressed, 's3-keys', NO_KEYS)
  return { ...addressed, headers: signed(addressed, path, query, signing, context.keys, context.wall) }
}

const NO_KEYS =
  'its origin access needs a signature, and there are no keys: set CACHEFRONT_S3_ACCESS_KEY_ID and CACHEFRONT_S3_SECRET_ACCESS_KEY'

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

function signs({ mode, readsOnly }: SigningPlan, method: string, { viewerSigned }: S3Context): boolean {
  return (mode === 'always' || !viewerSigned) && (!readsOnly || READS.has(method))
}

/** True when whether a request is signed hangs on a field of this viewer that no cache key has. */
export const signsByViewer = (plan: S3Plan | null, keyed: ReadonlySet<string>): boolean =>
  plan?.signing?.mode === 'no-override' && !keyed.has('authorization')

function refused(request: OriginRequest, kind: OriginFailureKind, why: string): OriginRequest {
  return { ...request, refusal: new OriginFailure(kind, why) }
}

function withHost(headers: readonly string[], host: string): readonly string[] {
  return headers[1] === host ? headers : [headers[0] as string, host, ...headers.slice(2)]
}

/** Fields of the viewer's own signature, which ours takes the place of. */
const REPLACED: ReadonlySet<string> = new Set(['authorization', 'x-amz-date', 'x-amz-security-token'])
const PAYLOAD = 'x-amz-content-sha256'
/** Signed besides host and x-amz-*. */
const ALSO_SIGNED: ReadonlySet<string> = new Set(['content-md5', 'content-type'])

/** Name, value, name, value ... with the signature behind. */
function signed(
  { headers, method, body }: OriginRequest,
  path: string,
  query: string,
  { region }: SigningPlan,
  keys: S3Keys,
  wall: number,
): string[] {
  const kept: string[] = []
  const fields = new Map<string, string>()
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    // What a viewer says of a body that is not there could only be wrong, and the error would be everybody's.
    if (REPLACED.has(name) || (body === null && name === PAYLOAD)) continue
    const value = headers[i + 1] as string
    kept.push(headers[i] as string, value)
    if (name !== 'host' && !name.startsWith('x-amz-') && !ALSO_SIGNED.has(name)) continue
    const before = fields.get(name)
    fields.set(name, before === undefined ? value : `${before},${value}`)
  }
  const add = (name: string, value: string): void => {
    kept.push(name, value)
    fields.set(name, value)
  }
  // A viewer that tells the hash of its body (and a policy that forwards it) has S3 check it.
  const payload = fields.get(PAYLOAD) ?? (body === null ? EMPTY_PAYLOAD : UNSIGNED_PAYLOAD)
  if (!fields.has(PAYLOAD)) add(PAYLOAD, payload)
  const date = amzDate(wall)
  add('x-amz-date', date)
  const toSign = { method, path, query, fields: [...fields], payload }
  kept.push('Authorization', authorization(toSign, keys, region, date))
  return kept
}
