//! A drill: an installation under load from all sides, a blow a round, and after each what must hold.
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudFront } from '@aws-sdk/client-cloudfront'
import { ElastiCache } from '@aws-sdk/client-elasticache'
import { endAll, newHome } from '../support/program-installation.ts'
import { checkAtRest } from './at-rest.ts'
import { CacheHistory } from './cache-history.ts'
import { CacheLoad, REPLICAS } from './cache-load.ts'
import { CachedPages } from './cached-pages.ts'
import { Findings, within } from './findings.ts'
import { LargeObject } from './large-object.ts'
import { ACTS, type Act, type Blow } from './monkey.ts'
import { type Clients, nouns } from './nouns.ts'
import { type Random, seededRandom } from './random.ts'
import { StrictPages } from './strict-pages.ts'
import { listenersIn, Target } from './target.ts'
import { Site, viewerAgent } from './viewers.ts'
import { Writer } from './writer.ts'

export interface DrillOptions {
  readonly seed: number
  readonly workers: number
  /** Rounds to play; null plays until `untilMs`. */
  readonly acts: readonly string[] | null
  /** No round begins after that many milliseconds. */
  readonly lastsMs: number
  readonly onRound: (round: Round) => void
}

export interface Round {
  readonly number: number
  readonly act: string
  readonly done: string
  /** From the end of the blow until all was well. */
  readonly wellMs: number
  /** Longest pause between two writes that the primary endpoint accepted. */
  readonly writeGapMs: number
  readonly acknowledged: number
  readonly memoryMib: { readonly control: number; readonly keeper: number; readonly worker: number }
  readonly openFiles: number
  readonly violations: number
}

export interface DrillReport {
  readonly seed: number
  readonly rounds: readonly Round[]
  readonly counts: Readonly<Record<string, number>>
  readonly violations: readonly string[]
}

/** Load before the blow of a round. Milliseconds. */
const BEFORE_MS = 300
/** A load that cannot be brought to rest hangs. Milliseconds. */
const REST_MS = 45_000
/** No part may hold more. MiB, files. */
const MEMORY_MAX_MIB = 600
const OPEN_FILES_MAX = 500
const VIEWERS = 3
/** Between two changes, so that the cache has something to serve meanwhile. Milliseconds. */
const PAGES_PAUSE_MS = 100
const LARGE_PAUSE_MS = 500
/** Changes at once, beyond those of the writers. */
const BURST = 24

export async function drill(options: DrillOptions): Promise<DrillReport> {
  const findings = new Findings()
  const home = await newHome()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void endAll(home).finally(() => process.exit(130)))
  }
  const rounds: Round[] = []
  let network: string | null = null
  try {
    const target = await Target.start(home, options.workers)
    const load = await Load.start(target, findings, options.seed)
    try {
      network = `${(await target.group('drill')).endpoint.split('.').slice(0, 2).join('.')}.0.0/16`
      await play(options, target, load, findings, rounds)
    } finally {
      await load.close()
    }
  } catch (error) {
    findings.violation((error as Error).stack ?? String(error))
  } finally {
    const left = await endAll(home)
    if (left.length > 0) findings.violation(`after the end: expected no process, seen ${left.join('; ')}`)
    const open = network === null ? [] : listenersIn(network)
    if (open.length > 0) findings.violation(`after the end: expected no listener in ${network}, seen ${open.join(' ')}`)
  }
  return { seed: options.seed, rounds, counts: Object.fromEntries(findings.counts), violations: findings.violations }
}

async function play(options: DrillOptions, target: Target, load: Load, findings: Findings, rounds: Round[]) {
  const random = seededRandom(options.seed)
  const since = performance.now()
  const wished = options.acts?.map((name) => ACTS.find((act) => act.name === name)!) ?? null
  for (let number = 1; performance.now() - since < options.lastsMs; number++) {
    const act = wished === null ? random.pick(ACTS) : wished[number - 1]
    if (act === undefined) return
    rounds.push(await playRound(number, act, target, load, findings, random))
    options.onRound(rounds.at(-1)!)
  }
}

async function playRound(number: number, act: Act, target: Target, load: Load, findings: Findings, random: Random) {
  load.begin()
  await sleep(BEFORE_MS)
  const blow: Blow = await act.run(target, random, () => load.burst())
  const wellMs = await target.well(blow.gone)
  await load.rest()
  // What the load itself began (a node that comes or goes) has settled too.
  await target.well(blow.gone)
  await load.check(blow)
  const memoryMib = target.memory()
  const openFiles = target.openFiles()
  for (const [part, mib] of Object.entries(memoryMib)) {
    if (mib > MEMORY_MAX_MIB)
      findings.violation(`memory of ${part}: expected at most ${MEMORY_MAX_MIB} MiB, seen ${mib}`)
  }
  if (openFiles > OPEN_FILES_MAX)
    findings.violation(`open files: expected at most ${OPEN_FILES_MAX}, seen ${openFiles}`)
  return {
    ...{ number, act: act.name, done: blow.done, wellMs, writeGapMs: load.cache.longestGapMs, memoryMib, openFiles },
    ...{ acknowledged: load.acknowledged(), violations: findings.violations.length },
  }
}

interface Cached {
  readonly pages: CachedPages
  readonly strict: StrictPages
  readonly large: LargeObject
}

/** API writers, viewers, cache clients: begun and brought to rest together. */
class Load {
  readonly #target: Target
  readonly #clients: Clients
  readonly #findings: Findings
  readonly #writers: readonly Writer[]
  readonly #sites: readonly Site[]
  readonly #cached: Cached
  readonly #random: Random
  readonly #history: CacheHistory
  readonly #invalidations: { readonly site: { readonly id: string }; readonly id: string }[] = []
  readonly cache: CacheLoad
  readonly #agent = viewerAgent()
  readonly #burstTags = new Map<string, string>()
  #bursts = 0
  #lanes: Promise<void>[] = []
  #resting = true

  private constructor(
    ...[target, clients, findings, writers, sites, cached, random, cache, history]: [
      ...[Target, Clients, Findings, readonly Writer[], readonly Site[], Cached, Random, CacheLoad, CacheHistory],
    ]
  ) {
    this.#target = target
    this.#clients = clients
    this.#findings = findings
    this.#writers = writers
    this.#sites = sites
    this.#cached = cached
    this.#random = random
    this.cache = cache
    this.#history = history
  }

  static async start(target: Target, findings: Findings, seed: number): Promise<Load> {
    const options = {
      ...{ endpoint: target.api, region: 'us-east-1', maxAttempts: 1 },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    }
    const clients = { cloudfront: new CloudFront(options), elasticache: new ElastiCache(options) }
    const groupArn = await createCaches(clients.elasticache)
    const sites = [await Site.open('a', clients.cloudfront), await Site.open('b', clients.cloudfront)]
    const cached = {
      pages: await CachedPages.open(clients.cloudfront),
      strict: await StrictPages.open(clients.cloudfront),
      large: await LargeObject.open(clients.cloudfront),
    }
    await target.well([])
    const { endpoint, readerEndpoint } = await target.group('drill')
    const cache = new CacheLoad(endpoint, readerEndpoint!, findings)
    const rows = nouns(clients, sites[0]!.arn, groupArn)
    const writers = rows.map((noun, at) => new Writer(noun, findings, seededRandom(seed + 100 + at)))
    for (const writer of writers) await writer.start()
    const history = await CacheHistory.begin(clients.elasticache, target, findings)
    return new Load(target, clients, findings, writers, sites, cached, seededRandom(seed + 1), cache, history)
  }

  acknowledged(): number {
    return this.#writers.reduce((sum, writer) => sum + writer.acknowledged, this.#invalidations.length)
  }

  begin(): void {
    this.#resting = false
    this.cache.newRound()
    const lane = async (step: () => Promise<void>): Promise<void> => {
      while (!this.#resting) await step()
    }
    const viewer = async (): Promise<void> => {
      const site = this.#random.pick(this.#sites)
      await site.look(this.#target.edge, Site.page(this.#random), this.#agent, this.#findings)
      await sleep(2)
    }
    const { pages, strict, large } = this.#cached
    const seen = [this.#agent, this.#findings, this.#random] as const
    const looker = (site: CachedPages | StrictPages | LargeObject) => async (): Promise<void> => {
      await site.look(this.#target.edge, ...seen)
      await sleep(2)
    }
    const note = (site: { readonly id: string }) => (id: string) => void this.#invalidations.push({ site, id })
    this.#lanes = [
      ...[pages, pages, strict, strict, strict, large].map((site) => lane(looker(site))),
      lane(() =>
        this.#change(
          'pages',
          () => pages.change(this.#clients.cloudfront, this.#target.api, this.#random, note(pages)),
          PAGES_PAUSE_MS,
        ),
      ),
      lane(() =>
        this.#change('large object', () => large.change(this.#clients.cloudfront, note(large)), LARGE_PAUSE_MS),
      ),
      ...this.#writers.map((writer) => lane(() => writer.step())),
      ...this.#sites.map((site) => lane(() => this.#invalidate(site))),
      ...Array.from({ length: VIEWERS }, () => lane(viewer)),
      lane(() => this.cache.write()),
      lane(() => this.cache.read()),
    ]
  }

  /** Many changes at once, so that a death falls into commits; those acknowledged are checked after the round. */
  async burst(): Promise<void> {
    const Resource = this.#sites[1]!.arn
    const Value = String(++this.#bursts)
    const calls = Array.from({ length: BURST }, async (_, at) => {
      const Key = `burst-${at}`
      this.#burstTags.delete(Key)
      await this.#clients.cloudfront.tagResource({ Resource, Tags: { Items: [{ Key, Value }] } })
      this.#burstTags.set(Key, Value)
    })
    await Promise.allSettled(calls)
  }

  async #checkBurst(): Promise<void> {
    const { Tags } = await this.#clients.cloudfront.listTagsForResource({ Resource: this.#sites[1]!.arn })
    const seen = new Map((Tags?.Items ?? []).map(({ Key, Value }) => [Key, Value]))
    for (const [key, value] of this.#burstTags) {
      if (seen.get(key) === value) continue
      this.#findings.violation(`tag ${key}, acknowledged: expected ${value}, seen ${seen.get(key)}`)
    }
  }

  #invalidate(site: Site): Promise<void> {
    const note = (id: string): void => void this.#invalidations.push({ site, id })
    return this.#change(site.name, () => site.invalidate(this.#clients.cloudfront, this.#random, note))
  }

  async #change(of: string, change: () => Promise<void>, pauseMs = 30): Promise<void> {
    try {
      await change()
      await sleep(pauseMs)
    } catch (error) {
      const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
      if (status !== undefined) {
        this.#findings.violation(
          `invalidation of ${of}: expected 201 and 200, seen ${status} ${(error as Error).message}`,
        )
      }
      await sleep(50)
    }
  }

  async rest(): Promise<void> {
    this.#resting = true
    await within(REST_MS, 'the load coming to rest', Promise.all(this.#lanes))
  }

  async check(blow: Blow): Promise<void> {
    for (const writer of this.#writers) await writer.check()
    await this.#checkBurst()
    await this.cache.check()
    await this.#history.check(blow)
    for (const { site, id } of this.#invalidations.slice(-50)) await this.#checkInvalidation(site, id)
    for (const site of this.#sites) await this.#checkDeployed(site)
    await checkAtRest(this.#target.api, this.#findings)
    await this.#cached.pages.check(this.#target.edge, this.#agent, this.#findings)
  }

  async #checkInvalidation(site: { readonly id: string }, Id: string): Promise<void> {
    try {
      const ask = () => this.#clients.cloudfront.getInvalidation({ DistributionId: site.id, Id })
      for (let looks = 0; (await ask()).Invalidation!.Status !== 'Completed'; looks++) {
        if (looks > 200) return this.#findings.violation(`invalidation ${Id}: expected Completed, seen InProgress`)
        await sleep(50)
      }
    } catch (error) {
      this.#findings.violation(
        `invalidation ${Id} was acknowledged: expected to find it, seen ${(error as Error).message}`,
      )
    }
  }

  async #checkDeployed(site: Site): Promise<void> {
    const { Distribution } = await this.#clients.cloudfront.getDistribution({ Id: site.id })
    if (Distribution!.Status !== 'Deployed') {
      this.#findings.violation(`distribution ${site.name}: expected Deployed, seen ${Distribution!.Status}`)
    }
  }

  async close(): Promise<void> {
    this.#resting = true
    await within(REST_MS, 'the load coming to rest', Promise.all(this.#lanes)).catch((error: Error) =>
      this.#findings.violation(error.message),
    )
    this.cache.close()
    this.#agent.destroy()
    this.#clients.cloudfront.destroy()
    this.#clients.elasticache.destroy()
    await Promise.all([...this.#sites, ...Object.values(this.#cached)].map((site) => site.close()))
  }
}

/** A group with replicas, a node without, and memcached; returns the group's ARN. */
async function createCaches(client: ElastiCache): Promise<string> {
  const size = { CacheNodeType: 'cache.t4g.micro' }
  const { ReplicationGroup } = await client.createReplicationGroup({
    ...{ ReplicationGroupId: 'drill', ReplicationGroupDescription: 'description 0', Engine: 'redis', ...size },
    ...{ NumCacheClusters: REPLICAS + 1, AutomaticFailoverEnabled: true },
  })
  await client.createCacheCluster({ CacheClusterId: 'solo', Engine: 'redis', NumCacheNodes: 1, ...size })
  await client.createCacheCluster({ CacheClusterId: 'mem', Engine: 'memcached', NumCacheNodes: 2, ...size })
  return ReplicationGroup!.ARN!
}
