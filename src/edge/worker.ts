//! An edge worker put together: listener, table, cache, origins, peers, feed. Everything is given to it; it reads no
//! environment and prints nothing.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RegionalDoc } from '../domain/topology.ts'
import { formatHttpDate } from '../http/http-date.ts'
import { type Clock, MovableClock } from '../lib/clock.ts'
import { AccessLog } from '../observe/access-log.ts'
import { AccessLogFile } from '../observe/access-log-file.ts'
import { COUNTER, Counters } from '../observe/counters.ts'
import { TraceRing } from '../observe/trace.ts'
import { VerifiedPolicies } from './access/verified-policies.ts'
import { Flights } from './cache/collapse.ts'
import { DiskTier } from './cache/disk/tier.ts'
import { TieredStore } from './cache/disk/tiered-store.ts'
import { FailureMemory } from './cache/failures.ts'
import { Invalidations } from './cache/invalidation.ts'
import { MemoryStore } from './cache/memory.ts'
import { ownsKey } from './cache/owner.ts'
import { CacheWalks } from './cache-walk.ts'
import type { OwnCertificates } from './certificates.ts'
import { Compressions } from './compression/compressions.ts'
import { DedicatedListeners } from './dedicated-listeners.ts'
import type { DnsListen, DnsServer } from './dns/server.ts'
import type { Edge } from './edge.ts'
import { connectFeed, type Feed } from './feed.ts'
import type { WorkerIdentity } from './feed-protocol.ts'
import { FieldBodies } from './fields/body.ts'
import { FieldCipher } from './fields/cipher.ts'
import { Geo } from './geo/geo.ts'
import { runInner, viewerHandler } from './handler.ts'
import { openHandshakes } from './handshakes.ts'
import { countHttp2Limit } from './http2-counters.ts'
import { type ListenAddress, type PopAddresses, type PopListen, PopListeners, type SharedListen } from './listeners.ts'
import { readableAuthorities } from './origin/authorities.ts'
import { Distributions } from './origin/distribution/distributions.ts'
import { Folders } from './origin/folder/folders.ts'
import { addressGuard } from './origin/guard.ts'
import { OriginHealth } from './origin/health.ts'
import { Origins } from './origin/pool.ts'
import type { S3Settings } from './origin/reached.ts'
import { type Lookup, OriginNames, systemLookup } from './origin/resolve.ts'
import type { S3Keys } from './origin/sign.ts'
import { OriginSources } from './origin/sources.ts'
import { OriginTls } from './origin/tls.ts'
import { PeerClient } from './peers/client.ts'
import { servePeers } from './peers/server.ts'
import { placesOf } from './places.ts'
import { type ProtectionOptions, protect } from './protecting.ts'
import { answerQuestion } from './questions.ts'
import { createRecorder } from './recorder.ts'
import { Refreshes } from './refresh.ts'
import { refuseRequest } from './refusing.ts'
import { RequestIds } from './request-ids.ts'
import { Running } from './running.ts'
import { Configuration } from './snapshot/configuration.ts'
import { SnapshotSaver } from './snapshot/disk.ts'
import { loadSnapshot } from './snapshot/disk-lines.ts'
import { locates, type Snapshot } from './snapshot/snapshot.ts'
import { to } from './stage.ts'
import { TrustedProxies } from './viewer/trusted-proxies.ts'
import { openTokenKeys } from './waf/token-keys.ts'
import { Waf } from './waf/waf.ts'

export interface WorkerOptions extends ProtectionOptions {
  /** `worker-0`; unique in the installation. */
  readonly name: string
  /** Version of the program. */
  readonly version: string
  /** Unix socket of control's feed; it need not be there yet. */
  readonly feedSocket: string
  /** Unix socket that this worker's peers reach it on; at most 100 characters. */
  readonly peerSocket: string
  /** Where the last snapshot is kept. */
  readonly snapshotFile: string
  /** The POPs of the installation, each at its addresses. */
  readonly pops: readonly PopListen[]
  readonly regionals: readonly RegionalDoc[]
  /** For the POPs' HTTPS addresses; may be absent where none has one. */
  readonly certificates?: OwnCertificates
  /** Other workers listen at the same addresses. */
  readonly reusePort: boolean
  /** Bytes of the memory tier. */
  readonly cacheBytes: number
  /** The disk tier: where, and bytes of all its files; null for none. */
  readonly disk?: { readonly directory: string; readonly limitBytes: number } | null
  /** Files (PEM) of authorities that origins may have their certificates from, besides the public ones. */
  readonly originAuthorities?: readonly string[]
  /** How names of origins are resolved; the system's way unless a test has another. */
  readonly lookup?: Lookup
  /** As of OriginParts.connectionMs. */
  readonly originConnectionMs?: number
  /** CIDRs that may be origins in spite of the guard (origin/guard.ts). */
  readonly allowOrigins: readonly string[]
  /** `address:port` and CIDRs of this installation that no origin may be. */
  readonly ownAddresses: readonly string[]
  /** The name server of the edge domain; null or absent for none. */
  readonly dns?: (DnsListen & { readonly edgeDomain: string }) | null
  /** CIDRs of proxies in front whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[]
  /** GeoIP databases of the operator's own (edge/geo/databases.ts). */
  readonly geoip?: readonly string[]
  /** Every distribution is in strict mode, whatever its tags. */
  readonly rfcStrict?: boolean
  /** Where buckets are reached; AWS's own S3 when absent. */
  readonly s3?: S3Settings
  /** Absolute directories that are origins, `NAME.folder.cachefront`, by name. */
  readonly folders?: ReadonlyMap<string, string>
  /** What signs requests for buckets; null or absent for nothing. */
  readonly s3Keys?: S3Keys | null
  readonly logDirectory: string
  /** Directory of the keys of WAF challenges' tokens, shared by the workers of a host; null or absent for keys of its own. */
  readonly tokenKeys?: string | null
  /** Of a test that wants to know; otherwise Math.random. */
  readonly random?: () => number
  /** A MovableClock is moved by the feed. */
  readonly clock: Clock
  readonly explain: 'loopback' | 'off'
  /** What tokens of admins who want a request explained are verified with; null or absent for none. */
  readonly explainKey?: Uint8Array | null
  /** One line for the operator: an origin that fails, a snapshot that cannot be saved. No secrets. */
  readonly problem: (message: string) => void
}

export interface Worker {
  /** Where viewers reach it, in the order of the POPs. */
  readonly addresses: readonly PopAddresses[]
  /** Where its name server listens; null for none. */
  readonly dns: DnsListen | null
  readonly identity: WorkerIdentity
  /** Resolves when the worker has a configuration to serve with: from its disk or from the feed. */
  readonly whenConfigured: Promise<void>
  /** Resolves when it has drained, because control or the caller asked for it. */
  readonly whenDrained: Promise<void>
  /** Accepts no more, finishes what runs, then closes. */
  drain(): Promise<void>
  /** Cuts everything. */
  close(): Promise<void>
}

/** Longest wait, at the end, for requests whose connections are gone to be recorded. Milliseconds. */
const RECORDED_MS_MAX = 1_000

/**
 * Starts a worker; resolves when it accepts viewers.
 * @throws the system's error when an address or socket cannot be bound or a directory not be made.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { clock, problem } = options
  await mkdir(options.logDirectory, { recursive: true, mode: 0o700 })
  const counters = new Counters()
  const traces = new TraceRing()
  const logFile = new AccessLogFile({ path: join(options.logDirectory, `access-${options.name}.log`), clock, counters })
  const memory = new MemoryStore(options.cacheBytes)
  const invalidations = new Invalidations()
  const configuration = new Configuration(invalidations, problem, { rfcStrict: options.rfcStrict, s3: options.s3 })
  const saver = new SnapshotSaver(options.snapshotFile, problem)
  const saved = await loadSnapshot(options.snapshotFile)
  if (saved !== null) configuration.restore(saved)
  const originHealth = new OriginHealth()
  const accessLog = new AccessLog(clock, logFile)
  const recorder = createRecorder({ counters, accessLog, traces, problem, originHealth })
  const disk = new DiskTier({
    directory: options.disk?.directory ?? '',
    limitBytes: options.disk?.limitBytes ?? 0,
    savedRevision: saved?.revision ?? -1,
    memory,
    invalidations,
    clock,
    counters,
    problem,
  })
  const journalOpen = disk.openJournal()
  const store = new TieredStore(memory, disk, (key) => ownsKey(key, edge))
  const walks = new CacheWalks()
  const geo = new Geo(options.geoip ?? [], problem)
  const endGeo = geo.keepUp()
  let located: Pick<Snapshot, 'distributions' | 'webAcls'> | null = null
  const locate = (): void => {
    const { distributions, webAcls } = configuration.snapshot
    if (distributions === located?.distributions && webAcls === located.webAcls) return
    if (locates(configuration.snapshot)) geo.prepare()
    located = { distributions, webAcls }
  }
  locate()
  let feed: Feed | null = null
  const proxies = options.trustedProxies?.length ? new TrustedProxies(options.trustedProxies) : null
  const running = new Running()
  const handling = { explain: options.explain, explainKey: options.explainKey ?? null, proxies, running, problem }
  const origins = new OriginSources(
    new Origins({
      guard: addressGuard(options.ownAddresses, options.allowOrigins),
      names: new OriginNames(options.lookup ?? systemLookup, clock),
      tls: new OriginTls(readableAuthorities(options.originAuthorities ?? [], problem)),
      ...(options.originConnectionMs === undefined ? {} : { connectionMs: options.originConnectionMs }),
    }),
    [
      new Folders({ directories: options.folders ?? new Map(), clock }),
      new Distributions({
        edge: () => edge,
        handler: (request, reply) => handler(request, reply),
        address: hopAddress(options.pops[0]?.http.host ?? ''),
      }),
    ],
  )
  const { shield, listening } = protect(options, counters, proxies, origins.underWay)
  const edge: Edge = {
    clock,
    name: options.name,
    places: placesOf(options),
    httpsPorts: [],
    snapshot: configuration.snapshot,
    invalidations,
    store,
    disk,
    flights: new Flights(),
    failures: new FailureMemory(),
    origins,
    shield,
    s3Keys: options.s3Keys ?? null,
    geo,
    waf: new Waf({
      ...{ name: options.name, counters, clock, problem, logDirectory: options.logDirectory },
      workers: () => edge.workers,
      keys: await openTokenKeys(options.tokenKeys ?? null, clock, problem),
    }),
    verified: new VerifiedPolicies(),
    compressions: new Compressions(),
    fieldBodies: new FieldBodies(),
    fieldCipher: new FieldCipher(),
    problem,
    refreshes: new Refreshes((x) => runInner(x, to.cacheWait, edge, handling)),
    ids: new RequestIds(),
    random: options.random ?? Math.random,
    workers: saved?.workers ?? [],
    met: new Map(saved?.workers.map((worker) => [worker.worker, worker])),
    peers: new PeerClient(),
    leaseUntil: Number.POSITIVE_INFINITY,
    catchUp: () => feed?.catchUp() ?? Promise.resolve(),
    walkInner: (x, from) => void runInner(x, from, edge, handling),
    date: dateOf(clock),
    recordFetch: (x) => recorder.fetch(x, edge),
    recordFailover: (x, primary) => recorder.failover(x, primary, edge),
    record: (x) => recorder.request(x, edge),
  }
  const handler = viewerHandler(edge, handling)
  const peers = await servePeers(options.peerSocket, edge, handling)
  const handshakes = await openHandshakes(options, () => edge.snapshot)
  const shared: SharedListen = {
    tls: handshakes.acceptor,
    reusePort: options.reusePort,
    clock,
    handler,
    refuse: (refusal) => refuseRequest(refusal, edge, counters, accessLog),
    onConnection: (event) => countConnection(counters, event),
    onHttp2Limit: (limit) => countHttp2Limit(counters, limit),
    ...listening,
    problem,
  }
  const listeners = await PopListeners.open(options.pops, configuration.snapshot.down, shared).catch(async (error) => {
    await peers.close()
    await journalOpen
    await disk.close()
    throw error
  })
  const dedicated = new DedicatedListeners(shared, listeners.addresses[0] as PopAddresses)
  const isFirstDown = (): boolean => edge.snapshot.down.has(options.pops[0]?.name ?? '')
  await dedicated.replace(edge.snapshot, isFirstDown())
  edge.httpsPorts = listeners.addresses.map(({ https, ipv6Https }) => ({
    https: https?.port ?? null,
    ipv6: ipv6Https?.port ?? null,
  }))
  const dns = await startNames(options, listeners, edge).catch((error: Error) => {
    // Viewers are served all the same.
    problem(`the name server does not listen: ${error.message}`)
    return null
  })
  const identity: WorkerIdentity = {
    worker: options.name,
    pid: process.pid,
    version: options.version,
    pops: listeners.addresses.map((pop) => ({
      ...pop,
      http: addressText(pop.http),
      https: pop.https === null ? null : addressText(pop.https),
      ipv6: pop.ipv6 === null ? null : addressText(pop.ipv6),
      ipv6Https: pop.ipv6Https === null ? null : addressText(pop.ipv6Https),
    })),
    peerSocket: options.peerSocket,
    ...(options.dns ? { dns: dns === null ? null : addressText(dns.address) } : {}),
  }
  const drained = Promise.withResolvers<void>()
  let ending: Promise<void> | null = null
  const end = async (cut: boolean): Promise<void> => {
    await Promise.all(cut ? [listeners.close(), dedicated.close()] : [listeners.drain(), dedicated.drain()])
    await dns?.close()
    feed?.close()
    await handshakes.close()
    shield.close()
    await peers.close()
    edge.peers.close()
    await edge.waf.close()
    await edge.origins.close()
    await disk.settled()
    await saver.settled()
    await disk.close()
    // Those whose origins and peers have just been taken away end now.
    await running.settled(RECORDED_MS_MAX)
    await logFile.close()
    endGeo()
    drained.resolve()
  }
  const drain = (): Promise<void> => {
    ending ??= end(false)
    return ending
  }
  const save = (): void => {
    // The invalidations up to a revision are on disk before the revision is: after a restart nobody tells them again.
    void disk.settled().then(() => {
      const { revision, down, challenges, webAcls } = configuration.snapshot
      if (revision >= 0)
        saver.save({
          ...{ revision, distributions: configuration.documents, workers: edge.workers, down: [...down] },
          challenges: [...challenges.values()],
          webAcls: [...webAcls.values()].map(({ doc }) => doc),
        })
    })
  }
  // Its invalidations are entered before any newer ones.
  await journalOpen
  await disk.hearSiblings()
  feed = connectFeed(options.feedSocket, identity, clock, {
    revision: () => configuration.snapshot.revision,
    apply(message) {
      if (message.type === 'snapshot') {
        // A lower revision is another history (the state was reset): nothing here can be compared with it.
        if (message.revision < Math.max(configuration.snapshot.revision, disk.reached)) {
          store.clear()
          invalidations.clear()
        }
        configuration.replace(message)
      } else if (message.revision > configuration.snapshot.revision)
        configuration.apply(message.revision, message.changes)
      // Before any request is served with it.
      locate()
      edge.snapshot = configuration.snapshot
      const written = disk.commit(configuration.snapshot.revision)
      save()
      const listening = listeners.closeOnly(edge.snapshot.down)
      const own =
        message.type === 'snapshot'
          ? dedicated.replace(edge.snapshot, isFirstDown())
          : dedicated.apply(message.changes, edge.snapshot, isFirstDown())
      if (listening === null && own === null) return written
      return Promise.all([written, listening, own]).then(() => {})
    },
    workers: (workers) => {
      edge.workers = workers
      for (const worker of workers) edge.met.set(worker.worker, worker)
      edge.peers.onlyThese(workers)
      save()
    },
    moveClock(offsetMs) {
      if (!(clock instanceof MovableClock)) return false
      clock.moveTo(offsetMs)
      return true
    },
    answer: (question) =>
      answerQuestion(question, { counters, traces, store: memory, disk, edge, originHealth }, walks),
    drain: () => void drain(),
    failing: () => originHealth.failing(),
    silent: () => dedicated.silent,
    shield: () => shield.seen,
    lease: (until) => {
      edge.leaseUntil = until
    },
  })
  // Not before the feed has been answered: until then everything waits for this worker.
  void feed.catchUp().then(() => setImmediate(() => disk.load()))
  return {
    dns: dns?.address ?? null,
    addresses: listeners.addresses,
    identity,
    whenConfigured: saved === null ? feed.whenConfigured : Promise.resolve(),
    whenDrained: drained.promise,
    drain,
    async close() {
      if (ending !== null) await Promise.all([listeners.close(), dedicated.close()])
      ending ??= end(true)
      await ending
    },
  }
}

const addressText = ({ host, port }: ListenAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** What a connection to ourselves would come from. */
const hopAddress = (host: string): string => (host === '' || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host)

/** Loaded only where it is wanted. */
async function startNames(options: WorkerOptions, listeners: PopListeners, edge: Edge): Promise<DnsServer | null> {
  const { dns } = options
  if (!dns) return null
  const [{ startDns }, { answeringFor }] = await Promise.all([import('./dns/server.ts'), import('./dns/zone-of.ts')])
  edge.geo.prepare()
  const { edgeDomain } = dns
  const parts = { edgeDomain, listen: dns, pops: listeners.addresses, geo: edge.geo, snapshot: () => edge.snapshot }
  const topology = { pops: options.pops, regionals: options.regionals }
  return startDns(dns, options.reusePort, answeringFor({ ...parts, topology }))
}

/** RFC 9110 date, made once a second. */
function dateOf(clock: Clock): () => string {
  let second = -1
  let text = ''
  return () => {
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) {
      second = now
      text = formatHttpDate(now * 1000)
    }
    return text
  }
}

function countConnection(counters: Counters, event: 'opened' | 'closed'): void {
  if (event === 'opened') counters.add(COUNTER.connectionsOpened)
  counters.add(COUNTER.connectionsOpen, event === 'opened' ? 1 : -1)
}
