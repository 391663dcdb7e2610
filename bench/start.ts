//! `npm run bench:start`: how long a person or a CI job waits. Each round has a fresh home and a new installation.
//! `npm run bench:start -- --help` names the options.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CloudFrontClient,
  CreateDistributionCommand,
  CreateInvalidationCommand,
  GetInvalidationCommand,
} from '@aws-sdk/client-cloudfront'
import {
  CreateCacheClusterCommand,
  CreateReplicationGroupCommand,
  DescribeCacheClustersCommand,
  DescribeReplicationGroupsCommand,
  type ElastiCacheClient,
} from '@aws-sdk/client-elasticache'
import { Client } from 'undici'
import { drawTable, quantile, showMs } from '../examples/storefront/demo/report.ts'
import { WriteProbe } from '../examples/storefront/demo/write-probe.ts'
import { clientsOf } from '../examples/storefront/deploy.ts'
import { type OwnInstallation, startInstallation } from '../examples/storefront/installation.ts'
import { oneOrigin } from '../test/support/one-origin.ts'
import { readOptions, wholeNumber } from './options.ts'

/** The longest that anything here is waited for. */
const TIMEOUT_MS = 30_000
/** Between two looks. */
const POLL_MS = 1

/** What is measured, in the order of a round, with the time that it may take. Milliseconds. */
const TARGETS = {
  'cachefront up --bare to the first 200 through the edge': 1_500,
  'the same with ten POPs in the one worker': 2_000,
  'CreateDistribution to its first answer': 100,
  'CreateInvalidation to Completed': 100,
  'CreateCacheCluster to available': 1_000,
  'SIGKILL of a primary to the first accepted write': 100,
} as const

const FLEET = 'the same with ten POPs in the one worker'
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' }

type What = keyof typeof TARGETS
type Round = Readonly<Record<What, number>>

const flags = readOptions({
  command: 'npm run bench:start --',
  about: 'How long a person or a CI job waits: start, first answer, invalidation, cluster, failover.',
  example: 'npm run bench:start -- --rounds 3',
  options: {
    rounds: { value: 'N', about: 'each has an installation of its own', default: '5' },
    json: { value: null, about: 'print one JSON document with every measurement', default: null },
  },
})
const rounds = wholeNumber('rounds', flags.rounds)
const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** Looks until `seen` says yes; resolves with `performance.now()` of that moment. @throws Error when it takes too long */
async function waitUntil(what: string, seen: () => Promise<boolean>): Promise<number> {
  const deadline = performance.now() + TIMEOUT_MS
  while (performance.now() < deadline) {
    if (await seen()) return performance.now()
    await sleep(POLL_MS)
  }
  throw new Error(`${what}: not within ${TIMEOUT_MS / 1000} s.`)
}

/** Creates a distribution before `origin`; resolves with its id, and with when it was created and first answered. */
async function distribute(cloudfront: CloudFrontClient, edge: Client, origin: number, name: string) {
  const createdAt = performance.now()
  const { Distribution } = await cloudfront.send(
    new CreateDistributionCommand({ DistributionConfig: oneOrigin(name, origin) }),
  )
  const host = Distribution?.DomainName ?? ''
  const answeredAt = await waitUntil('The first answer of a distribution', async () => {
    const answer = await edge.request({ method: 'GET', path: '/', headers: { host } })
    await answer.body.arrayBuffer()
    return answer.statusCode === 200
  })
  return { id: Distribution?.Id ?? '', createdAt, answeredAt }
}

async function timeInvalidation(cloudfront: CloudFrontClient, DistributionId: string): Promise<number> {
  const since = performance.now()
  const InvalidationBatch = { CallerReference: 'bench', Paths: { Quantity: 1, Items: ['/*'] } }
  const created = await cloudfront.send(new CreateInvalidationCommand({ DistributionId, InvalidationBatch }))
  const Id = created.Invalidation?.Id ?? ''
  const completed = await waitUntil('An invalidation', async () => {
    const answer = await cloudfront.send(new GetInvalidationCommand({ DistributionId, Id }))
    return answer.Invalidation?.Status === 'Completed'
  })
  return completed - since
}

async function timeCluster(elasticache: ElastiCacheClient): Promise<number> {
  const CacheClusterId = 'bench-cluster'
  const since = performance.now()
  await elasticache.send(
    new CreateCacheClusterCommand({
      CacheClusterId,
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheNodes: 1,
    }),
  )
  const available = await waitUntil('A cache cluster', async () => {
    const answer = await elasticache.send(new DescribeCacheClustersCommand({ CacheClusterId }))
    return answer.CacheClusters?.[0]?.CacheClusterStatus === 'available'
  })
  return available - since
}

/** One primary and one replica, written to each millisecond when the primary is killed. */
async function timeFailover(elasticache: ElastiCacheClient): Promise<number> {
  const ReplicationGroupId = 'bench-group'
  await elasticache.send(
    new CreateReplicationGroupCommand({
      ReplicationGroupId,
      ReplicationGroupDescription: 'bench',
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters: 2,
      AutomaticFailoverEnabled: true,
    }),
  )
  let endpoint = ''
  await waitUntil('A replication group', async () => {
    const answer = await elasticache.send(new DescribeReplicationGroupsCommand({ ReplicationGroupId }))
    const group = answer.ReplicationGroups?.[0]
    const primary = group?.NodeGroups?.[0]?.PrimaryEndpoint
    endpoint = `${primary?.Address}:${primary?.Port}`
    return group?.Status === 'available'
  })
  const probe = new WriteProbe(endpoint)
  await probe.start()
  await probe.killPrimary()
  await probe.writable(TIMEOUT_MS)
  const { outageMs } = await probe.stop()
  if (outageMs === null) throw new Error(`No write was accepted within ${TIMEOUT_MS / 1000} s of a SIGKILL.`)
  return outageMs
}

/** A fleet on one machine: ten POPs with their regional edge caches. */
async function startFleet(origin: number): Promise<number> {
  const installation = await startInstallation(['--pops', '10'])
  const { cloudfront, elasticache } = clientsOf({ ...installation, credentials: CREDENTIALS })
  const edge = new Client(`http://${installation.edge}`)
  try {
    const { answeredAt } = await distribute(cloudfront, edge, origin, 'fleet')
    return answeredAt - installation.spawnedAt
  } finally {
    await edge.close()
    cloudfront.destroy()
    elasticache.destroy()
    await installation.stop()
  }
}

async function measure(installation: OwnInstallation, origin: number): Promise<Omit<Round, typeof FLEET>> {
  const { cloudfront, elasticache } = clientsOf({ ...installation, credentials: CREDENTIALS })
  const edge = new Client(`http://${installation.edge}`)
  try {
    const first = await distribute(cloudfront, edge, origin, 'first')
    const second = await distribute(cloudfront, edge, origin, 'second')
    return {
      'cachefront up --bare to the first 200 through the edge': first.answeredAt - installation.spawnedAt,
      'CreateDistribution to its first answer': second.answeredAt - second.createdAt,
      'CreateInvalidation to Completed': await timeInvalidation(cloudfront, second.id),
      'CreateCacheCluster to available': await timeCluster(elasticache),
      'SIGKILL of a primary to the first accepted write': await timeFailover(elasticache),
    }
  } finally {
    await edge.close()
    cloudfront.destroy()
    elasticache.destroy()
  }
}

async function runRounds(rounds: number, origin: number): Promise<readonly Round[]> {
  const measured: Round[] = []
  for (let n = 1; n <= rounds; n++) {
    const installation = await startInstallation()
    let round: Omit<Round, typeof FLEET>
    try {
      round = await measure(installation, origin)
    } finally {
      await installation.stop()
    }
    measured.push({ ...round, [FLEET]: await startFleet(origin) })
    say(
      `Round ${n} of ${rounds}: ${Object.values(measured.at(-1) ?? {})
        .map(showMs)
        .join(', ')} ms`,
    )
  }
  return measured
}

function summarize(measured: readonly Round[]) {
  return (Object.keys(TARGETS) as What[]).map((what) => {
    const times = measured.map((round) => round[what])
    const [medianMs, maxMs] = [quantile(times, 0.5), Math.max(...times)]
    const targetMs = TARGETS[what]
    const result = maxMs <= targetMs ? 'met' : medianMs <= targetMs ? 'met by the median, not by all' : 'missed'
    return { what, targetMs, medianMs, maxMs, result, times }
  })
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Wall time suffers from whatever else runs: the load before the first round is part of the result. */
const load = (loadavg()[0] ?? 0).toFixed(1)
const origin = createServer((_, response) => response.setHeader('Cache-Control', 'max-age=3600').end('hello'))
try {
  const rows = summarize(await runRounds(rounds, await listen(origin)))
  if (flags.json !== undefined) {
    console.log(JSON.stringify({ rounds, node: process.version, cpus: cpus().length, load, rows }, null, 2))
  } else {
    const cells = rows.map((row) => [
      row.what,
      String(row.targetMs),
      showMs(row.medianMs),
      showMs(row.maxMs),
      row.result,
    ])
    console.log(drawTable([`${rounds} rounds, milliseconds`, 'target', 'median', 'max', 'result'], cells))
    console.log(`${cpus().length} processors; load average before the first round ${load}.`)
  }
} catch (error) {
  say(`bench: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  origin.close()
}
