//! How many requests an address may make: a bucket for each IPv4 address and each /64 of IPv6, and one for the /48 that
//! such networks lie in, which a single site has (RFC 6177 2). Requests of HTTP/1.1 and streams of HTTP/2 count alike.
//! Who goes over it is told so (429); who goes on all the same is not even answered any more.
import { addressBytes } from '../../lib/ip.ts'
import { TokenBucket } from '../../lib/token-bucket.ts'
import { sourceKey } from '../listen/admission.ts'
import { type RequestBudget, type RequestVerdict, UNLIMITED } from '../listen/viewer.ts'

/** Of one address and one worker. */
export interface RequestLimits {
  /** Requests a second on the long run; 0 for no limit. */
  readonly perSecond: number
  /** Requests at once. */
  readonly burst: number
}

/** Addresses that are remembered, and sites; over it the one that came longest ago is forgotten. */
const SOURCES_MAX = 65_536
/** The /64 networks of one /48 that have a bucket of their own; the others share that of the /48. */
const SITE_SOURCES_MAX = 256
/** A site may have as much as so many of its networks. */
const SITE_FACTOR = 16
/** Refusals that are answered with a page, at once and a second. */
const PAGES = { burst: 100, perSecond: 20 } as const
/** Networks that are looked at for some that need not be remembered, when a new one comes. */
const LOOKED_AT = 2

class Budget implements RequestBudget {
  readonly #requests: TokenBucket
  readonly #pages: TokenBucket
  readonly site: Site | null

  constructor(limits: RequestLimits, now: number, site: Site | null) {
    this.#requests = new TokenBucket(limits.burst, limits.perSecond, now)
    this.#pages = new TokenBucket(PAGES.burst, PAGES.perSecond, now)
    this.site = site
  }

  take(now: number): RequestVerdict {
    // The site first: what it lacks must not use up what its network has.
    if (this.site === null || this.site.budget.#requests.has(now)) {
      if (this.#requests.take(now)) {
        if (this.site !== null) this.site.budget.#requests.take(now)
        return 'within'
      }
    }
    return this.#pages.take(now) ? 'over' : 'far-over'
  }

  /** It has been told often enough, and has nothing left: not even its connections are worth taking. */
  isShut(now: number): boolean {
    const has = this.#requests.has(now) && (this.site === null || this.site.budget.#requests.has(now))
    return !has && !this.#pages.has(now)
  }

  isFresh(now: number): boolean {
    return this.#requests.isFull(now) && this.#pages.isFull(now)
  }
}

interface Site {
  readonly budget: Budget
  /** Networks of it that are remembered. */
  networks: number
}

export class RequestBudgets {
  readonly #limits: RequestLimits
  readonly #isExempt: (address: string) => boolean
  /** The one that came longest ago first. */
  readonly #sources = new Map<string, Budget>()
  readonly #sites = new Map<string, Site>()
  readonly #sourcesMax: number

  constructor(limits: RequestLimits, isExempt: (address: string) => boolean, sourcesMax = SOURCES_MAX) {
    this.#limits = limits
    this.#isExempt = isExempt
    this.#sourcesMax = sourcesMax
  }

  /** The budget of an address; a connection may keep it. */
  of(address: string, now: number): RequestBudget {
    if (this.#limits.perSecond === 0 || this.#isExempt(address)) return UNLIMITED
    const key = sourceKey(address)
    const known = this.#sources.get(key)
    if (known !== undefined) {
      this.#sources.delete(key)
      this.#sources.set(key, known)
      return known
    }
    const site = key.endsWith('::/64') ? this.#siteOf(address, now) : null
    if (site !== null && site.networks >= SITE_SOURCES_MAX) return site.budget
    this.#makeRoom(now)
    const budget = new Budget(this.#limits, now, site)
    if (site !== null) site.networks++
    this.#sources.set(key, budget)
    return budget
  }

  /** True for an address whose connections are not worth taking. */
  isShut(address: string, now: number): boolean {
    if (this.#limits.perSecond === 0 || this.#sources.size === 0 || this.#isExempt(address)) return false
    const key = sourceKey(address)
    const known = this.#sources.get(key) ?? this.#sites.get(siteKey(address))?.budget
    return known?.isShut(now) ?? false
  }

  get size(): number {
    return this.#sources.size + this.#sites.size
  }

  #siteOf(address: string, now: number): Site {
    const key = siteKey(address)
    let site = this.#sites.get(key)
    if (site === undefined) {
      const { perSecond, burst } = this.#limits
      const limits = { perSecond: perSecond * SITE_FACTOR, burst: burst * SITE_FACTOR }
      this.#makeRoomForSite(now)
      site = { budget: new Budget(limits, now, null), networks: 0 }
      this.#sites.set(key, site)
    }
    return site
  }

  /** Those that are as good as new go in any case, a few at a time; over the bound the oldest goes as it is. */
  #makeRoom(now: number): void {
    let looked = 0
    for (const [key, budget] of this.#sources) {
      const isOver = this.#sources.size >= this.#sourcesMax
      if (!isOver && (looked++ === LOOKED_AT || !budget.isFresh(now))) return
      this.#sources.delete(key)
      if (budget.site !== null) budget.site.networks--
    }
  }

  #makeRoomForSite(now: number): void {
    let looked = 0
    for (const [key, { budget, networks }] of this.#sites) {
      const isOver = this.#sites.size >= this.#sourcesMax
      if (!isOver && (looked++ === LOOKED_AT || networks > 0 || !budget.isFresh(now))) return
      this.#sites.delete(key)
    }
  }
}

/** `20010db80000::/48` */
function siteKey(address: string): string {
  const bytes = addressBytes(address)
  return bytes === null ? address : `${Buffer.from(bytes.subarray(0, 6)).toString('hex')}::/48`
}
