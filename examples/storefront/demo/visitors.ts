//! Visitors of the shop: a bounded number of connections, each asking one thing after the other. What they look at
//! follows Zipf's law, as it does in shops: product k is asked for 1/k as often as the first.
import { Pool } from 'undici'
import { ASSET_PATHS } from '../assets.ts'
import { seededRandom } from '../catalogue.ts'

export type AnsweredBy = 'edge hit' | 'elasticache' | 'database' | 'bucket' | 'not cached' | 'error'

export interface Sample {
  /** `performance.now()` when the request was sent. */
  readonly at: number
  readonly ms: number
  readonly answeredBy: AnsweredBy
  /** Products whose data the answer needed: as many queries, if there were no cache. */
  readonly products: number
}

interface Wanted {
  readonly path: string
  readonly products: number
  readonly cookie?: string
}

/** Of a hundred requests, how many want what. The API is what a page's script asks for the price of this moment. */
const MIX = { page: 55, api: 20, asset: 15, cart: 8 } as const

export interface VisitorOptions {
  /** `address:port` of the edge. */
  readonly edge: string
  /** Name of the distribution, sent as Host. */
  readonly host: string
  readonly connections: number
  readonly products: number
  readonly seed: number
}

export class Visitors {
  readonly #pool: Pool
  readonly #options: VisitorOptions
  readonly #random: () => number
  readonly #zipf: Float64Array

  constructor(options: VisitorOptions) {
    this.#options = options
    this.#pool = new Pool(`http://${options.edge}`, { connections: options.connections, pipelining: 1 })
    this.#random = seededRandom(options.seed)
    this.#zipf = zipfSums(options.products)
  }

  /** Sends requests while `goOn(sent)` says so, over all connections; resolves with all of them. */
  async visit(goOn: (sent: number) => boolean): Promise<readonly Sample[]> {
    const samples: Sample[] = []
    let sent = 0
    const visitor = async (): Promise<void> => {
      while (goOn(sent)) {
        sent++
        samples.push(await this.#ask(this.#choose()))
      }
    }
    await Promise.all(Array.from({ length: this.#options.connections }, visitor))
    return samples
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  async #ask(wanted: Wanted): Promise<Sample> {
    const at = performance.now()
    const headers = {
      host: this.#options.host,
      'user-agent': 'Mozilla/5.0 (storefront demo)',
      accept: '*/*',
      ...(wanted.cookie === undefined ? {} : { cookie: wanted.cookie }),
    }
    let answeredBy: AnsweredBy = 'error'
    try {
      const answer = await this.#pool.request({ method: 'GET', path: wanted.path, headers })
      await answer.body.arrayBuffer()
      answeredBy = answer.statusCode >= 400 ? 'error' : whoAnswered(wanted, answer.headers)
    } catch {
      // Counted as an error: the visitor got no answer.
    }
    return { at, ms: performance.now() - at, answeredBy, products: wanted.products }
  }

  #choose(): Wanted {
    const part = this.#random() * 100
    if (part < MIX.page) return { path: `/products/${this.#product()}`, products: 1 }
    if (part < MIX.page + MIX.api) return { path: `/api/products/${this.#product()}`, products: 1 }
    if (part < MIX.page + MIX.api + MIX.asset) {
      return { path: ASSET_PATHS[Math.floor(this.#random() * ASSET_PATHS.length)] ?? '', products: 0 }
    }
    if (part < MIX.page + MIX.api + MIX.asset + MIX.cart) {
      const cart = Array.from({ length: 1 + Math.floor(this.#random() * 3) }, () => this.#product())
      return { path: '/cart', products: cart.length, cookie: `cart=${cart.join('.')}` }
    }
    return { path: '/', products: 1 }
  }

  #product(): number {
    const target = this.#random() * (this.#zipf.at(-1) ?? 0)
    let [low, high] = [0, this.#zipf.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#zipf[middle] ?? 0) < target) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}

/** Running sums of 1/k, to draw k by one binary search. */
function zipfSums(count: number): Float64Array {
  const sums = new Float64Array(count)
  let sum = 0
  for (let at = 0; at < count; at++) {
    sum += 1 / (at + 1)
    sums[at] = sum
  }
  return sums
}

function whoAnswered(wanted: Wanted, headers: Record<string, string | string[] | undefined>): AnsweredBy {
  if (/hit from/i.test(String(headers['x-cache']))) return 'edge hit'
  if (wanted.path === '/cart') return 'not cached'
  if (wanted.path.startsWith('/assets/')) return 'bucket'
  return headers['x-tier'] === 'elasticache' ? 'elasticache' : 'database'
}
