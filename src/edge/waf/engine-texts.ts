//! Texts as the engine takes them: it cuts a text that is longer than 4,096 bytes and goes on with its beginning, so that
//! long ones are given in pieces that overlap; what an attacker may have put between two parts of an attack to pull them
//! apart is looked at shortened as well.

/** Bytes of UTF-8 that the engine looks at. */
export const TEXT_MAX = 4096

/** Bytes that two pieces of a long text have in common: an attack up to this length is whole in one of them. */
const OVERLAP = 1024

/** @param texts one character a byte @returns each once, as characters, none longer than TEXT_MAX */
export function pieces(texts: readonly string[]): string[] {
  const out = new Set<string>()
  for (const text of texts) {
    if (text === '') continue
    if (text.length <= TEXT_MAX && !/[\x80-\xff]/.test(text)) {
      out.add(text)
      continue
    }
    addAll(text, out)
  }
  return [...out]
}

function addAll(text: string, out: Set<string>): void {
  const characters = decoded(text)
  if (Buffer.byteLength(characters) <= TEXT_MAX) {
    out.add(characters)
    return
  }
  addPieces(characters, out)
  const short = shortened(characters)
  if (short.length < characters.length) addPieces(short, out)
}

/**
 * What the bytes mean in UTF-8. Where they are none, as in an image, those that are not ASCII become one space a run: no
 * pattern asks for them, each would cost as much as what one asks for, and some databases take them as spaces (0xA0).
 */
function decoded(text: string): string {
  if (!/[\x80-\xff]/.test(text)) return text
  const characters = Buffer.from(text, 'latin1').toString('utf8')
  return characters.includes('\ufffd') ? text.replace(/[\x80-\xff]+/g, ' ') : characters
}

function addPieces(characters: string, out: Set<string>): void {
  const bytes = Buffer.from(characters, 'utf8')
  for (let at = 0; at < bytes.length; at += TEXT_MAX - OVERLAP) {
    out.add(wholeCharacters(bytes, at, Math.min(at + TEXT_MAX, bytes.length)))
    if (at + TEXT_MAX >= bytes.length) return
  }
}

/** Bytes `from` to `to` without the part of a character at either end: it would become longer. */
function wholeCharacters(bytes: Buffer, from: number, to: number): string {
  let start = from
  while (start < to && (bytes[start]! & 0xc0) === 0x80) start++
  let end = to
  while (end > start && end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.toString('utf8', start, end)
}

/** Comments, blanks and long words are what a text can be filled up with and say the same. Linear in the text. */
const shortened = (text: string): string =>
  withoutComments(text)
    .replace(/\s{2,}/g, ' ')
    .replace(/\w{64,}/g, (word) => word.slice(0, 32))
    .replace(/([^\w\s])\1{3,}/g, '$1$1$1')

/** Each comment of SQL becomes an empty one; one that does not end stays. */
function withoutComments(text: string): string {
  let out = ''
  let from = 0
  for (;;) {
    const start = text.indexOf('/*', from)
    const end = start < 0 ? -1 : text.indexOf('*/', start + 2)
    if (end < 0) return out + text.slice(from)
    out += `${text.slice(from, start)}/**/`
    from = end + 2
  }
}
