//! From the decoded fields of a header block to a request (RFC 9113 8.1-8.3), and the memory of the blocks before: a viewer
//! that sends the same fields again gets the same parsed headers, and what was derived from them.
import { headersOf, type Malformed, type ParsedHeaders } from '../header-block.ts'
import type { ListenLimits } from '../limits.ts'
import type { RefusedLine } from '../refusal.ts'
import { KNOWN_METHODS, readTarget, type Target } from '../request-line.ts'
import type { DecodedBlock } from './head-blocks.ts'
import { type Field, KIND } from './hpack/field.ts'

/** Header blocks that a connection remembers: a browser's documents, styles, scripts and images differ in theirs. */
const REMEMBERED = 4

interface Remembered {
  /** All fields but those of the request line, in their order. */
  readonly fields: readonly Field[]
  readonly headers: ParsedHeaders
}

/** `malformed`: the stream is reset (8.1.1); a cause of HTTP/1.1's: answered as there. */
export type HeadOutcome = 'whole' | 'malformed' | Malformed

export class RequestHeads {
  /** Of the last head that was whole. */
  method = ''
  target: Target = { path: '', query: null, authority: null }
  headers: ParsedHeaders | null = null
  /** Of the last head: its request line, when that is all that is right with it. */
  refusedLine: RefusedLine | null = null
  readonly #limits: ListenLimits
  readonly #remembered: Remembered[] = []
  readonly #regular: Field[] = []
  #lastVersion = -1
  #lastOutcome: HeadOutcome = 'malformed'
  #lastPath = ''
  #lastTarget: Target | null = null

  constructor(limits: ListenLimits) {
    this.#limits = limits
  }

  read(block: DecodedBlock): HeadOutcome {
    if (block.version !== this.#lastVersion) {
      this.#lastVersion = block.version
      this.#lastOutcome = this.#read(block.fields, block.overBounds)
    }
    return this.#lastOutcome
  }

  #read(fields: readonly Field[], overBounds: boolean): HeadOutcome {
    const regular = this.#regular
    regular.length = 0
    this.refusedLine = null
    let method: string | null = null
    let path: string | null = null
    let scheme: string | null = null
    let authority: Field | null = null
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!
      switch (field.kind) {
        case KIND.regular:
        case KIND.cookie:
        case KIND.host:
          regular.push(field)
          continue
        case KIND.method:
          if (method !== null) return 'malformed'
          method = field.value
          break
        case KIND.path:
          if (path !== null) return 'malformed'
          path = field.value
          break
        case KIND.scheme:
          if (scheme !== null) return 'malformed'
          scheme = field.value
          break
        case KIND.authority:
          if (authority !== null) return 'malformed'
          authority = field
          break
        default:
          return 'malformed'
      }
      // Pseudo-header fields come before all others (8.3).
      if (regular.length > (authority === null || field === authority ? 0 : 1)) return 'malformed'
      // It leads the list of what headers are made from.
      if (field === authority) regular.push(field)
    }
    if (method === null) return overBounds ? 'head-too-large' : 'malformed'
    if (method === 'CONNECT' && path === null && scheme === null && !overBounds) return 'bad-method'
    if (path === null || scheme === null) return overBounds ? 'head-too-large' : 'malformed'
    if (path === '') return 'malformed'
    return this.#assemble(method, path, scheme, overBounds)
  }

  #assemble(method: string, path: string, scheme: string, overBounds: boolean): HeadOutcome {
    if (method !== 'GET' && !KNOWN_METHODS.has(method)) return 'bad-method'
    if (scheme !== 'https' && scheme !== 'http') return 'bad-target'
    let target = this.#lastTarget
    if (target === null || path !== this.#lastPath) {
      const read = path.charCodeAt(0) === SLASH ? readTarget(path, this.#limits.urlBytes) : 'bad-target'
      if (typeof read === 'string') return read
      target = read
      this.#lastPath = path
      this.#lastTarget = read
    }
    if (overBounds) return 'head-too-large'
    const headers = this.#find() ?? this.#make()
    if (typeof headers === 'string') {
      this.refusedLine = { method, path: target.path, query: target.query }
      return headers
    }
    if (headers.bytes + method.length + path.length + LINE_BYTES > this.#limits.headBytes) return 'head-too-large'
    this.method = method
    this.target = target
    this.headers = headers
    return 'whole'
  }

  #find(): ParsedHeaders | null {
    const remembered = this.#remembered
    for (let at = 0; at < remembered.length; at++) {
      const one = remembered[at]!
      if (!isSame(one.fields, this.#regular)) continue
      if (at > 0) {
        remembered[at] = remembered[0]!
        remembered[0] = one
      }
      return one.headers
    }
    return null
  }

  #make(): ParsedHeaders | 'malformed' | Malformed {
    const fields = this.#regular.slice()
    const authority = fields[0]?.kind === KIND.authority ? fields[0].value : null
    const raw: string[] = authority === null ? [] : ['host', authority]
    let bytes = authority === null ? 0 : authority.length + 'host'.length + 4
    let cookieAt = -1
    for (let at = authority === null ? 0 : 1; at < fields.length; at++) {
      const { name, value, kind } = fields[at]!
      if (kind === KIND.host && authority !== null) {
        // What one of us takes for the host, another must not take for something else (8.3.1).
        if (value.toLowerCase() !== authority.toLowerCase()) return 'bad-host'
      } else if (kind === KIND.cookie && cookieAt >= 0) {
        raw[cookieAt] += `; ${value}`
        bytes += value.length + 2
      } else {
        if (kind === KIND.cookie) cookieAt = raw.length + 1
        raw.push(name, value)
        bytes += name.length + value.length + 4
      }
    }
    const headers = headersOf(raw, bytes)
    if (typeof headers === 'string') return headers
    if (!headers.facts.hasHost) return 'bad-host'
    if (bytes <= this.#limits.rememberedBytes) {
      if (this.#remembered.unshift({ fields, headers }) > REMEMBERED) this.#remembered.pop()
    }
    return headers
  }
}

const SLASH = 47
/** Two spaces, the version and two line ends, as HTTP/1.1 counts a head. */
const LINE_BYTES = 2 + 'HTTP/1.1'.length + 4

function isSame(before: readonly Field[], now: readonly Field[]): boolean {
  if (before.length !== now.length) return false
  for (let at = 0; at < now.length; at++) {
    const [a, b] = [before[at]!, now[at]!]
    // One out of a table is the same object.
    if (a !== b && (a.name !== b.name || a.value !== b.value)) return false
  }
  return true
}

/** Name, value ... of a trailer section (8.1); null when it is malformed or over `bytes`. */
export function trailersOf(fields: readonly Field[], bytes: number): string[] | null {
  const raw: string[] = []
  let length = 0
  for (const { name, value, kind } of fields) {
    if (kind !== KIND.regular && kind !== KIND.cookie && kind !== KIND.host) return null
    length += name.length + value.length + 4
    raw.push(name, value)
  }
  return length > bytes ? null : raw
}
