//! X-Amz-Cf-Id: 54 characters of base64url and `==` (spec/cloudfront.md 6.4). A random part that is renewed now and then
//! and a counter: unique and cheap. It is a name, not a secret.
import { randomBytes } from 'node:crypto'

/** Requests that share a random part. */
const RENEW_AFTER = 64 ** 2
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The end of an id, for each value of the counter: an id is two pieces of text. */
const ENDS: readonly string[] = Array.from(
  { length: RENEW_AFTER },
  (_, at) => `${ALPHABET[at >> 6]}${ALPHABET[at & 63]}==`,
)

export class RequestIds {
  #prefix = ''
  #count = RENEW_AFTER

  next(): string {
    if (this.#count >= RENEW_AFTER) {
      this.#prefix = randomBytes(39).toString('base64url')
      this.#count = 0
    }
    const n = this.#count++
    // An odd factor, so that neighbours differ in more than the last character.
    return this.#prefix + ENDS[Math.imul(n, 40503) & (RENEW_AFTER - 1)]
  }
}
