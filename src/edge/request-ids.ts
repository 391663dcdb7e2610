//! X-Amz-Cf-Id: 54 characters of base64url and `==` (spec/cloudfront.md 6.4). A random part that is renewed now and then
//! and a counter: unique and cheap. It is a name, not a secret.
import { randomBytes } from 'node:crypto'

/** Requests that share a random part. */
const RENEW_AFTER = 64 ** 3
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** All combinations of two digits, so that an id takes three look-ups. */
const PAIRS: readonly string[] = Array.from({ length: 4096 }, (_, at) => `${ALPHABET[at >> 6]}${ALPHABET[at & 63]}`)

export class RequestIds {
  #prefix = ''
  #count = RENEW_AFTER

  next(): string {
    if (this.#count >= RENEW_AFTER) {
      this.#prefix = randomBytes(39).toString('base64url').slice(0, 51)
      this.#count = 0
    }
    const n = this.#count++
    // The counter's digits are spread by an odd factor, so that neighbours differ in more than the last one.
    const spread = Math.imul(n, 40503) & 0x3ffff
    return `${ALPHABET[spread >> 12]}${this.#prefix}${PAIRS[spread & 4095]}==`
  }
}
