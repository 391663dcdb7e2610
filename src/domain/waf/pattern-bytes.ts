//! Regular expressions of rules look at bytes: a character that is not ASCII is its UTF-8 bytes, in the text and in the
//! expression. The API and the edges compile the same, so that one does not take what the other cannot use. PURE.

/** One character a byte. */
export const patternBytes = (pattern: string): string => {
  const bytes = new TextEncoder().encode(pattern)
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}
