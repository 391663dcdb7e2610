//! Viewers of a distribution in strict mode: each page has a variant for each language, and POST changes all of them. Once
//! a POST is answered no GET that begins may get anything older, in any language, at any worker.
import type { Agent } from 'node:http'
import type { CloudFront } from '@aws-sdk/client-cloudfront'
import { startOrigin, type TestOrigin } from '../support/edge-origin.ts'
import { oneOrigin } from '../support/one-origin.ts'
import { ask, Pages, pageBody, versionIn } from './cache-lookers.ts'
import type { Findings } from './findings.ts'
import type { Random } from './random.ts'

const PAGES = 24
const BYTES = 40_000
const LANGUAGES = ['de', 'en', 'fr', 'sv'] as const
const ALL_VIEWER = '216adef6-5c7f-47e4-b989-5492eafa07d3'
const SEVEN = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE']

export class StrictPages {
  readonly #pages: Pages
  readonly #origin: TestOrigin
  readonly #host: string

  private constructor(pages: Pages, origin: TestOrigin, host: string) {
    this.#pages = pages
    this.#origin = origin
    this.#host = host
  }

  static async open(client: CloudFront): Promise<StrictPages> {
    const pages = new Pages(PAGES)
    const origin = await startOrigin(({ url, method, headers }, response) => {
      origin.asked.length = 0
      const page = Number(url.slice(2))
      if (method === 'POST') return void response.writeHead(200, { 'x-version': pages.change(page) }).end()
      const language = String(headers['accept-language'])
      const version = pages.versions[page] ?? -1
      const etag = `"${version}-${language}"`
      response.setHeader('cache-control', 'max-age=86400').setHeader('vary', 'Accept-Language').setHeader('etag', etag)
      if (headers['if-none-match'] === etag) return void response.writeHead(304).end()
      const body = pageBody(`strict-${language}`, url, version, BYTES)
      response.writeHead(200, { 'content-length': body.length }).end(body)
    })
    const base = oneOrigin('strict-pages', origin.port)
    const AllowedMethods = { Quantity: 7, Items: SEVEN, CachedMethods: { Quantity: 2, Items: ['GET', 'HEAD'] } }
    const behavior = { ...base.DefaultCacheBehavior, OriginRequestPolicyId: ALL_VIEWER, AllowedMethods }
    const { Distribution } = await client.createDistributionWithTags({
      DistributionConfigWithTags: {
        DistributionConfig: { ...base, DefaultCacheBehavior: behavior } as never,
        Tags: { Items: [{ Key: 'cachefront:rfc-strict', Value: 'true' }] },
      },
    })
    return new StrictPages(pages, origin, Distribution!.DomainName!)
  }

  async look(edge: string, agent: Agent, findings: Findings, random: Random): Promise<void> {
    const page = random.whole(PAGES)
    const path = `/p${page}`
    if (random.whole(12) === 0) return this.#post(edge, page, path, agent, findings)
    const language = random.pick(LANGUAGES)
    const floor = this.#pages.floors[page]!
    const got = await ask(edge, this.#host, path, agent, findings, { headers: { 'accept-language': language } })
    if (got === null || got.status >= 500) return
    if (got.status !== 200) return findings.violation(`strict${path}: expected 200, seen ${got.status}`)
    findings.count(`strict pages: ${got.headers['x-cache']}`)
    const version = versionIn(got.body, `strict-${language}`, path, BYTES, findings)
    if (version !== null && version < floor) {
      findings.violation(
        `strict${path} in ${language}: expected version ${floor} or newer after its POST, seen ${version}, ${got.headers['x-cache']}, age ${got.headers.age}`,
      )
    }
  }

  async #post(edge: string, page: number, path: string, agent: Agent, findings: Findings): Promise<void> {
    const got = await ask(edge, this.#host, path, agent, findings, { method: 'POST' })
    if (got?.status !== 200) return
    findings.count('strict pages: POST')
    this.#pages.raise(page, Number(got.headers['x-version']))
  }

  close(): Promise<void> {
    return this.#origin.close()
  }
}
