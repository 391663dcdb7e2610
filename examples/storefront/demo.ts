//! `npm run demo`: drives the shop with a few thousand requests and prints what was measured, in three acts: who
//! answered, a price change, a killed primary. On the installation that runs here, or on one of its own.
//!   --requests N   requests of the first act (default 4,000)
//!   --json         one JSON document
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { request } from 'undici'
import { FULL_SIZE } from './catalogue.ts'
import type { QueryCounts } from './database.ts'
import { runFailover } from './demo/failover.ts'
import { changePrice, type Door, invalidate, runPriceChange } from './demo/price.ts'
import { printReport, type Report } from './demo/print.ts'
import { tierRows } from './demo/report.ts'
import { Visitors } from './demo/visitors.ts'
import { clientsOf, credentialsOf, deployGroup, findDistribution } from './deploy.ts'
import { findInstallation, type RunningInstallation, startInstallation } from './installation.ts'
import { knownS3 } from './s3.ts'
import { startStorefront } from './start.ts'

const CONNECTIONS = 4
/** The popular product whose price changes. */
const PRODUCT = 3
const SEED = 7

const { values } = readArguments()
const requests = Number(values.requests ?? 4_000)
const credentials = credentialsOf(process.env)
const say = (line: string): void => void process.stderr.write(`${line}\n`)

interface Shop {
  readonly door: Door
  /** `address:port` */
  readonly primaryEndpoint: string
  stop(): Promise<void>
}

async function openShop(installation: RunningInstallation): Promise<Shop> {
  const clients = clientsOf({ ...installation, credentials })
  const found = await findDistribution(clients)
  const door = { edge: installation.edge, host: found?.domainName ?? '', distributionId: found?.id ?? '' }
  if (found !== null && (await readStats(door)) !== null) {
    const { primary } = await deployGroup(clients)
    return { door, primaryEndpoint: `${primary.host}:${primary.port}`, stop: async () => {} }
  }
  const storefront = await startStorefront({ ...installation, credentials, log: say })
  const host = new URL(storefront.url).hostname
  return {
    door: { edge: installation.edge, host, distributionId: storefront.distributionId },
    primaryEndpoint: storefront.primaryEndpoint,
    stop: storefront.stop,
  }
}

/** What the shop counted; null when the shop does not answer. */
async function readStats(door: Door): Promise<{ readonly queries: QueryCounts } | null> {
  const answer = await request(`http://${door.edge}/api/stats`, { headers: { host: door.host } })
  const text = await answer.body.text()
  return answer.statusCode === 200 ? (JSON.parse(text) as { queries: QueryCounts }) : null
}

async function queriesOf(door: Door): Promise<number> {
  const stats = await readStats(door)
  if (stats === null) throw new Error('The shop does not answer.')
  return stats.queries.product + stats.queries.front
}

async function emptyCacheTier(endpoint: string): Promise<void> {
  const [host, port] = endpoint.split(':')
  const redis = new Redis({ host, port: Number(port) })
  await redis.flushall()
  redis.disconnect()
}

async function play(installation: RunningInstallation, shop: Shop): Promise<Report> {
  const { cloudfront } = clientsOf({ ...installation, credentials })
  const visitors = new Visitors({
    edge: shop.door.edge,
    host: shop.door.host,
    connections: CONNECTIONS,
    products: FULL_SIZE.products,
    seed: SEED,
  })
  try {
    say('Emptying both cache tiers, so that the visitors find them cold')
    await emptyCacheTier(shop.primaryEndpoint)
    await invalidate(shop.door, cloudfront, ['/*'])
    say(`Act 1: ${requests} requests over ${CONNECTIONS} connections`)
    const queriesBefore = await queriesOf(shop.door)
    const since = performance.now()
    const samples = await visitors.visit((sent) => sent < requests)
    const seconds = (performance.now() - since) / 1000
    const queries = (await queriesOf(shop.door)) - queriesBefore
    const wanted = samples.reduce((sum, sample) => sum + sample.products, 0)
    say('Act 2: a price changes')
    const price = await runPriceChange(shop.door, cloudfront, PRODUCT)
    say('Act 3: SIGKILL for the primary, under load')
    let cents = 1_000
    const failover = await runFailover({
      visitors,
      primaryEndpoint: shop.primaryEndpoint,
      changePrice: () => changePrice(shop.door, FULL_SIZE.products - (cents % 100), ++cents),
    })
    return {
      tiers: tierRows(samples),
      seconds,
      database: { wanted, queries, spared: wanted - queries },
      price,
      failover,
    }
  } finally {
    await visitors.close()
  }
}

async function main(): Promise<number> {
  if (!Number.isSafeInteger(requests) || requests < 1) {
    say('--requests must be a whole number from 1.')
    return 2
  }
  const running = await findInstallation(process.env)
  // One that runs bare has no place for the shop's bucket, unless it has run with the sample before.
  const found = running !== null && knownS3(join(running.home, 'storefront')) === null ? null : running
  if (running !== found) say(`The installation in ${running?.home} runs without the sample (--bare)`)
  say(found === null ? 'Starting an installation for the demo' : `Using the installation in ${found.home}`)
  const own = found === null ? await startInstallation() : null
  const installation = found ?? own
  if (installation === null) return 1
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void (own?.stop() ?? Promise.resolve()).finally(() => process.exit(1)))
  }
  try {
    const shop = await openShop(installation)
    try {
      const report = await play(installation, shop)
      if (values.json === true) console.log(JSON.stringify(report, null, 2))
      else printReport(report)
    } finally {
      await shop.stop()
    }
  } finally {
    await own?.stop()
  }
  return 0
}

/** A flag that there is not ends the program with 2 and one line. */
function readArguments() {
  try {
    return parseArgs({ options: { json: { type: 'boolean' }, requests: { type: 'string' } } })
  } catch (error) {
    console.error(`demo: ${(error as Error).message}`)
    process.exit(2)
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  say(`demo: ${(error as Error).message}`)
  process.exitCode = 1
}
