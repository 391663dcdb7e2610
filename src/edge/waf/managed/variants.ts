//! What a text may mean to whoever reads it behind the edge: as it came, and with each way undone in which attacks are
//! spelled so that they look like something else. One character a byte; linear in the text.

/** Percent signs within percent signs that are undone. */
const DECODINGS = 2

/** Characters of a text of which each way to undo it gives one more to look at; a longer one is undone in all ways at once. */
const EACH_MAX = 4096

/** Each text, and what it decodes to, each once. */
export function variants(texts: readonly string[]): string[] {
  const out = new Set<string>()
  for (const text of texts) addVariants(text, out)
  return [...out]
}

function addVariants(text: string, out: Set<string>): void {
  if (text === '') return
  out.add(text)
  const isShort = text.length <= EACH_MAX
  let decoded = text
  for (let i = 0; i < DECODINGS && /[%+]/.test(decoded); i++) {
    const next = percentDecoded(i === 0 ? decoded.replaceAll('+', ' ') : decoded)
    if (next === decoded) break
    decoded = next
    if (isShort) out.add(decoded)
  }
  // Of what the decoding gave: an entity may have been percent-encoded.
  const plain = decoded.includes('&') ? entitiesDecoded(decoded) : decoded
  if (!isShort) {
    out.add(plain.includes('\\') ? escapesDecoded(plain) : plain)
    return
  }
  out.add(plain)
  if (decoded.includes('\\')) out.add(escapesDecoded(decoded))
}

/** `%XX` and `%uXXXX`; a percent sign before anything else stays. */
export const percentDecoded = (text: string): string =>
  text.replace(/%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/gi, (_, wide: string | undefined, byte: string) =>
    wide === undefined ? String.fromCharCode(Number.parseInt(byte, 16)) : character(Number.parseInt(wide, 16)),
  )

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  colon: ':',
  gt: '>',
  lpar: '(',
  lt: '<',
  newline: '\n',
  nbsp: ' ',
  quot: '"',
  rpar: ')',
  sol: '/',
  tab: '\t',
}

const entitiesDecoded = (text: string): string =>
  text.replace(
    /&(?:#x([0-9a-f]{1,8})|#(\d{1,8})|([a-z]{2,8}));?/gi,
    (whole, hex?: string, decimal?: string, name = '') =>
      hex !== undefined
        ? character(Number.parseInt(hex, 16))
        : decimal !== undefined
          ? character(Number.parseInt(decimal, 10))
          : (ENTITIES[name.toLowerCase()] ?? whole),
  )

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** Of JSON and JavaScript: `\uXXXX`, `\xXX`, `\n`; any other character stands for itself. */
export const escapesDecoded = (text: string): string =>
  text.replace(
    /\\(?:u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\}|x([0-9a-f]{2})|([\s\S]))/gi,
    (_, wide?: string, point?: string, byte?: string, other = '') => {
      const hex = wide ?? point
      if (hex !== undefined) return character(Number.parseInt(hex, 16))
      return byte === undefined ? (ESCAPES[other] ?? other) : String.fromCharCode(Number.parseInt(byte, 16))
    },
  )

/** The bytes of a character in UTF-8. Full-width forms mean their ASCII characters, as some readers take them. */
function character(code: number): string {
  if (code < 0x80) return String.fromCharCode(code)
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0)
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '?'
  return Buffer.from(String.fromCodePoint(code), 'utf8').toString('latin1')
}
