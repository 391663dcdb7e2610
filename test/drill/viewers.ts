//! Viewers at the edge while parts die: two distributions with an origin each, whose pages carry a version. Every answer
//! must be of the right distribution, whole or visibly cut, and never older than the last Completed invalidation.
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CloudFront } from '@aws-sdk/client-cloudfront'
import { startOrigin, type TestOrigin } from '../support/edge-origin.ts'
import { oneOrigin } from '../support/one-origin.ts'
import type { Findings } from './findings.ts'
import type { Random } from './random.ts'

const PATHS = 24
/** Bytes of filling in a page, so that a cut is possible in its middle. */
const FILLING = 20_000
const ANSWER_MS = 15_000
const END = '|end'

/** Invalidates and resolves once that is Completed. `note` hears the invalidation's id. */
export async function completed(
  client: CloudFront,
  DistributionId: string,
  CallerReference: string,
  Items: string[],
  note: (id: string) => void,
): Promise<void> {
  const InvalidationBatch = { CallerReference, Paths: { Quantity: Items.length, Items } }
  const made = await client.createInvalidation({ DistributionId, InvalidationBatch })
  const Id = made.Invalidation!.Id!
  note(Id)
  for (;;) {
    const { Invalidation } = await client.getInvalidation({ DistributionId, Id })
    if (Invalidation!.Status === 'Completed') return
    await sleep(20)
  }
}

export class Site {
  readonly name: string
  readonly #origin: TestOrigin
  readonly #versions: number[]
  /** Oldest version of each page that a viewer may still see. */
  readonly #floors: number[] = Array(PATHS).fill(0)
  readonly id: string
  readonly arn: string
  readonly host: string

  private constructor(name: string, origin: TestOrigin, versions: number[], id: string, arn: string, host: string) {
    this.name = name
    this.#origin = origin
    this.#versions = versions
    this.id = id
    this.arn = arn
    this.host = host
  }

  static async open(name: string, client: CloudFront): Promise<Site> {
    const versions: number[] = Array(PATHS).fill(0)
    const origin = await startOrigin(({ url }, response) => {
      origin.asked.length = 0
      const version = versions[Number(url.slice(2))] ?? -1
      const body = `${name}|${url}|${version}|${'x'.repeat(FILLING)}${END}`
      response.writeHead(200, { 'cache-control': 'max-age=86400', 'content-length': body.length }).end(body)
    })
    const { Distribution } = await client.createDistribution({
      DistributionConfig: oneOrigin(`site-${name}`, origin.port),
    })
    const { Id, ARN, DomainName } = Distribution!
    return new Site(name, origin, versions, Id!, ARN!, DomainName!)
  }

  /** One request; what it finds wrong goes into `findings`. */
  async look(edge: string, page: number, agent: Agent, findings: Findings): Promise<void> {
    const floor = this.#floors[page]!
    const path = `/p${page}`
    const seen = await get(edge, this.host, path, agent)
    if (seen.kind === 'cut') return findings.count(`viewer: ${seen.why}`)
    if (seen.status >= 500) return findings.count(`viewer: ${seen.status} ${seen.reason}`)
    const asked = `viewer of ${this.name}${path}`
    if (seen.status !== 200) {
      return findings.violation(`${asked}: expected 200, seen ${seen.status} ${seen.body.slice(0, 120)}`)
    }
    findings.count('viewer: 200')
    const [name, url, version] = seen.body.split('|')
    if (name !== this.name || url !== path) {
      findings.violation(`${asked}: expected its own page, seen that of ${name}${url}`)
    } else if (!seen.body.endsWith(END)) {
      findings.violation(`${asked}: a body of ${seen.body.length} bytes was ended as whole`)
    } else if (Number(version) < floor) {
      findings.violation(
        `${asked}: expected version ${floor} or newer after its invalidation Completed, seen ${version}`,
      )
    }
  }

  /** Changes a page, invalidates it, and once that is Completed no viewer may see the old one. */
  async invalidate(client: CloudFront, random: Random, note: (id: string) => void): Promise<void> {
    const page = random.whole(PATHS)
    const version = ++this.#versions[page]!
    const Items = [random.whole(4) === 0 ? `/p${page}*` : `/p${page}`]
    const CallerReference = `${this.name}-${page}-${version}`
    await completed(client, this.id, CallerReference, Items, note)
    this.#floors[page] = Math.max(version, this.#floors[page]!)
  }

  close(): Promise<void> {
    return this.#origin.close()
  }

  static page = (random: Random): number => random.whole(PATHS)
}

type Seen =
  | { readonly kind: 'answer'; readonly status: number; readonly reason: string; readonly body: string }
  | { readonly kind: 'cut'; readonly why: string }

function get(edge: string, host: string, path: string, agent: Agent): Promise<Seen> {
  const [address, port] = edge.split(':')
  return new Promise((resolve) => {
    const cut = (why: string): void => resolve({ kind: 'cut', why })
    const asked = request({ host: address, port, path, agent, headers: { host }, timeout: ANSWER_MS }, (answer) => {
      let body = ''
      answer.setEncoding('latin1').on('data', (text: string) => {
        body += text
      })
      answer.once('error', () => cut('cut in the answer'))
      answer.once('close', () => {
        if (!answer.complete) return cut('cut in the answer')
        const reason = String(answer.headers['x-cache'] ?? '')
        resolve({ kind: 'answer', status: answer.statusCode ?? 0, reason, body })
      })
    })
    asked.once('timeout', () => asked.destroy(new Error('no answer in time')))
    asked.once('error', (error: NodeJS.ErrnoException) => cut(error.code ?? error.message))
    asked.end()
  })
}

export const viewerAgent = (): Agent => new Agent({ keepAlive: true, maxSockets: 4 })
