//! DER (X.690 8, 10) as far as certificates need to be walked through where Node tells too little. PURE.

export interface Element {
  readonly tag: number
  readonly content: Uint8Array
  /** With tag and length. */
  readonly whole: Uint8Array
}

/** The elements that lie one behind the other. @throws Error for one that is longer than its surroundings */
export function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number
    let length = bytes[at + 1] ?? 0
    let begin = at + 2
    if (length >= 0x80) {
      const count = length & 0x7f
      length = bytes.subarray(begin, begin + count).reduce((number, byte) => number * 256 + byte, 0)
      begin += count
    }
    const end = begin + length
    if (end > bytes.length) throw new Error('an element is longer than what it is in')
    found.push({ tag, content: bytes.subarray(begin, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return found
}
