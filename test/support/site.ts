//! A web site behind the real program: an installation of its own, a distribution made with the real SDK, its addresses.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ACM } from '@aws-sdk/client-acm'
import {
  CloudFrontClient,
  CreateDistributionCommand,
  type DistributionConfig,
  waitUntilDistributionDeployed,
} from '@aws-sdk/client-cloudfront'
import { oneOrigin } from './one-origin.ts'
import { endAll, type Installation, newHome, up } from './program-installation.ts'

export interface Site {
  /** `http://dxxx.cloudfront.localhost:PORT`, and over HTTPS. */
  readonly url: string
  readonly secureUrl: string
  /** Name of the distribution. */
  readonly name: string
  readonly running: Installation
  readonly client: CloudFrontClient
}

/** Everything ends with the test. `origin`: port of the origin; `change`: what the site's configuration is besides it. */
export async function startSite(
  t: Pick<TestContext, 'after'>,
  origin: number,
  change: (
    config: DistributionConfig,
    client: CloudFrontClient,
    acm: ACM,
  ) => DistributionConfig | Promise<DistributionConfig>,
  flags: readonly string[] = [],
): Promise<Site> {
  const home = await newHome()
  t.after(async () => assert.deepEqual(await endAll(home), []))
  const running = await up(home, ...flags)
  const credentials = { accessKeyId: 'x', secretAccessKey: 'x' }
  const client = new CloudFrontClient({ endpoint: running.api, region: 'us-east-1', credentials })
  t.after(() => client.destroy())
  const acm = new ACM({ endpoint: running.api, region: 'us-east-1', credentials })
  t.after(() => acm.destroy())
  const DistributionConfig = await change(oneOrigin('site', origin), client, acm)
  const { Distribution } = await client.send(new CreateDistributionCommand({ DistributionConfig }))
  await waitUntilDistributionDeployed(
    { client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
    { Id: Distribution?.Id ?? '' },
  )
  const name = Distribution?.DomainName ?? ''
  const at = (address: string): string => `${name}:${address.split(':')[1]}`
  return { url: `http://${at(running.edge)}`, secureUrl: `https://${at(running.edgeHttps)}`, name, running, client }
}

/** Managed-CachingDisabled and Managed-AllViewer. */
export const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad'
export const ALL_VIEWER = '216adef6-5c7f-47e4-b989-5492eafa07d3'
export const ALL_METHODS = {
  Quantity: 7,
  Items: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const,
  CachedMethods: { Quantity: 2, Items: ['GET', 'HEAD'] as const },
}
