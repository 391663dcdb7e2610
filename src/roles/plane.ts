//! State, keeper's link, control and API, put together and taken apart again.
import { totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KeyPair } from '../aws/sigv4.ts'
import { programVersion } from '../config.ts'
import type { ListenAddress } from '../config-values.ts'
import type { Control } from '../control/control.ts'
import type { KeeperLink } from '../control/keeper-link.ts'
import { addressGuard } from '../edge/origin/guard.ts'
import { stapleDirectory } from '../lib/ca/staple-file.ts'
import type { Clock } from '../lib/clock.ts'
import { identify, signalProcess, waitForEnd } from '../lib/process.ts'
import { explainRoute } from '../services/cachefront/explain-route.ts'
import type { Health } from '../services/cachefront/installation.ts'
import { cacheSource } from '../services/monitoring/cache-source.ts'
import { certificateSource } from '../services/monitoring/certificate-source.ts'
import { monitoringOperations } from '../services/monitoring/operations.ts'
import { cacheObservers } from './cache-observers.ts'
import { challengeZoneOf, openIssuer } from './certificate-issuer.ts'
import { dedicatedAddresses } from './dedicated-ips.ts'
import { removeUnusedDiskCaches } from './disk-caches.ts'
import { openDoor } from './door.ts'
import { StartError } from './errors.ts'
import { keepExplainKey } from './explain-key.ts'
import { type KeeperStart, watchKeeper } from './keeper-process.ts'
import { MovedClock } from './moved-clock.ts'
import { keepS3Keys } from './s3-keys.ts'
import { openSnapshots } from './snapshots.ts'
import { type ListeningNetwork, ownAddresses, workerWishes } from './worker-settings.ts'

/** Longest wait for a keeper to answer and to report. Milliseconds. */
const KEEPER_MS = 10_000
/** Longest wait for a keeper that was told to end, before it is killed. Milliseconds. */
const KEEPER_END_MS = 2_000
/** Longest wait for workers to finish what they serve, when the keeper stays. Milliseconds. */
const DRAIN_MS = 15_000
/** How long the answer to a stop may take to leave. Milliseconds. */
const ANSWER_MS = 20
/** Milliseconds between two looks. */
const LOOK_MS = 5

export interface PlaneOptions extends KeeperStart {
  readonly clock: Clock
  /** Known before: workers are told what no origin may be. */
  readonly api: ListenAddress
  readonly network: ListeningNetwork
  /** A keeper that was started for this start is ended again when it fails; null when one was there. */
  readonly keeperPid: number | null
  /** One line for the operator. */
  readonly log: (line: string) => void
  readonly onStop: (engines: boolean) => void
}

export interface Plane {
  readonly api: ListenAddress
  /** What this program signs its own calls with where keys are required; null where any will do. */
  readonly ownKeys: KeyPair | null
  health(): Promise<Health>
  /**
   * Ends API, workers, and the keeper unless it has caches to look after; caches too with `engines`. Resolves with the
   * ids of those that still run.
   */
  stop(engines: boolean): Promise<readonly string[]>
}

/** @throws an error for a person */
export async function startPlane(options: PlaneOptions): Promise<Plane> {
  const ends: (() => Promise<void>)[] = []
  try {
    return await start(options, ends)
  } catch (error) {
    for (const end of ends.reverse()) await end().catch(() => {})
    throw error
  }
}

async function start(options: PlaneOptions, ends: (() => Promise<void>)[]): Promise<Plane> {
  const { config, paths, clock, log } = options
  const version = programVersion()
  const ownKeeper = options.keeperPid === null ? null : identify(options.keeperPid)
  ends.push(async () => {
    if (ownKeeper === null) return
    signalProcess(ownKeeper, 'SIGTERM')
    if (!(await waitForEnd(ownKeeper, KEEPER_END_MS))) signalProcess(ownKeeper, 'SIGKILL')
  })
  const [state, modules] = await Promise.all([
    import('../state/sqlite.ts').then(({ openSqliteState }) => openSqliteState(paths.state, clock)),
    loadModules(),
  ])
  ends.push(() => state.close())
  const door = await openDoor({ config, paths, state, clock, log })
  ends.push(() => door.close())
  const link = await modules
    .openKeeperLink({
      socketPath: paths.keeperSocket,
      version,
      state,
      clock,
      onError: (error) => log(`an event of the keeper could not be stored: ${(error as Error).message}`),
    })
    .catch((error) => {
      throw new StartError(`The keeper does not answer; ${paths.logs}/keeper.log may say why.`, error)
    })
  ends.push(async () => (options.keeperPid !== null ? link.stop({ engines: false, workers: true }) : link.close()))
  // Before a worker starts that is to read it.
  const explainKey = await keepExplainKey(paths.explainKey)
  const nodeNetwork = await networkOf(link)
  const workers = workerWishes(
    config,
    options.network,
    options.api,
    nodeNetwork,
    await keepS3Keys(paths.s3Keys, config.s3.keys),
  )
  // Nothing is sent before the groups are wished too: that is when the control below has begun.
  link.wish({ workers })
  const certificates = new Map(config.cacheCertificates.map(({ name, directory }) => [name, directory]))
  const acknowledged = (): number | null => started.feed.acknowledged()
  const issuer = await openIssuer({ ...options, state, acknowledged })
  ends.push(async () => issuer.close())
  const observers = cacheObservers({ state, keeper: link, clock, config, paths, log })
  const snapshots = await openSnapshots(config, state, link, clock, () => started.poke('snapshots'))
  ends.push(() => snapshots.close())
  const readings = new AbortController()
  const started: Control = await modules.startControl({
    state,
    clock,
    movableClock: clock instanceof MovedClock ? clock : null,
    feedSocket: paths.feedSocket,
    edgeDomain: config.edgeDomain,
    version,
    workers: workers.map((worker) => worker.name),
    network: config.network,
    keeper: link,
    tasks: [
      {
        task: modules.cachesTask(state, link, clock, config.sourceNetworks, door.iam),
        kinds: modules.CACHE_KINDS,
      },
      snapshots.poked,
      { task: modules.maintenanceTask(state, clock), kinds: modules.MAINTENANCE_KINDS },
      {
        task: modules.certificatesTask({ state, keeper: link, clock, directories: certificates }),
        kinds: modules.CERTIFICATE_KINDS,
      },
      modules.acmCertificatesTask({ state, clock, issuer, log }),
      modules.ocspTask({
        ...{ state, clock, directory: stapleDirectory(paths.tls), signal: readings.signal, problem: log },
        guard: addressGuard(ownAddresses(config, options.network, options.api, nodeNetwork), config.allowOrigins),
      }),
      { task: modules.serviceUpdatesTask(state, link, clock), kinds: modules.SERVICE_UPDATE_KINDS },
      modules.trustStoresTask({ state, stores: snapshots.stores, clock, signal: readings.signal }),
      ...observers.tasks,
    ],
    onStop: async ({ engines }) => {
      // The answer to whoever asked leaves first, so that its connection does not hold up the end.
      setTimeout(() => options.onStop(engines), ANSWER_MS)
    },
    onProblem: log,
  })
  link.onSeen(() => {
    started.poke('caches')
    started.poke('snapshots')
    started.poke('certificates')
  })
  const names = workers.map((worker) => worker.name)
  void removeUnusedDiskCaches(config, paths, names, log)
  const unwatchKeeper = watchKeeper(options, link, log)
  ends.push(async () => unwatchKeeper())
  ends.push(() => started.close())
  ends.push(async () => readings.abort())
  const api = await modules.createApi({
    listen: options.api,
    services: {
      acm: modules.ACM_OPERATIONS,
      cloudfront: modules.CLOUDFRONT_OPERATIONS,
      elasticache: modules.ELASTICACHE_OPERATIONS,
      monitoring: monitoringOperations([cacheSource(observers.measurements), certificateSource(state, clock)]),
      wafv2: modules.WAF_OPERATIONS,
    },
    context: {
      state,
      clock,
      accountId: config.accountId,
      region: config.region,
      edgeDomain: config.edgeDomain,
      dedicatedAddresses: dedicatedAddresses(config.dedicatedIps),
      quotas: config.quotas,
      stores: snapshots.stores,
      certificates,
      ...challengeZoneOf(config),
      keys: snapshots.keys,
      host: link,
      sourceNetworks: config.sourceNetworks,
      logDestinations: new Map(config.logDestinations.map(({ name, destination }) => [name, destination])),
      topics: new Set(config.topics.map(({ arn }) => arn)),
      nodeMemory: { hostBytes: memoryBytes(), overcommit: config.nodeMemoryOvercommit },
      waf: modules.wafAtEdges(started.feed),
    },
    localRoutes: [
      ...modules.localRoutes(
        started,
        { state, clock, quotas: config.quotas, accountId: config.accountId },
        observers.measurements,
        link,
        door.metrics,
      ),
      ...snapshots.routes,
      ...door.routes,
      explainRoute(explainKey, clock),
    ],
    keys: door.keys,
    requireKeys: door.requireKeys,
    audit: door.audit,
    metrics: door.metrics,
    allowedHosts: config.allowHosts,
    clock,
    log,
  })
  return {
    api: api.address,
    ownKeys: door.ownKeys,
    health: () => started.health(),
    async stop(engines) {
      unwatchKeeper()
      await api.close()
      const left = engines ? [] : (link.seen()?.groups ?? []).map((group) => group.id)
      if (left.length === 0) await endKeeper(link, engines)
      else await drainWorkers(link, log)
      readings.abort()
      await started.close()
      await snapshots.close()
      issuer.close()
      link.close()
      await door.close()
      await state.close()
      return left
    },
  }
}

/** What this process may have: the host's memory, or less where a control group says so. */
function memoryBytes(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem()
}

/** All at the same time: the SDK's schemas are the slowest part of a start. */
async function loadModules() {
  const [
    link,
    control,
    wafQuestions,
    caches,
    maintenance,
    certificates,
    acm,
    ocsp,
    updates,
    trustStores,
    api,
    certificateManager,
    cloudfront,
    elasticache,
    waf,
    routes,
  ] = await Promise.all([
    import('../control/keeper-link.ts'),
    import('../control/control.ts'),
    import('../control/waf-at-edges.ts'),
    import('../control/tasks/caches.ts'),
    import('../control/tasks/maintenance.ts'),
    import('../control/tasks/certificates.ts'),
    import('../control/tasks/acm-certificates.ts'),
    import('../control/tasks/ocsp.ts'),
    import('../control/tasks/service-updates.ts'),
    import('../control/tasks/trust-stores.ts'),
    import('../api/create-api.ts'),
    import('../services/acm/operations.ts'),
    import('../services/cloudfront/operations.ts'),
    import('../services/elasticache/operations.ts'),
    import('../services/wafv2/operations.ts'),
    import('../services/cachefront/routes.ts'),
  ])
  return {
    ...link,
    ...control,
    ...wafQuestions,
    ...caches,
    ...maintenance,
    ...certificates,
    ...acm,
    ...ocsp,
    ...updates,
    ...trustStores,
    ...api,
    ...certificateManager,
    ...cloudfront,
    ...elasticache,
    ...waf,
    ...routes,
  }
}

/** The keeper tells with its first report which addresses its caches have. */
async function networkOf(link: KeeperLink): Promise<string | null> {
  for (let waited = 0; waited < KEEPER_MS; waited += LOOK_MS) {
    const seen = link.seen()
    if (seen !== null) return seen.nodeNetwork
    await sleep(LOOK_MS)
  }
  throw new StartError('The keeper answers and does not report what runs on this host.')
}

/** The keeper says that it has stopped a moment before its process ends. */
async function endKeeper(link: KeeperLink, engines: boolean): Promise<void> {
  const keeper = identify(link.pid ?? 0)
  await link.stop({ engines, workers: true }).catch(() => {})
  if (keeper !== null) await waitForEnd(keeper, KEEPER_MS)
}

/** The keeper stays with the caches; the workers finish what they serve and end. */
async function drainWorkers(link: KeeperLink, log: (line: string) => void): Promise<void> {
  link.wish({ workers: [] })
  for (let waited = 0; waited < DRAIN_MS; waited += LOOK_MS) {
    if (link.seen()?.workers.every((worker) => worker.pid === null) ?? true) return
    await sleep(LOOK_MS)
  }
  log(`edge workers have not ended within ${DRAIN_MS / 1000} s; the keeper goes on ending them`)
}
