//! WAFv2 and CloudFront as an installation has them, on a state of their own, without edges: the API with its real
//! operations, and AWS's SDK before it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudFront } from '@aws-sdk/client-cloudfront'
import { type Rule, type VisibilityConfig, WAFV2 } from '@aws-sdk/client-wafv2'
import { type Quotas, quotasWith } from '../../src/domain/quotas.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { CLOUDFRONT_OPERATIONS } from '../../src/services/cloudfront/operations.ts'
import type { WafAtEdges } from '../../src/services/service.ts'
import { WAF_OPERATIONS } from '../../src/services/wafv2/operations.ts'
import { openSqliteState } from '../../src/state/sqlite.ts'
import type { State } from '../../src/state/state.ts'
import { clientOptions, startApi, type TestApi } from './api-server.ts'

/** In whose name a web ACL is kept here. */
export const SCOPE = 'CLOUDFRONT'

export const visibility = (MetricName: string): VisibilityConfig => ({
  SampledRequestsEnabled: true,
  CloudWatchMetricsEnabled: true,
  MetricName,
})

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A rule that blocks what its statement matches; `changes` take the place of its members. */
export const blockRule = (Name: string, Priority: number, Statement: object, changes: Partial<Rule> = {}): Rule => ({
  ...{ Name, Priority, Statement, VisibilityConfig: visibility(Name) },
  Action: { Block: {} },
  ...changes,
})

/** Matches paths that begin so. */
export const pathStarts = (text: string): object => ({
  ByteMatchStatement: {
    SearchString: bytes(text),
    PositionalConstraint: 'STARTS_WITH',
    FieldToMatch: { UriPath: {} },
    TextTransformations: [{ Priority: 0, Type: 'NONE' }],
  },
})

export interface WafSiteOptions {
  readonly quotas?: Partial<Quotas>
  readonly waf?: WafAtEdges
}

export class WafSite {
  readonly waf: WAFV2
  readonly cloudfront: CloudFront
  readonly server: TestApi
  readonly state: State

  private constructor(server: TestApi, state: State) {
    this.waf = new WAFV2(clientOptions(server.url))
    this.cloudfront = new CloudFront(clientOptions(server.url))
    this.server = server
    this.state = state
  }

  /** Runs `work` on a site of its own. */
  static async use({ quotas, waf }: WafSiteOptions, work: (site: WafSite) => Promise<void>): Promise<void> {
    const home = await mkdtemp(join(tmpdir(), 'cachefront-waf-'))
    const state = await openSqliteState(join(home, 'state.db'), systemClock)
    const context = {
      state,
      clock: systemClock,
      accountId: '123456789012',
      region: 'us-east-1',
      edgeDomain: 'cloudfront.localhost',
      quotas: quotasWith(quotas),
      host: { binaries: () => [] },
      ...(waf === undefined ? {} : { waf }),
    }
    const services = { cloudfront: CLOUDFRONT_OPERATIONS, elasticache: {}, wafv2: WAF_OPERATIONS }
    const server = await startApi({ services, context })
    const site = new WafSite(server, state)
    try {
      await work(site)
    } finally {
      site.waf.destroy()
      site.cloudfront.destroy()
      await server.api.close()
      await state.close()
      await rm(home, { recursive: true })
    }
  }
}
