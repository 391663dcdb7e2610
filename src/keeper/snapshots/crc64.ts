//! PURE: the checksum at the end of an RDB: CRC-64 with the Jones polynomial, reflected, starting at 0, as redis and
//! valkey compute it (their src/crc64.c). Eight bytes a step: JavaScript has no 64-bit integers that are quick, so each
//! table is two, of the upper and the lower halves.

/** 0xad93d23594c935a9 with its bits reversed, as two halves. */
const POLYNOMIAL_HIGH = 0x95ac9329
const POLYNOMIAL_LOW = 0xac4bc9b5

/** Table k, byte b, at k * 256 + b: what byte b contributes when k more bytes follow in the same step. */
const HIGH = new Int32Array(8 * 256)
const LOW = new Int32Array(8 * 256)

for (let byte = 0; byte < 256; byte++) {
  let [high, low] = [0, byte]
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = (low & 1) === 1
    low = (low >>> 1) | (high << 31)
    high >>>= 1
    if (isOdd) {
      high ^= POLYNOMIAL_HIGH
      low ^= POLYNOMIAL_LOW
    }
  }
  HIGH[byte] = high
  LOW[byte] = low
}
for (let at = 256; at < 8 * 256; at++) {
  const [high, low] = [HIGH[at - 256]!, LOW[at - 256]!]
  HIGH[at] = (high >>> 8) ^ HIGH[low & 0xff]!
  LOW[at] = (low >>> 8) | (high << 24)
  LOW[at]! ^= LOW[low & 0xff]!
}

export class Crc64 {
  #high = 0
  #low = 0

  update(bytes: Uint8Array, from = 0, to = bytes.length): void {
    let [high, low, at] = [this.#high, this.#low, from]
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (const last = to - 8; at <= last; at += 8) {
      const a = low ^ view.getInt32(at, true)
      const b = high ^ view.getInt32(at + 4, true)
      const [a0, a1, a2, a3] = [
        1792 + (a & 0xff),
        1536 + ((a >>> 8) & 0xff),
        1280 + ((a >>> 16) & 0xff),
        1024 + (a >>> 24),
      ]
      const [b0, b1, b2, b3] = [768 + (b & 0xff), 512 + ((b >>> 8) & 0xff), 256 + ((b >>> 16) & 0xff), b >>> 24]
      high = HIGH[a0]! ^ HIGH[a1]! ^ HIGH[a2]! ^ HIGH[a3]! ^ HIGH[b0]! ^ HIGH[b1]! ^ HIGH[b2]! ^ HIGH[b3]!
      low = LOW[a0]! ^ LOW[a1]! ^ LOW[a2]! ^ LOW[a3]! ^ LOW[b0]! ^ LOW[b1]! ^ LOW[b2]! ^ LOW[b3]!
    }
    for (; at < to; at++) {
      const index = (low ^ bytes[at]!) & 0xff
      low = ((low >>> 8) | (high << 24)) ^ LOW[index]!
      high = (high >>> 8) ^ HIGH[index]!
    }
    this.#high = high
    this.#low = low
  }

  get value(): bigint {
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0)
  }
}
