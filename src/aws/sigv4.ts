//! What signing needs on either side: a pair of keys, and node:crypto as the SDK's signer asks for it.
import { createHash, createHmac } from 'node:crypto'
import type { ChecksumConstructor } from '@smithy/types'

export interface KeyPair {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** node:crypto in the shape that the signer asks for: a hash, or an HMAC when it is given a key. */
export const Sha256: ChecksumConstructor = class {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>

  constructor(secret?: Parameters<typeof Buffer.from>[0] | ArrayBuffer | ArrayBufferView | string) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(chunk: Uint8Array | string): void {
    this.#hash.update(chunk)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {
    throw new Error('a hash is used once')
  }
} as unknown as ChecksumConstructor

function bytesOf(source: unknown): Uint8Array {
  if (typeof source === 'string') return Buffer.from(source)
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
  return new Uint8Array(source as ArrayBuffer)
}
