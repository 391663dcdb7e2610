//! A header field as HPACK hands it on, and what a request makes of its name: found once, when the field is read or put
//! into a table, not each time that it is named.
import { isFieldValue, TOKEN } from '../../header-block.ts'

/** What a field is in a request (RFC 9113 8.2, 8.3). */
export const KIND = {
  regular: 0,
  method: 1,
  path: 2,
  scheme: 3,
  authority: 4,
  /** A pseudo-header field that no request has. */
  strange: 5,
  cookie: 6,
  host: 7,
  /** One that must not be there (8.2.2), or whose name or value is none (8.2.1). */
  malformed: 8,
} as const

const KINDS: ReadonlyMap<string, number> = new Map([
  [':method', KIND.method],
  [':path', KIND.path],
  [':scheme', KIND.scheme],
  [':authority', KIND.authority],
  ['cookie', KIND.cookie],
  ['host', KIND.host],
  ['connection', KIND.malformed],
  ['keep-alive', KIND.malformed],
  ['proxy-connection', KIND.malformed],
  ['transfer-encoding', KIND.malformed],
  ['upgrade', KIND.malformed],
  ['http2-settings', KIND.malformed],
])

export class Field {
  readonly name: string
  readonly value: string
  readonly kind: number

  /** `nameKind` as `kindOf` tells it. */
  constructor(name: string, value: string, nameKind: number) {
    this.name = name
    this.value = value
    this.kind = isValue(value) && (name !== 'te' || value === 'trailers') ? nameKind : KIND.malformed
  }

  /** Bytes that it takes in a table (RFC 7541 4.1). */
  get size(): number {
    return this.name.length + this.value.length + 32
  }
}

/** What a name tells of a field whose value is one. */
export function kindOf(name: string): number {
  const known = KINDS.get(name)
  if (known !== undefined) return known
  if (name.charCodeAt(0) === COLON) return KIND.strange
  return isLowerToken(name) ? KIND.regular : KIND.malformed
}

const COLON = 58
const SPACE = 32
const TAB = 9

function isLowerToken(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (TOKEN[code] !== 1 || (code >= 65 && code <= 90)) return false
  }
  return name !== ''
}

/** No control bytes; no blank at either end. */
function isValue(value: string): boolean {
  const first = value.charCodeAt(0)
  const last = value.charCodeAt(value.length - 1)
  if (first === SPACE || first === TAB || last === SPACE || last === TAB) return false
  return isFieldValue(value)
}
