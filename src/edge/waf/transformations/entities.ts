//! HTML_ENTITY_DECODE: AWS's four names, and those that browsers take as well and that hide scripts.
import { byteOrUtf8 } from './bytes.ts'

/** Browsers take these without a semicolon, too. */
const LEGACY: Readonly<Record<string, string>> = { amp: '&', gt: '>', lt: '<', nbsp: '\xa0', quot: '"' }
const NAMED: Readonly<Record<string, string>> = {
  apos: "'",
  bsol: '\\',
  colon: ':',
  comma: ',',
  equals: '=',
  excl: '!',
  grave: '`',
  lpar: '(',
  newline: '\n',
  num: '#',
  period: '.',
  rpar: ')',
  semi: ';',
  sol: '/',
  tab: '\t',
}
const ENTITY = new RegExp(
  `&(?:#[xX]0*([0-9A-Fa-f]{1,6});?|#0*([0-9]{1,7});?|(${Object.keys(LEGACY).join('|')});?|(${Object.keys(NAMED).join('|')});)`,
  'gi',
)

export function htmlEntityDecode(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(ENTITY, (whole, hex?: string, decimal?: string, legacy?: string, named?: string) => {
    if (legacy !== undefined) return LEGACY[legacy.toLowerCase()] as string
    if (named !== undefined) return NAMED[named.toLowerCase()] as string
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return point > 0x10_ff_ff ? whole : byteOrUtf8(point)
  })
}
