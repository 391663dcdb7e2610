//! Health of the installation from what its parts say of themselves.
import type { Topology } from '../domain/topology.ts'

import type { FailingOrigin } from '../edge/feed-protocol.ts'
import type { KeeperSeen } from '../keeper/protocol.ts'
import type { Health, PartHealth, PopHealth } from '../services/cachefront/installation.ts'
import type { LiveWorker } from './live-workers.ts'
import type { TaskStatus } from './reconciler.ts'

export interface HealthFacts {
  readonly version: string
  /** Of the state, or why it cannot be read. */
  readonly revision: number | Error
  /** Null without a keeper: this control runs none. */
  readonly keeper: { readonly seen: KeeperSeen | null } | null
  readonly live: readonly LiveWorker[]
  readonly network: Topology
  /** Names of places that an operator has taken down. */
  readonly down: ReadonlySet<string>
  readonly missing: readonly string[]
  readonly tasks: readonly TaskStatus[]
  /** What is wrong with each, by id. */
  readonly brokenDistributions: ReadonlyMap<string, string>
  /** What is wrong with certificates in use, by their names. */
  readonly certificateProblems: ReadonlyMap<string, string>
  /** Whether everything was well once since the start. */
  readonly wasReady: boolean
}

export function healthOf(facts: HealthFacts): Health {
  const { revision, keeper, live, missing, tasks } = facts
  const own: PartHealth[] = [
    revision instanceof Error
      ? { name: 'state', ok: false, detail: revision.message }
      : { name: 'state', ok: true, detail: `revision ${revision}` },
    ...(keeper === null ? [] : keeperParts(keeper)),
    ...live.map(workerPart).sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true })),
    ...namePart(live),
    ...missing.map((name) => ({ name, ok: false, detail: 'holds no lease: it has not come, or does not answer' })),
    ...tasks.flatMap(failedTask),
  ]
  const resources = [
    ...(keeper?.seen?.groups ?? []).flatMap(cachePart),
    ...[...facts.brokenDistributions].map(brokenPart),
    ...silentParts(live),
    ...[...facts.certificateProblems].map(([name, detail]) => ({ name: `certificate ${name}`, ok: false, detail })),
  ]
  // The status is the installation's: a single cache or distribution may be broken for good, and the rest must start and
  // serve all the same. Its part says what is wrong with it.
  const well = own.every((part) => part.ok) && live.length > 0
  return {
    status: well ? 'ok' : facts.wasReady ? 'degraded' : 'starting',
    version: facts.version,
    revision: revision instanceof Error ? -1 : revision,
    pops: popsOf(live, facts.down),
    regionals: facts.network.regionals.map(({ name, region }) => ({ name, region, ...downIf(facts.down, name) })),
    parts: [...own, ...resources],
    origins: failingOrigins(live),
    ...troubles(live),
  }
}

function keeperParts(keeper: NonNullable<HealthFacts['keeper']>): PartHealth[] {
  const { seen } = keeper
  if (seen === null) return [{ name: 'keeper', ok: false, detail: 'does not answer' }]
  const binaries = seen.binaries.map((binary) => `${binary.engine} ${binary.version}`)
  return [
    { name: 'keeper', ok: true, detail: `workers: ${seen.workers.length}, caches: ${seen.groups.length}` },
    // A host without engines is well: the edge serves, and what needs an engine says so when it is called.
    { name: 'engines', ok: true, detail: binaries.length > 0 ? binaries.join(', ') : 'none found on this host' },
  ]
}

/** A cache that cannot settle is not silent: its keeper says why. */
function cachePart({ id, problem }: KeeperSeen['groups'][number]): PartHealth[] {
  return problem === null ? [] : [{ name: `cache ${id}`, ok: false, detail: problem }]
}

const brokenPart = ([id, detail]: readonly [string, string]): PartHealth => ({
  name: `distribution ${id}`,
  ok: false,
  detail,
})

/** A distribution that is not reached at the address it has for itself, with the workers that cannot bind it. */
function silentParts(live: readonly LiveWorker[]): PartHealth[] {
  const workers = new Map<string, string[]>()
  for (const { identity, silent } of live) {
    for (const { distributionId, address, code } of silent) {
      const key = `${distributionId} ${address} ${code}`
      workers.set(key, [...(workers.get(key) ?? []), identity.worker])
    }
  }
  return [...workers].map(([key, names]) => {
    const [id, address, code] = key.split(' ') as [string, string, string]
    const where = `not reached at ${address}, its own address, through ${names.join(', ')}`
    return { name: `distribution ${id}`, ok: false, detail: `${where}: ${bindText(code)} (${code}); tried on` }
  })
}

const BIND_TEXTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has the port',
  EADDRNOTAVAIL: 'no interface has the address',
  EACCES: 'the worker may not use the port',
}
const bindText = (code: string): string => BIND_TEXTS[code] ?? 'it cannot be bound'

function workerPart(worker: LiveWorker): PartHealth {
  const { worker: name, pid } = worker.identity
  if (worker.connection === null) return { name, ok: false, detail: `process ${pid} has lost its connection` }
  if (worker.acknowledged < 0) return { name, ok: false, detail: `process ${pid} has no configuration yet` }
  return { name, ok: true, detail: `process ${pid}, revision ${worker.acknowledged}` }
}

/** The name server, which runs in every worker. */
function namePart(live: readonly LiveWorker[]): PartHealth[] {
  const wished = live.filter(({ identity }) => identity.dns !== undefined)
  const failed = wished.filter(({ identity }) => identity.dns === null).map(({ identity }) => identity.worker)
  if (wished.length === 0) return []
  if (failed.length > 0) return [{ name: 'dns', ok: false, detail: `does not listen in ${failed.join(', ')}` }]
  return [{ name: 'dns', ok: true, detail: `answers at ${wished[0]?.identity.dns}` }]
}

function failedTask({ name, last }: TaskStatus): PartHealth[] {
  if (last?.result.outcome !== 'failed') return []
  return [{ name: `task ${name}`, ok: false, detail: last.result.message }]
}

const downIf = (down: ReadonlySet<string>, name: string): { state?: 'down' } =>
  down.has(name) ? { state: 'down' } : {}

/** Each POP once: all workers serve every POP on one address. */
function popsOf(live: readonly LiveWorker[], down: ReadonlySet<string>): PopHealth[] {
  const pops = new Map<string, PopHealth>()
  for (const { identity, connection } of live) {
    for (const { name, region, http, https, ipv6, ipv6Https } of identity.pops) {
      const known = pops.get(name)
      const isReached = connection !== null && !down.has(name)
      pops.set(name, {
        ...{ name, region, http: known?.http ?? (isReached ? http : null) },
        https: known?.https ?? (isReached ? https : null),
        ...(ipv6 && isReached ? { ipv6 } : {}),
        ...(ipv6Https && isReached ? { ipv6Https } : {}),
        ...downIf(down, name),
      })
    }
  }
  return [...pops.values()]
}

/** Of the workers that are attacked and those that are overloaded; absent for none. */
function troubles(live: readonly LiveWorker[]): Pick<Health, 'attacks' | 'overloads'> {
  const attacks = live.flatMap(({ identity, shield }) =>
    shield?.attack ? [{ worker: identity.worker, ...shield.attack }] : [],
  )
  const overloads = live.flatMap(({ identity, shield }) =>
    shield?.overload ? [{ worker: identity.worker, ...shield.overload }] : [],
  )
  return { ...(attacks.length === 0 ? {} : { attacks }), ...(overloads.length === 0 ? {} : { overloads }) }
}

/** Origins that health names. */
const FAILING_MAX = 20

/**
 * Origins that fail for some worker, each once, with its newest failure first. They are their owners' and make no
 * installation unwell.
 */
function failingOrigins(live: readonly LiveWorker[]): FailingOrigin[] {
  const newest = new Map<string, FailingOrigin>()
  for (const origin of live.flatMap(({ failing }) => failing)) {
    const key = `${origin.distributionId} ${origin.originId}`
    const known = newest.get(key)
    if (known === undefined || known.at < origin.at) newest.set(key, origin)
  }
  return [...newest.values()].sort((one, other) => other.at.localeCompare(one.at)).slice(0, FAILING_MAX)
}
