//! The drill of caches: an installation with a replication group of three, five clients that write all the while, and
//! first every fault of the table, then many deaths of the primary at random moments. Counts what was lost and what came
//! twice, and measures for how long each client could not write.
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ElastiCache } from '@aws-sdk/client-elasticache'
import { Redis } from 'ioredis'
import { cut } from '../../support/network-namespace.ts'
import { endAll, newHome } from '../../support/program-installation.ts'
import { Findings, within } from '../findings.ts'
import { type Random, seededRandom } from '../random.ts'
import { Target } from '../target.ts'
import { REPLICAS, WRITERS } from './clients.ts'
import { FAULTS, type Fault, GROUP, type Scene } from './faults.ts'
import { StatusWatcher } from './status-watcher.ts'
import { EndpointWatcher, infoAt } from './watcher.ts'
import { NumberWriter, type Verdict } from './writer.ts'

export interface CachesDrillOptions {
  readonly seed: number
  /** Names of faults; null for all. */
  readonly acts: readonly string[] | null
  /** Deaths of the primary at random moments, after the faults. */
  readonly kills: number
  /** True in a network (and with mounts) of the drill's own. */
  readonly isApart: boolean
  readonly onRow: (row: FaultRow) => void
  readonly onKill: (number: number, gapsMs: Readonly<Record<string, number>>) => void
  readonly onSkip: (fault: string, why: string) => void
}

export interface FaultRow {
  readonly fault: string
  readonly done: string
  /** From the end of the blow until all was well. */
  readonly wellMs: number
  /** Longest time without an accepted write, by writer. */
  readonly downtimeMs: Readonly<Record<string, number>>
}

export interface CachesReport {
  readonly seed: number
  readonly faults: readonly FaultRow[]
  readonly kills: number
  /** Of the random deaths, by writer. Milliseconds. */
  readonly killDowntimeMs: Readonly<Record<string, { readonly median: number; readonly max: number }>>
  readonly writers: Readonly<Record<string, Omit<Verdict, 'lost'> & { readonly lost: number }>>
  /** Processes that were primary at the endpoint, one after the other. */
  readonly primaries: number
  readonly violations: readonly string[]
}

/** A file system that can be filled: room for the disk cache, the logs and the state. */
const HOME_SIZE = '192m'
/** Writes that every writer must have accepted after a fault. */
const GO_ON = 5
const GO_ON_MS = 30_000
/** A death comes at any moment of this long. Milliseconds. */
const KILL_WITHIN_MS = 300
const STATUS_MS = 15_000

export async function drillCaches(options: CachesDrillOptions): Promise<CachesReport> {
  const findings = new Findings()
  const home = await newHome()
  const mayFill = options.isApart && mounted(home)
  const undo = (): void => {
    if (mayFill) execFileSync('umount', ['-l', home])
  }
  const interrupted = (): void => {
    void endAll(home, undo).finally(() => process.exit(130))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted)
  const rows: FaultRow[] = []
  const gaps = new Map<string, number[]>()
  const verdicts: Record<string, Verdict> = {}
  let primaries = 0
  try {
    const target = await Target.start(home, 1, ['--movable-clock'])
    const client = clientOf(target)
    await createGroup(client)
    await target.well([])
    const { endpoint } = await target.group(GROUP)
    const watcher = new EndpointWatcher(endpoint, findings)
    const statuses = new StatusWatcher(target, GROUP, findings)
    const writers = WRITERS.map((spec) => new NumberWriter(spec))
    for (const writer of writers) await writer.start(endpoint)
    const writesGoOn = async () => {
      await within(GO_ON_MS, 'writes after a fault', Promise.all(writers.map((writer) => writer.goesOn(GO_ON))))
    }
    await writesGoOn()
    const random = seededRandom(options.seed)
    const scene: Scene = { target, random, mayCut: options.isApart, mayFill, writesGoOn }
    const check = () => checkStatuses(target, findings)
    try {
      await playFaults(options, scene, writers, rows, check)
      await playKills(options, scene, writers, gaps, check)
    } finally {
      for (const writer of writers) await within(GO_ON_MS, `the end of ${writer.name}`, writer.stop())
      await watcher.stop()
      await statuses.stop()
      if (statuses.looks === 0) findings.violation('the API: expected statuses, seen none')
      primaries = watcher.count
    }
    await judge(endpoint, writers, verdicts, findings)
  } catch (error) {
    findings.violation((error as Error).stack ?? String(error))
  } finally {
    if (options.isApart) cut([])
    const left = await endAll(home, undo)
    if (left.length > 0) findings.violation(`after the end: expected no process, seen ${left.join('; ')}`)
  }
  return {
    ...{ seed: options.seed, faults: rows, kills: options.kills, primaries, violations: findings.violations },
    killDowntimeMs: Object.fromEntries([...gaps].map(([name, of]) => [name, medianAndMax(of)])),
    writers: Object.fromEntries(Object.entries(verdicts).map(([name, v]) => [name, { ...v, lost: v.lost.length }])),
  }
}

function mounted(home: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${HOME_SIZE},mode=0700`, 'tmpfs', home], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const clientOf = (target: Target): ElastiCache =>
  new ElastiCache({
    ...{ endpoint: target.api, region: 'us-east-1' },
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })

async function createGroup(client: ElastiCache): Promise<void> {
  await client.createReplicationGroup({
    ...{ ReplicationGroupId: GROUP, ReplicationGroupDescription: 'drill', Engine: 'redis' },
    ...{ CacheNodeType: 'cache.t4g.micro', NumCacheClusters: REPLICAS + 1, AutomaticFailoverEnabled: true },
  })
  client.destroy()
}

type Check = () => Promise<void>

async function playFaults(
  options: CachesDrillOptions,
  scene: Scene,
  writers: readonly NumberWriter[],
  rows: FaultRow[],
  check: Check,
): Promise<void> {
  const faults = options.acts === null ? FAULTS : options.acts.map((name) => FAULTS.find((f) => f.name === name)!)
  for (const fault of faults) {
    const why = whyNot(fault, scene)
    if (why !== null) {
      options.onSkip(fault.name, why)
      continue
    }
    for (const writer of writers) writer.takeGap()
    const { done, gone } = await fault.run(scene)
    const wellMs = await scene.target.well(gone)
    await scene.writesGoOn()
    const row = { fault: fault.name, done, wellMs, downtimeMs: takeGaps(writers) }
    rows.push(row)
    options.onRow(row)
    await check()
  }
}

function whyNot(fault: Fault, scene: Scene): string | null {
  if (fault.needs === 'network' && !scene.mayCut) return 'NOT SHOWN: needs a network namespace and nftables'
  if (fault.needs === 'disk' && !scene.mayFill) return 'NOT SHOWN: needs the right to mount a small file system'
  return null
}

async function playKills(
  options: CachesDrillOptions,
  scene: Scene,
  writers: readonly NumberWriter[],
  gaps: Map<string, number[]>,
  check: Check,
): Promise<void> {
  const primaryKilled = FAULTS.find((fault) => fault.name === 'primary killed')!
  for (let number = 1; number <= options.kills; number++) {
    await atAnyMoment(scene.random)
    for (const writer of writers) writer.takeGap()
    const { gone } = await primaryKilled.run(scene)
    await scene.target.well(gone)
    await scene.writesGoOn()
    const taken = takeGaps(writers)
    for (const [name, gap] of Object.entries(taken)) gaps.set(name, [...(gaps.get(name) ?? []), gap])
    options.onKill(number, taken)
  }
  if (options.kills > 0) await check()
}

const atAnyMoment = (random: Random): Promise<void> => sleep(random.whole(KILL_WITHIN_MS))
const takeGaps = (writers: readonly NumberWriter[]) => Object.fromEntries(writers.map((w) => [w.name, w.takeGap()]))

function medianAndMax(values: readonly number[]): { median: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, max: sorted.at(-1) ?? 0 }
}

/** A write that all replicas had is there; the counts of the others are told, and promised nothing. */
async function judge(
  endpoint: string,
  writers: readonly NumberWriter[],
  verdicts: Record<string, Verdict>,
  findings: Findings,
): Promise<void> {
  const redis = new Redis(6379, endpoint, { commandTimeout: 10_000 })
  for (const [at, writer] of writers.entries()) {
    const verdict = writer.judge(await redis.lrange(writer.list, 0, -1))
    verdicts[writer.name] = verdict
    if (verdict.acknowledged === 0) findings.violation(`${writer.name}: expected acknowledged writes, seen none`)
    if (WRITERS[at]!.wait.replicas < REPLICAS || verdict.lost.length === 0) continue
    const numbers = verdict.lost.slice(0, 10).join(' ')
    findings.violation(`${writer.name}: ${verdict.lost.length} writes that all replicas had are lost: ${numbers}`)
  }
  redis.disconnect()
}

/** The API's word against the engines': status, roles, endpoints. */
async function checkStatuses(target: Target, findings: Findings): Promise<void> {
  const client = clientOf(target)
  let wrong: string | null = ''
  for (let waited = 0; waited < STATUS_MS && wrong !== null; waited += 50) {
    wrong = await statusTrouble(target, client).catch((error: Error) => error.message)
    if (wrong !== null) await sleep(50)
  }
  client.destroy()
  if (wrong !== null) findings.violation(wrong)
}

async function statusTrouble(target: Target, client: ElastiCache): Promise<string | null> {
  const { ReplicationGroups } = await client.describeReplicationGroups({ ReplicationGroupId: GROUP })
  const group = ReplicationGroups![0]!
  if (group.Status !== 'available') return `status of ${GROUP}: expected available, seen ${group.Status}`
  const shard = group.NodeGroups![0]!
  const roles = shard.NodeGroupMembers!.map((member) => [member.CacheClusterId, member.CurrentRole] as const)
  const nodes = (await target.group(GROUP)).nodes
  for (const [id, told] of roles) {
    const info = await infoAt(nodes.find((node) => node.id === id)!.address)
    const role = info.includes('role:master') ? 'primary' : 'replica'
    if (told !== role) return `role of ${id}: expected ${role}, as the engine says, seen ${told}`
  }
  const atPrimary = await infoAt(shard.PrimaryEndpoint!.Address!)
  if (!atPrimary.includes('role:master')) return 'the primary endpoint: expected a primary, seen none'
  const atReader = await infoAt(shard.ReaderEndpoint!.Address!)
  return atReader.includes('role:slave') ? null : 'the reader endpoint: expected a replica, seen none'
}
