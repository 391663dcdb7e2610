//! All of a request that a rule may look at, derived when the first rule asks; what no rule looks at costs nothing.
import type { ViewerLocation } from '../../domain/viewer.ts'
import type { Clock } from '../../lib/clock.ts'
import type { GeoLookup } from '../geo/geo.ts'
import type { HeaderBlock, ViewerRequest } from '../listen/viewer.ts'
import type { Judgement } from './challenge/token.ts'
import type { RateRule } from './peer-question.ts'

/** What a field of a request has, one character a byte; a boolean where the field's own settings decide. */
export type Reading = readonly string[] | boolean

/** The beginning of a body, as far as the web ACL inspects it. */
export interface InspectedBody {
  /** One character a byte: as it came, then what its Content-Encoding unpacks to, where it has one. */
  readonly texts: readonly string[]
  /** There is more of it than was looked at, or something that could not be unpacked. */
  readonly oversize: boolean
  /** As declared, or as they came; of a chunked body that is not over yet, those so far. */
  readonly bytes: number
}

export const NO_BODY: InspectedBody = { texts: [], oversize: false, bytes: 0 }

/** Counts requests of rate-based rules. */
export interface RateLimiter {
  /** True when the key has had more requests than the rule allows, this one included. */
  hit(rule: RateRule, key: string): boolean
}

/** A rate-based rule that matched, as logs tell it. */
export interface RateAct {
  /** Name of the rule. */
  readonly rule: string
  readonly limitKey: 'IP' | 'FORWARDEDIP' | 'CONSTANT' | 'CUSTOMKEYS'
  readonly limit: number
  readonly windowSeconds: number
  readonly values: readonly { readonly key: string; readonly name?: string; readonly value: string }[]
}

/** What is asked of the edge about a request. */
export interface Surroundings {
  readonly waf: { readonly rates: RateLimiter }
  readonly geo: Pick<GeoLookup, 'find' | 'placesAddresses' | 'knowsSystems'>
  readonly clock: Pick<Clock, 'now'>
}

/** Results of the statements of one plan that look at headers alone, kept with the header block: 0 unknown, 1 no, 2 yes. */
export interface HeaderSlots {
  readonly count: number
}

/** What of a request rules are given: as the viewer sent it. */
export type InspectedRequest = Pick<ViewerRequest, 'method' | 'path' | 'query' | 'httpVersion' | 'headers'>

export class Inspected {
  readonly method: string
  /** As sent: neither decoded nor normalized; without the query. */
  readonly path: string
  /** Behind the first `?`; empty for none. */
  readonly query: string
  readonly httpVersion: string
  readonly headers: HeaderBlock
  /** The viewer's, behind the proxies that are trusted. */
  readonly address: string
  readonly requestId: string
  /** Null until it has been read: rules that look at it wait for that (evaluate.ts). */
  body: InspectedBody | null
  /** Fully qualified names, in the order that rules added them. */
  readonly labels: string[] = []
  /** Those, or what they begin with, of which nobody knows: what would have added them could not be evaluated. */
  readonly doubtful: string[] = []
  /** Rate-based rules that it was over the limit of. */
  readonly rates: RateAct[] = []
  /** What was said of its token, by the last rule that asked for one; null when none did. */
  captcha: Judgement | null = null
  challenge: Judgement | null = null
  /** What readers have found, by their slot. */
  readonly readings: Reading[] = []
  readonly #around: Surroundings
  #results: Uint8Array | null = null
  #now = 0

  constructor(
    request: InspectedRequest,
    address: string,
    requestId: string,
    around: Surroundings,
    body: InspectedBody | null,
  ) {
    this.method = request.method
    this.path = request.path
    this.query = request.query ?? ''
    this.httpVersion = request.httpVersion
    this.headers = request.headers
    this.address = address
    this.requestId = requestId
    this.body = body
    this.#around = around
  }

  /** Milliseconds since the epoch by the movable clock; the same for all rules. */
  get now(): number {
    if (this.#now === 0) this.#now = this.#around.clock.now()
    return this.#now
  }

  /**
   * Of the viewer, or of an address that the request names.
   * @throws Error without a GeoIP database: then nobody's country is known
   */
  locationOf(address: string): ViewerLocation {
    const { geo } = this.#around
    const location = geo.find(address)
    if (!geo.placesAddresses) throw new Error('no GeoIP database is installed')
    return location
  }

  /**
   * Number of the autonomous system of such an address; 0 for none that is known.
   * @throws Error without a database of them
   */
  systemOf(address: string): number {
    const { geo } = this.#around
    const { asn } = geo.find(address)
    if (!geo.knowsSystems) throw new Error('no database of autonomous systems can be read')
    return Number(asn)
  }

  /** Counts it; true when its key is over the limit. */
  countRate(rule: RateRule, key: string): boolean {
    return this.#around.waf.rates.hit(rule, key)
  }

  /** A label is there once. */
  addLabel(label: string): void {
    if (!this.labels.includes(label)) this.labels.push(label)
  }

  /** See HeaderSlots. */
  headerResults(slots: HeaderSlots): Uint8Array {
    if (this.#results !== null) return this.#results
    const { derived } = this.headers
    let results = derived.get(slots) as Uint8Array | undefined
    if (results === undefined) {
      results = new Uint8Array(slots.count)
      derived.set(slots, results)
    }
    this.#results = results
    return results
  }
}
