//! Random identifiers in AWS's alphabets.
import { randomBytes, randomUUID } from 'node:crypto'

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const MIXED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** Base32, as in ids of access keys. */
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** `length` random characters of `alphabet`, without modulo bias (alphabets of up to 64 characters). */
function randomFrom(alphabet: string, length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      const at = byte & 63
      if (at < alphabet.length && text.length < length) text += alphabet[at]
    }
  }
  return text
}

/** Upper-case letters and digits, as in distribution and invalidation ids (spec/cloudfront.md 1.6). */
export const upperId = (length: number): string => randomFrom(UPPER, length)

/** Lower-case letters and digits, as in distribution domain names. */
export const lowerId = (length: number): string => randomFrom(LOWER, length)

/** Letters of both cases and digits, as in the newer resources' ids (`ts_...`: spec/cloudfront.md 1.6). */
export const mixedId = (length: number): string => randomFrom(MIXED, length)

export const uuid = (): string => randomUUID()

/** Id of an access key, as AWS's of users: `AKIA` and 16 characters. */
export const keyId = (): string => `AKIA${randomFrom(BASE32, 16)}`
