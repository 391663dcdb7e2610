//! The tokens that a request brings, verified once for a header block, and once for a token that several connections bring.
import type { KeysOfPeriod } from '../../../lib/period-keys.ts'
import type { HeaderBlock } from '../../listen/viewer.ts'
import { readToken, TOKEN_COOKIE, type Token } from './token.ts'

/** Tokens that are remembered: about 300 bytes each. */
const REMEMBERED_MAX = 4_096
/** A browser may have one for the host and one for each domain above it; a request with more is not from one. */
const OF_A_REQUEST_MAX = 4

interface OfBlock {
  readonly keys: KeysOfPeriod
  readonly tokens: readonly (Token | null)[]
}

export class TokenReader {
  readonly #keys: () => KeysOfPeriod
  readonly #remembered = new Map<string, Token | null>()
  /** The keys that they were verified with. */
  #of: KeysOfPeriod | null = null

  constructor(keys: () => KeysOfPeriod) {
    this.#keys = keys
  }

  /** Null stands for one that is not ours. */
  tokensOf(headers: Pick<HeaderBlock, 'getAll' | 'derived'>): readonly (Token | null)[] {
    const keys = this.#keys()
    const known = headers.derived.get(this) as OfBlock | undefined
    if (known?.keys === keys) return known.tokens
    const tokens = cookiesOf(headers).map((text) => this.#read(text, keys))
    headers.derived.set(this, { keys, tokens } satisfies OfBlock)
    return tokens
  }

  #read(text: string, keys: KeysOfPeriod): Token | null {
    if (this.#of !== keys) {
      this.#of = keys
      this.#remembered.clear()
    }
    const known = this.#remembered.get(text)
    if (known !== undefined) return known
    const token = readToken(text, keys)
    // What is not ours is not worth the memory: anybody can make up more of it.
    if (token === null) return null
    if (this.#remembered.size >= REMEMBERED_MAX)
      for (const first of this.#remembered.keys()) if (this.#remembered.delete(first)) break
    this.#remembered.set(text, token)
    return token
  }
}

function cookiesOf(headers: Pick<HeaderBlock, 'getAll'>): readonly string[] {
  const found: string[] = []
  for (const line of headers.getAll('cookie')) {
    if (!line.includes(TOKEN_COOKIE)) continue
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=')
      if (equals < 0 || pair.slice(0, equals).trim() !== TOKEN_COOKIE) continue
      found.push(pair.slice(equals + 1).trim())
      if (found.length === OF_A_REQUEST_MAX) return found
    }
  }
  return found
}
