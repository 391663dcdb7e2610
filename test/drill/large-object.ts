//! Viewers of a large object that is kept in slices: random ranges and now and then all of it, every byte compared with
//! what its version has there; versions change under way, and go by invalidation.
import type { Agent } from 'node:http'
import type { CloudFront } from '@aws-sdk/client-cloudfront'
import { LargeOrigin, largeBytes } from '../support/edge-large-origin.ts'
import { oneOrigin } from '../support/one-origin.ts'
import { ask } from './cache-lookers.ts'
import type { Findings } from './findings.ts'
import type { Random } from './random.ts'
import { completed } from './viewers.ts'

const LENGTH = 6 * 1024 * 1024 + 12_345
const RANGE_BYTES_MAX = 700_000

export class LargeObject {
  readonly #origin: LargeOrigin
  readonly id: string
  readonly #host: string
  #floor = 1

  private constructor(origin: LargeOrigin, id: string, host: string) {
    this.#origin = origin
    this.id = id
    this.#host = host
  }

  static async open(client: CloudFront): Promise<LargeObject> {
    const origin = await LargeOrigin.start({ length: LENGTH })
    const { Distribution } = await client.createDistribution({
      DistributionConfig: oneOrigin('large-object', origin.port) as never,
    })
    return new LargeObject(origin, Distribution!.Id!, Distribution!.DomainName!)
  }

  async look(edge: string, agent: Agent, findings: Findings, random: Random): Promise<void> {
    this.#origin.asked.length = 0
    const floor = this.#floor
    const first = random.whole(LENGTH)
    const last = Math.min(LENGTH - 1, first + random.whole(RANGE_BYTES_MAX))
    const whole = random.whole(20) === 0
    const got = await ask(edge, this.#host, '/large', agent, findings, {
      headers: whole ? {} : { range: `bytes=${first}-${last}` },
    })
    if (got === null || got.status >= 500) return findings.count(`large object: ${got?.status ?? 'cut'}`)
    const asked = whole ? 'all of the large object' : `bytes ${first}-${last} of the large object`
    if (got.status !== (whole ? 200 : 206)) return findings.violation(`${asked}: seen ${got.status}`)
    findings.count(`large object: ${got.status} ${got.headers['x-cache']}`)
    const version = Number(/^"v(\d+)"$/.exec(String(got.headers.etag))?.[1])
    const range = got.headers['content-range']
    if (!whole && range !== `bytes ${first}-${last}/${LENGTH}`) findings.violation(`${asked}: seen ${range}`)
    const right = whole ? largeBytes(0, LENGTH, version) : largeBytes(first, last + 1, version)
    if (!got.body.equals(right)) findings.violation(`${asked}: bytes that version ${version} does not have there`)
    if (version < floor) findings.violation(`${asked}: expected version ${floor} or newer, seen ${version}`)
  }

  async change(client: CloudFront, note: (id: string) => void): Promise<void> {
    const version = ++this.#origin.version
    await completed(client, this.id, `large-${version}`, ['/large'], note)
    this.#floor = Math.max(this.#floor, version)
  }

  close(): Promise<void> {
    return this.#origin.close()
  }
}
