//! Viewers of a distribution whose pages go by tags, softly, and by time (stale-while-revalidate), larger together than
//! the memory of the cache, so that they fall to disk and come back.
import type { Agent } from 'node:http'
import type { CloudFront } from '@aws-sdk/client-cloudfront'
import { startOrigin, type TestOrigin } from '../support/edge-origin.ts'
import { oneOrigin } from '../support/one-origin.ts'
import { ask, Pages, pageBody, versionIn } from './cache-lookers.ts'
import type { Findings } from './findings.ts'
import type { Random } from './random.ts'
import { completed } from './viewers.ts'

const PAGES = 96
const BYTES = 120_000
/** Pages with a number that is a multiple of this live by time alone. */
const TIMED_EACH = 8
const MAX_AGE_S = 1
const SWR_S = 3
/** From what the origin has to what the cache begins to count from, on a busy machine. Milliseconds. */
const SLACK_MS = 2_000
const TAGS = 6
/** A page that was invalidated softly is there in its new version after so many requests, one behind the other. */
const LOOKS_MAX = 400

export class CachedPages {
  readonly #pages: Pages
  readonly #origin: TestOrigin
  readonly id: string
  readonly #host: string
  /** What a soft invalidation has asked for: the newest version of each page that must come in time. */
  readonly #soft = new Map<number, number>()

  private constructor(pages: Pages, origin: TestOrigin, id: string, host: string) {
    this.#pages = pages
    this.#origin = origin
    this.id = id
    this.#host = host
  }

  static async open(client: CloudFront): Promise<CachedPages> {
    const pages = new Pages(PAGES)
    const origin = await startOrigin(({ url }, response) => {
      origin.asked.length = 0
      const page = Number(url.slice(2))
      const version = pages.versions[page] ?? -1
      const life = isTimed(page) ? `max-age=${MAX_AGE_S}, stale-while-revalidate=${SWR_S}` : 'max-age=86400'
      const body = pageBody('pages', url, version, BYTES)
      response.setHeader('etag', `"${version}"`).setHeader('x-tags', `all, g${page % TAGS}`)
      response.writeHead(200, { 'cache-control': life, 'content-length': body.length }).end(body)
    })
    const DistributionConfig = { ...oneOrigin('cached-pages', origin.port), ...TAGGED }
    const { Distribution } = await client.createDistribution({ DistributionConfig: DistributionConfig as never })
    return new CachedPages(pages, origin, Distribution!.Id!, Distribution!.DomainName!)
  }

  async look(edge: string, agent: Agent, findings: Findings, random: Random): Promise<void> {
    // Most look at some, all are looked at.
    const page = random.whole(2) === 0 ? random.whole(PAGES / 4) : random.whole(PAGES)
    await this.#look(edge, page, agent, findings)
  }

  async #look(edge: string, page: number, agent: Agent, findings: Findings): Promise<number | null> {
    const floor = this.#pages.floors[page]!
    const since = performance.now()
    const path = `/p${page}`
    const got = await ask(edge, this.#host, path, agent, findings)
    if (got === null || got.status >= 500) return null
    if (got.status !== 200) {
      findings.violation(`pages${path}: expected 200, seen ${got.status}`)
      return null
    }
    findings.count(`cached pages: ${got.headers['x-cache']}`)
    const version = versionIn(got.body, 'pages', path, BYTES, findings)
    if (version === null) return null
    if (isTimed(page)) {
      const gone = this.#pages.replacedAt(page, version)
      const allowed = since - (MAX_AGE_S + SWR_S) * 1000 - SLACK_MS
      if (gone < allowed) {
        findings.violation(
          `pages${path}: version ${version} was replaced ${Math.round(since - gone)} ms before it was asked for; age ${got.headers.age}, ${got.headers['x-cache']}`,
        )
      }
    } else if (version < floor) {
      findings.violation(`pages${path}: expected version ${floor} or newer, seen ${version}, ${got.headers['x-cache']}`)
    }
    return version
  }

  /** One change, and what makes the edge hear of it. */
  async change(client: CloudFront, api: string, random: Random, note: (id: string) => void): Promise<void> {
    const page = random.whole(PAGES)
    if (isTimed(page)) {
      this.#pages.change(page)
      return
    }
    const kind = random.whole(3)
    if (kind === 0) return this.#soften(api, page)
    const tag = page % TAGS
    const changed = kind === 1 ? [page] : Array.from({ length: PAGES }, (_, at) => at).filter((at) => at % TAGS === tag)
    const versions = changed.map((at) => [at, this.#pages.change(at)] as const)
    const Items = kind === 1 ? [`/p${page}`] : [`#G${tag}`]
    await completed(client, this.id, `pages-${page}-${this.#pages.versions[page]}`, Items, note)
    for (const [at, version] of versions) if (!isTimed(at)) this.#pages.raise(at, version)
  }

  async #soften(api: string, page: number): Promise<void> {
    const version = this.#pages.change(page)
    const body = JSON.stringify({ distribution: this.id, items: [`/p${page}`], soft: true })
    const made = await fetch(`${api}/_cachefront/invalidations`, { method: 'POST', body })
    await made.arrayBuffer()
    if (made.status === 201) this.#soft.set(page, Math.max(version, this.#soft.get(page) ?? 0))
  }

  /** What was invalidated softly has come anew. */
  async check(edge: string, agent: Agent, findings: Findings): Promise<void> {
    for (const [page, version] of this.#soft) {
      let seen: number | null = null
      for (let looks = 0; looks < LOOKS_MAX && (seen ?? -1) < version; looks++) {
        seen = await this.#look(edge, page, agent, findings)
        if ((seen ?? -1) < version) await new Promise((resolve) => setTimeout(resolve, 50))
      }
      if ((seen ?? -1) < version) {
        findings.violation(
          `pages/p${page}: expected version ${version} after a soft invalidation, seen ${seen} to the end`,
        )
      }
    }
    this.#soft.clear()
  }

  close(): Promise<void> {
    return this.#origin.close()
  }
}

const TAGGED = { CacheTagConfig: { HeaderName: 'X-Tags' } }

const isTimed = (page: number): boolean => page % TIMED_EACH === 0
