//! A keyed 2 x 32 bit hash of cache keys for the disk. Its seeds are kept with the store, and its results in the
//! records: unlike the memory tier's (cache/key-hash.ts), it may change only together with the layout of the store.

/** Two unsigned 32 bit numbers; the object is reused by the next call. */
export interface Digest {
  a: number
  b: number
}

const digest: Digest = { a: 0, b: 0 }

/** Hashes a latin1 text. Viewers choose keys, so that without secret seeds they could crowd one place of the table. */
export function digestOf(text: string, seedA: number, seedB: number): Digest {
  let a = seedA
  let b = seedB
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  digest.a = a >>> 0
  digest.b = b >>> 0
  return digest
}
