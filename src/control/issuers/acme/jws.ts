//! What an ACME client signs (RFC 8555 6.2, RFC 7515): requests by the key of its account, ES256, and the binding of an
//! account to one elsewhere (7.3.4).
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'

/** Public half of an account's key, its members in the order of RFC 7638 3.2. */
export interface AccountJwk {
  readonly crv: 'P-256'
  readonly kty: 'EC'
  readonly x: string
  readonly y: string
}

export interface AccountKey {
  readonly privateKey: KeyObject
  readonly jwk: AccountJwk
  /** Of the public key (RFC 7638), base64url: half of every key authorization. */
  readonly thumbprint: string
}

/** Flattened JSON serialization (RFC 7515 7.2.2). */
export interface Jws {
  readonly protected: string
  readonly payload: string
  readonly signature: string
}

/** How the server knows whose key it is: by the account's URL, or by the key itself while there is no account. */
export type Signer = { readonly kid: string } | { readonly jwk: AccountJwk }

/** PKCS #8, PEM. */
export function newAccountKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}

/** @throws Error when it is no private key on P-256 */
export function readAccountKey(pem: string): AccountKey {
  const privateKey = createPrivateKey(pem)
  const { crv, x, y } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (crv !== 'P-256' || x === undefined || y === undefined) throw new Error('it is no key on the curve P-256')
  const jwk: AccountJwk = { crv, kty: 'EC', x, y }
  const thumbprint = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url')
  return { privateKey, jwk, thumbprint }
}

/** `payload` undefined is POST-as-GET (6.3). */
export function signedRequest(
  key: AccountKey,
  signer: Signer,
  to: { readonly url: string; readonly nonce: string },
  payload: unknown,
): Jws {
  const header = encoded({ alg: 'ES256', ...signer, nonce: to.nonce, url: to.url })
  const body = payload === undefined ? '' : encoded(payload)
  const signature = sign('sha256', Buffer.from(`${header}.${body}`), {
    key: key.privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return { protected: header, payload: body, signature: signature.toString('base64url') }
}

/** Key and id that somebody gave out for accounts of theirs; `key` base64url. */
export interface ExternalAccount {
  readonly kid: string
  readonly key: string
}

/** The value of `externalAccountBinding` (7.3.4): the account's key, signed with the other one. */
export function externalBinding({ kid, key }: ExternalAccount, jwk: AccountJwk, url: string): Jws {
  const header = encoded({ alg: 'HS256', kid, url })
  const payload = encoded(jwk)
  const mac = createHmac('sha256', Buffer.from(key, 'base64url')).update(`${header}.${payload}`)
  return { protected: header, payload, signature: mac.digest('base64url') }
}

/** Body of an HTTP-01 answer (8.1). */
export const keyAuthorization = (token: string, { thumbprint }: AccountKey): string => `${token}.${thumbprint}`

/** Text of a DNS-01 record (8.4). */
export const keyDigest = (token: string, key: AccountKey): string =>
  createHash('sha256').update(keyAuthorization(token, key)).digest('base64url')

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
