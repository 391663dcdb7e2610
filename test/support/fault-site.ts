//! What a row of the table of CloudFront's faults (test/contract/cloudfront-faults.test.ts) works with: the API with its
//! real operations on a state of its own, AWS's SDK before it, and one distribution that is deployed.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ACM } from '@aws-sdk/client-acm'
import { CloudFront, type DistributionConfig } from '@aws-sdk/client-cloudfront'
import { type Quotas, quotasWith } from '../../src/domain/quotas.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { ACM_OPERATIONS } from '../../src/services/acm/operations.ts'
import { CLOUDFRONT_OPERATIONS } from '../../src/services/cloudfront/operations.ts'
import { openSqliteState } from '../../src/state/sqlite.ts'
import type { State } from '../../src/state/state.ts'
import { clientOptions, startApi } from './api-server.ts'
import { oneOrigin } from './one-origin.ts'

/** One way to provoke a code. */
export interface FaultRow {
  readonly code: string
  /** HTTP status. */
  readonly status: number
  /** Of spec/cloudfront.md, that says what is refused. */
  readonly section: string
  /** What is wrong with the call. */
  readonly when: string
  /** Quotas that hold while the row runs, besides AWS's. */
  readonly quotas?: Partial<Quotas>
  /** Puts in place what must be there before, and returns the call that is refused. */
  readonly provoke: (site: FaultSite) => Call | Promise<Call>
}

export const row = (
  code: string,
  status: number,
  section: string,
  when: string,
  provoke: FaultRow['provoke'],
  quotas: FaultRow['quotas'] = {},
): FaultRow => ({ code, status, section, when, provoke, quotas })

export type Call = () => Promise<unknown>

/** Codes of what is not built: the call that would bring them answers 501 and names `names`. */
export interface NotBuiltRow {
  readonly codes: readonly string[]
  /** Why none of them can be provoked. */
  readonly reason: string
  readonly names: RegExp
  readonly provoke: (site: FaultSite) => Call | Promise<Call>
}

export interface Made {
  readonly id: string
  readonly etag: string
  readonly domainName: string
  readonly config: DistributionConfig
}

export class FaultSite {
  readonly client: CloudFront
  readonly acm: ACM
  readonly state: State
  /** Deployed, enabled. */
  readonly one: Made
  #references = 0

  private constructor(client: CloudFront, acm: ACM, state: State, one: Made) {
    this.client = client
    this.acm = acm
    this.state = state
    this.one = one
  }

  /** Runs `work` on a site of its own. */
  static async use(quotas: Partial<Quotas>, work: (site: FaultSite) => Promise<void>): Promise<void> {
    const home = await mkdtemp(join(tmpdir(), 'cachefront-faults-'))
    const state = await openSqliteState(join(home, 'state.db'), systemClock)
    const context = {
      state,
      clock: systemClock,
      accountId: '123456789012',
      region: 'us-east-1',
      edgeDomain: 'cloudfront.localhost',
      quotas: quotasWith(quotas),
      host: { binaries: () => [] },
      // One, which a second distribution finds taken.
      dedicatedAddresses: ['127.9.0.1'],
    }
    const server = await startApi({
      services: { acm: ACM_OPERATIONS, cloudfront: CLOUDFRONT_OPERATIONS, elasticache: {} },
      context,
    })
    const client = new CloudFront(clientOptions(server.url))
    const acm = new ACM(clientOptions(server.url))
    try {
      const made = await client.createDistribution({ DistributionConfig: oneOrigin('one', 80) })
      const site = new FaultSite(client, acm, state, madeOf(made))
      await site.deploy(site.one.id)
      await work(site)
    } finally {
      client.destroy()
      acm.destroy()
      await server.api.close()
      await state.close()
      await rm(home, { recursive: true })
    }
  }

  /** A caller reference that was not used before. */
  reference(): string {
    return `reference-${++this.#references}`
  }

  /** A new distribution: that of the site with these changes. */
  async create(changes: Partial<DistributionConfig> = {}): Promise<Made> {
    const DistributionConfig = { ...oneOrigin(this.reference(), 80), ...changes }
    return madeOf(await this.client.createDistribution({ DistributionConfig }))
  }

  /** Replaces the configuration of the site's distribution by itself with these changes. */
  async update(changes: Partial<DistributionConfig>, of: Made = this.one): Promise<Made> {
    const DistributionConfig = { ...of.config, ...changes }
    return madeOf(await this.client.updateDistribution({ Id: of.id, IfMatch: of.etag, DistributionConfig }))
  }

  /** As when every edge has acknowledged. */
  async deploy(id: string): Promise<void> {
    await this.state.transact(async (tx) => {
      const stored = await tx.get('distribution', id)
      if (stored !== undefined) await tx.put('distribution', id, { ...stored.doc, status: 'Deployed' })
    })
  }
}

function madeOf(answer: {
  readonly ETag?: string | undefined
  readonly Distribution?:
    | {
        readonly Id?: string | undefined
        readonly DomainName?: string | undefined
        readonly DistributionConfig?: DistributionConfig | undefined
      }
    | undefined
}): Made {
  const { Id, DomainName, DistributionConfig } = answer.Distribution ?? {}
  if (!Id || !DomainName || !DistributionConfig || !answer.ETag) throw new Error('the answer lacks a distribution')
  return { id: Id, etag: answer.ETag, domainName: DomainName, config: DistributionConfig }
}

/** A list in AWS's form. */
export const listed = <T>(...Items: T[]): { Quantity: number; Items: T[] } => ({ Quantity: Items.length, Items })

/** `count` items made by their number. */
export const many = <T>(count: number, item: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => item(at))

/** A row's call: an update of the site's distribution with these changes. */
export const updating =
  (changes: (config: DistributionConfig) => Partial<DistributionConfig>) =>
  (site: FaultSite): Call =>
  () =>
    site.update(changes(site.one.config))
