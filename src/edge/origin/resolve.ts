//! Addresses of an origin's name, asked for anew by every connection, so that no old answer is held on to. The system's
//! resolver answers (getaddrinfo: /etc/hosts, the names of containers, search domains); it tells no time to live, and
//! does not block: it runs on two of libuv's threads at most. A name server that fails for a while is survived with the
//! last good answer; a name that is gone is gone.
import { lookup } from 'node:dns/promises'
import type { Clock } from '../../lib/clock.ts'

/** Addresses of a name; of one family, or of both with 0. Rejects as node:dns does. */
export type Lookup = (hostname: string, family: 0 | 4 | 6) => Promise<readonly string[]>

/** The system's resolver, in its order. */
export const systemLookup: Lookup = async (hostname, family) =>
  (await lookup(hostname, { all: true, family, order: 'verbatim' })).map(({ address }) => address)

/** Look-ups on their way at a time: the pool has four threads, and files and compression need some. */
const UNDER_WAY_MAX = 2
/** A good answer stands in for a resolver that gives none for so long. Milliseconds (RFC 8767 5 allows days). */
const LAST_GOOD_MS = 60 * 60 * 1_000
/** Milliseconds that a resolver has when there is a last good answer. */
const PATIENCE_MS = 1_000
/** Names remembered; over it the oldest are forgotten. */
const REMEMBERED_MAX = 10_000

/** The resolver has no answer now; that it is none (ENOTFOUND, ENODATA) is an answer. */
const TEMPORARY: ReadonlySet<string> = new Set(['EAI_AGAIN', 'ESERVFAIL', 'ETIMEOUT', 'ECONNREFUSED', 'EREFUSED'])

interface Good {
  readonly addresses: readonly string[]
  /** Clock.monotonic() */
  readonly at: number
}

export class OriginNames {
  readonly #lookup: Lookup
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #underWay = new Map<string, Promise<readonly string[]>>()
  readonly #good = new Map<string, Good>()
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(lookup: Lookup, clock: Pick<Clock, 'monotonic'>) {
    this.#lookup = lookup
    this.#clock = clock
  }

  /** Addresses of a host name; at least one. @throws as node:dns does. */
  addresses(hostname: string, family: 0 | 4 | 6): Promise<readonly string[]> {
    const key = `${family} ${hostname}`
    let asked = this.#underWay.get(key)
    if (asked === undefined) {
      asked = this.#ask(key, hostname, family).finally(() => this.#underWay.delete(key))
      // Who stopped waiting for it does not hear of its end.
      asked.catch(() => {})
      this.#underWay.set(key, asked)
    }
    const good = this.#lastGood(key)
    return good === null ? asked : withinPatience(asked, good)
  }

  async #ask(key: string, hostname: string, family: 0 | 4 | 6): Promise<readonly string[]> {
    if (this.#running >= UNDER_WAY_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running++
    try {
      const addresses = await this.#lookup(hostname, family)
      if (addresses.length === 0) throw Object.assign(new Error(`${hostname} has no address`), { code: 'ENODATA' })
      this.#remember(key, addresses)
      return addresses
    } catch (error) {
      const good = this.#lastGood(key)
      if (good !== null && TEMPORARY.has((error as { code?: string }).code ?? '')) return good
      this.#good.delete(key)
      throw error
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }

  #lastGood(key: string): readonly string[] | null {
    const good = this.#good.get(key)
    return good !== undefined && this.#clock.monotonic() - good.at < LAST_GOOD_MS ? good.addresses : null
  }

  #remember(key: string, addresses: readonly string[]): void {
    this.#good.delete(key)
    this.#good.set(key, { addresses, at: this.#clock.monotonic() })
    if (this.#good.size <= REMEMBERED_MAX) return
    const oldest = this.#good.keys().next()
    if (!oldest.done) this.#good.delete(oldest.value)
  }
}

function withinPatience(asked: Promise<readonly string[]>, good: readonly string[]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PATIENCE_MS, good)
    asked.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Which addresses an origin's IpAddressType allows (spec/cloudfront.md 2.2, 13.6). */
export type IpAddressType = 'ipv4' | 'ipv6' | 'dualstack'

/**
 * Family to ask for. `localhost`, which AWS does not know, has both whatever the type says: who develops on a laptop does
 * not know on which of the two a server listens.
 */
export function familyOf(hostname: string, type: IpAddressType): 0 | 4 | 6 {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return 0
  return type === 'ipv6' ? 6 : type === 'dualstack' ? 0 : 4
}

/**
 * The order in which addresses are tried by connection number `turn`: each begins with the next one, families in turn, so
 * that connections spread over all of them (CloudFront spreads evenly over both families).
 */
export function inTurn(addresses: readonly string[], turn: number): readonly string[] {
  if (addresses.length < 2) return addresses
  const six = addresses.filter((address) => address.includes(':'))
  const four = addresses.filter((address) => !address.includes(':'))
  const mixed: string[] = []
  for (let at = 0; at < Math.max(six.length, four.length); at++) {
    for (const list of [six, four]) if (at < list.length) mixed.push(list[at] as string)
  }
  const first = turn % mixed.length
  return [...mixed.slice(first), ...mixed.slice(0, first)]
}
