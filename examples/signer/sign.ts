//! Signed cookies, as CloudFront wants them: made with AWS's own signer from a private key that nobody else has. The edge
//! holds the public key alone, and checks each request by itself: no request for an image ever reaches this program.
import { getSignedCookies } from '@aws-sdk/cloudfront-signer'

export interface SigningKey {
  /** Id of the public key in CloudFront, which is in a key group that the behavior trusts. */
  readonly keyPairId: string
  /** PEM. */
  readonly privateKey: string
}

export interface Grant {
  /** `host` or `host:port`, as viewers ask for it: a policy holds for one site. */
  readonly host: string
  /** Path, with a `*` at its end for all below it: `/images/*`. */
  readonly resource: string
  /** Unix time in seconds. */
  readonly until: number
  /** Seconds from now to then: how long the browser keeps the cookies. */
  readonly seconds: number
  /** The viewer came by HTTPS: then the cookies go by HTTPS alone. */
  readonly secure: boolean
}

/** `Set-Cookie` values that let the browser have the resource until then. */
export function grantingCookies({ keyPairId, privateKey }: SigningKey, grant: Grant): string[] {
  const { host, resource, until, seconds, secure } = grant
  // By HTTP as well as HTTPS: on a laptop the edge listens for both. With HTTPS alone it would begin with https://.
  const policy = JSON.stringify({
    Statement: [{ Resource: `*://${host}${resource}`, Condition: { DateLessThan: { 'AWS:EpochTime': until } } }],
  })
  const cookies = getSignedCookies({ keyPairId, privateKey, policy, algorithm: 'SHA256' })
  const attributes = attributesFor(pathOf(resource), seconds, secure)
  return Object.entries(cookies).map(([name, value]) => `${name}=${value}; ${attributes}`)
}

const COOKIE_NAMES = ['Policy', 'Signature', 'Key-Pair-Id', 'Hash-Algorithm'] as const

/** `Set-Cookie` values that take the cookies of the resource away. The policy stays good until its time has come. */
export const revokingCookies = (resource: string, secure: boolean): string[] =>
  COOKIE_NAMES.map((name) => `CloudFront-${name}=; ${attributesFor(pathOf(resource), 0, secure)}`)

/** `/images/*` is what the browser calls the path `/images/`. */
const pathOf = (resource: string): string => resource.replace(/\*$/, '')

const attributesFor = (path: string, seconds: number, secure: boolean): string =>
  `Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
