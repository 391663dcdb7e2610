//! What the edge gives out and takes back, with secret keys of the installation: tokens that everybody may read and nobody
//! make (HMAC-SHA-256), and puzzles that nobody may read (AES-256-GCM). Text in base64url.
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KeysOfPeriod } from '../../../lib/period-keys.ts'

export const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

const made = { token: new WeakMap<Buffer, Buffer>(), puzzle: new WeakMap<Buffer, Buffer>() }

/** A key for one purpose, made of that of the period. */
function keyFor(purpose: 'token' | 'puzzle', key: Buffer): Buffer {
  let own = made[purpose].get(key)
  if (own === undefined) {
    own = createHmac('sha256', key).update(purpose).digest()
    made[purpose].set(key, own)
  }
  return own
}

const macOf = (payload: string, key: Buffer): Buffer =>
  createHmac('sha256', keyFor('token', key)).update(payload).digest()

/** `payload` is text of base64url. */
export const sign = (payload: string, { current }: KeysOfPeriod): string =>
  `${payload}.${macOf(payload, current).toString('base64url')}`

/** The payload; null for what was not signed with one of the keys. */
export function verified(text: string, { current, previous }: KeysOfPeriod): string | null {
  const dot = text.indexOf('.')
  const payload = text.slice(0, dot)
  const mac = text.slice(dot + 1)
  // One spelling of each: Buffer.from takes others, too.
  if (dot < 1 || !/^[A-Za-z0-9_-]{43}$/.test(mac) || !/^[A-Za-z0-9_-]+$/.test(payload)) return null
  const given = Buffer.from(mac, 'base64url')
  if (given.toString('base64url') !== mac) return null
  for (const key of [current, previous]) if (key !== null && timingSafeEqual(macOf(payload, key), given)) return payload
  return null
}

/** `document` as JSON, unreadable. */
export function seal(document: unknown, { current }: KeysOfPeriod): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyFor('puzzle', current), nonce)
  const sealed = Buffer.concat([cipher.update(JSON.stringify(document), 'utf8'), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url')
}

/** Null for what was not sealed with one of the keys. */
export function unseal(text: string, { current, previous }: KeysOfPeriod): unknown {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length <= NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== text) return null
  for (const key of [current, previous]) {
    if (key === null) continue
    const decipher = createDecipheriv('aes-256-gcm', keyFor('puzzle', key), bytes.subarray(0, NONCE_BYTES))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    const opened = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
    try {
      return JSON.parse(Buffer.concat([opened, decipher.final()]).toString('utf8'))
    } catch {
      // Of another key, or nobody's.
    }
  }
  return null
}
