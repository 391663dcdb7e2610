//! Second act: a price changes. The cache tier knows at once (write-through), the edge keeps its page until it is told.
import {
  type CloudFrontClient,
  CreateInvalidationCommand,
  waitUntilInvalidationCompleted,
} from '@aws-sdk/client-cloudfront'
import { request } from 'undici'

/** Seconds, of the SDK's waiter. */
const WAIT = { minDelay: 0.005, maxDelay: 0.1, maxWaitTime: 30 } as const

/** Where the shop is reached, and as what. */
export interface Door {
  /** `address:port` of the edge. */
  readonly edge: string
  /** Name of the distribution, sent as Host. */
  readonly host: string
  readonly distributionId: string
}

export interface PriceStep {
  readonly what: string
  /** As the page shows it. */
  readonly price: string
  readonly xCache: string
  /** The edge, or the tier behind it that the shop names. */
  readonly answeredBy: string
}

export interface PriceReport {
  readonly steps: readonly PriceStep[]
  /** From CreateInvalidation to `Completed`, the waiter's pauses included. */
  readonly invalidationMs: number
}

export async function runPriceChange(door: Door, cloudfront: CloudFrontClient, product: number): Promise<PriceReport> {
  const path = `/products/${product}`
  await look(door, path, 'warm the edge')
  const before = await look(door, path, 'the page in the edge')
  const cents = Math.round(Number(before.price.slice(1)) * 100) + 100
  await changePrice(door, product, cents)
  const stale = await look(door, path, 'price changed in database and ElastiCache')
  const invalidationMs = await invalidate(door, cloudfront, [path])
  const fresh = await look(door, path, 'invalidation Completed')
  const hit = await look(door, path, 'and asked for once more')
  return { steps: [before, stale, fresh, hit], invalidationMs }
}

/** Through the edge: the API's behavior hands it to the origin. */
export async function changePrice(door: Door, product: number, cents: number): Promise<'written' | 'refused'> {
  const answer = await request(`http://${door.edge}/api/products/${product}/price`, {
    method: 'POST',
    headers: { host: door.host, 'content-type': 'application/json' },
    body: JSON.stringify({ cents }),
  })
  if (answer.statusCode !== 200) throw new Error(`The price change was answered with ${answer.statusCode}.`)
  return ((await answer.body.json()) as { cache: 'written' | 'refused' }).cache
}

/** Resolves when the invalidation is `Completed`, with how long that took in milliseconds. */
export async function invalidate(door: Door, cloudfront: CloudFrontClient, paths: string[]): Promise<number> {
  const since = performance.now()
  const created = await cloudfront.send(
    new CreateInvalidationCommand({
      DistributionId: door.distributionId,
      InvalidationBatch: {
        CallerReference: `demo-${process.pid}-${since}`,
        Paths: { Quantity: paths.length, Items: paths },
      },
    }),
  )
  const Id = created.Invalidation?.Id ?? ''
  await waitUntilInvalidationCompleted({ client: cloudfront, ...WAIT }, { DistributionId: door.distributionId, Id })
  return performance.now() - since
}

async function look(door: Door, path: string, what: string): Promise<PriceStep> {
  const answer = await request(`http://${door.edge}${path}`, { headers: { host: door.host } })
  const [, price = '?'] = /<p id="price">([^<]*)</.exec(await answer.body.text()) ?? []
  const xCache = String(answer.headers['x-cache'])
  // A hit carries the X-Tier that was stored with the page; it is the edge that answered.
  const answeredBy = /hit from/i.test(xCache) ? 'edge' : String(answer.headers['x-tier'])
  return { what, price, xCache, answeredBy }
}
