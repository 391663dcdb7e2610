//! One scenario of the edge: workers, their feed, and viewers, in a directory of its own. Everything ends with the test.
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { BehaviorDoc, DistributionDoc, OriginDoc } from '../../src/domain/distribution.ts'
import type { CachePolicyDoc, NameList, ResponseHeadersPolicyDoc } from '../../src/domain/policy.ts'
import type { Topology } from '../../src/domain/topology.ts'
import { edgeNames } from '../../src/edge/certificates.ts'
import { startWorker, type Worker, type WorkerOptions } from '../../src/edge/worker.ts'
import { Authority } from '../../src/lib/ca/authority.ts'
import { MovableClock } from '../../src/lib/clock.ts'
import { EdgeFeed } from './edge-feed.ts'

/** A network of one edge location. */
export const ONE_POP: Topology = {
  pops: [{ name: 'FRA50-C1', region: 'eu-central-1', regional: null }],
  regionals: [],
}

export const NONE: NameList = { behavior: 'none', names: [] }

/** Managed-CachingOptimized without its encodings, unless told otherwise. */
export function cachePolicy(changes: Partial<CachePolicyDoc> = {}): CachePolicyDoc {
  return {
    id: 'test-policy',
    minTtl: 0,
    defaultTtl: 86_400,
    maxTtl: 31_536_000,
    headers: NONE,
    cookies: NONE,
    queryStrings: NONE,
    gzip: false,
    brotli: false,
    ...changes,
  }
}

/** A response headers policy that does nothing, unless told otherwise. */
export function headersPolicy(changes: Partial<ResponseHeadersPolicyDoc> = {}): ResponseHeadersPolicyDoc {
  return { id: 'headers-policy', cors: null, security: {}, custom: [], remove: [], serverTimingRate: null, ...changes }
}

export function originDoc(port: number, changes: Partial<OriginDoc> = {}): OriginDoc {
  return {
    id: 'origin',
    domainName: '127.0.0.1',
    path: '',
    customHeaders: [],
    connectionAttempts: 3,
    connectionTimeoutMs: 10_000,
    protocolPolicy: 'http-only',
    httpPort: port,
    httpsPort: 443,
    readTimeoutMs: 30_000,
    keepaliveTimeoutMs: 5_000,
    responseCompletionTimeoutMs: null,
    ...changes,
  }
}

export function behaviorDoc(changes: Partial<BehaviorDoc> = {}): BehaviorDoc {
  return {
    pathPattern: '*',
    originId: 'origin',
    allowedMethods: ['GET', 'HEAD'],
    cachedMethods: ['GET', 'HEAD'],
    viewerProtocolPolicy: 'allow-all',
    cachePolicy: cachePolicy(),
    originRequestPolicy: null,
    ...changes,
  }
}

export const DISTRIBUTION_ID = 'E1TESTDISTRIB1'
export const HOST = 'd111111abcdef8.cloudfront.localhost'
const EDGE_NAMES = edgeNames('cloudfront.localhost', [])
const ANY_PORT = { host: '127.0.0.1', port: 0 } as const

export function distributionDoc(originPort: number, changes: Partial<DistributionDoc> = {}): DistributionDoc {
  return {
    id: DISTRIBUTION_ID,
    domainName: HOST,
    enabled: true,
    aliases: [],
    defaultRootObject: '',
    httpVersion: 'http2',
    origins: [originDoc(originPort)],
    behaviors: [behaviorDoc()],
    ...changes,
  }
}

export interface ViewerAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  readonly xCache: string
}

export interface ViewerAsks {
  readonly host?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string
  /** Which worker, when several listen on ports of their own. */
  readonly worker?: number
  /** Number of the POP. */
  readonly pop?: number
  /** Over HTTPS: the PEM that the viewer trusts (EdgeScenario.trust). */
  readonly trust?: string
}

export class EdgeScenario {
  readonly directory: string
  readonly feed: EdgeFeed
  readonly workers: Worker[] = []
  readonly problems: string[] = []
  readonly #options: Partial<WorkerOptions> & { readonly diskBytes?: number }

  private constructor(
    directory: string,
    feed: EdgeFeed,
    options: Partial<WorkerOptions> & { readonly diskBytes?: number },
  ) {
    this.directory = directory
    this.feed = feed
    this.#options = options
  }

  static async start(
    t: Pick<TestContext, 'after'>,
    documents: readonly DistributionDoc[],
    options: Partial<WorkerOptions> & { readonly count?: number; readonly diskBytes?: number } = {},
  ): Promise<EdgeScenario> {
    const directory = await mkdtemp(join(tmpdir(), 'cachefront-edge-'))
    const feed = new EdgeFeed(join(directory, 'feed.sock'), documents)
    const scenario = new EdgeScenario(directory, feed, options)
    t.after(() => scenario.close())
    await feed.start()
    const count = options.count ?? 1
    for (let at = 0; at < count; at++) await scenario.addWorker(`worker-${at}`)
    await feed.workersReady(count)
    feed.tellWorkers(scenario.workers.map((worker) => worker.identity))
    return scenario
  }

  async addWorker(name: string, changes: Partial<WorkerOptions> = {}): Promise<Worker> {
    const worker = await startWorker({
      name,
      version: '0.0.0-test',
      feedSocket: this.feed.path,
      peerSocket: join(this.directory, `${name}.sock`),
      snapshotFile: join(this.directory, `${name}.snapshot.json`),
      pops: ONE_POP.pops.map((pop) => ({ ...pop, http: ANY_PORT, https: ANY_PORT })),
      certificates: { directory: this.tlsDirectory, names: EDGE_NAMES },
      regionals: ONE_POP.regionals,
      reusePort: false,
      cacheBytes: 32 * 1024 * 1024,
      allowOrigins: [],
      ownAddresses: [],
      logDirectory: join(this.directory, 'logs'),
      tokenKeys: join(this.directory, 'waf-keys'),
      clock: new MovableClock(),
      explain: 'loopback',
      problem: (message) => this.problems.push(message),
      disk: { directory: this.diskDirectory(name), limitBytes: this.#options.diskBytes ?? 0 },
      ...this.#options,
      ...changes,
    })
    this.workers.push(worker)
    return worker
  }

  get tlsDirectory(): string {
    return join(this.directory, 'tls')
  }

  /** PEM: what viewers over HTTPS are to trust. */
  async trust(): Promise<string> {
    const authority = await Authority.open(this.tlsDirectory, Date.now)
    authority.close()
    return authority.certificate
  }

  httpsPort(worker = 0, pop = 0): number {
    return this.workers[worker]?.addresses[pop]?.https?.port ?? 0
  }

  /** Where the disk cache of a worker lies; it has one with `diskBytes`. */
  diskDirectory(name = 'worker-0'): string {
    return join(this.directory, 'cache', name)
  }

  /** Ends the workers in order; `resume` starts them again. */
  async pause(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker.drain()))
  }

  async resume(count = 1, changes: Partial<WorkerOptions> = {}): Promise<void> {
    for (let at = 0; at < count; at++) await this.addWorker(`worker-${at}`, changes)
    await this.feed.workersReady(count)
    this.feed.tellWorkers(this.workers.map((worker) => worker.identity))
  }

  port(worker = 0, pop = 0): number {
    return this.workers[worker]?.addresses[pop]?.http.port ?? 0
  }

  /** One request on a connection of its own. */
  get(path: string, asks: ViewerAsks = {}): Promise<ViewerAnswer> {
    return new Promise((resolve, reject) => {
      const host = asks.host ?? HOST
      const target = {
        host: '127.0.0.1',
        path,
        method: asks.method ?? 'GET',
        headers: { host, ...asks.headers },
        agent: false as const,
        maxHeaderSize: 64 * 1024,
      }
      const send = (answered: (response: IncomingMessage) => void) =>
        asks.trust === undefined
          ? httpRequest({ ...target, port: this.port(asks.worker, asks.pop) }, answered)
          : httpsRequest(
              { ...target, port: this.httpsPort(asks.worker, asks.pop), ca: asks.trust, servername: host },
              answered,
            )
      const request = send((response) => {
        let body = ''
        response.setEncoding('latin1')
        response.on('data', (text: string) => {
          body += text
        })
        response.on('error', reject)
        response.on('end', () => {
          const xCache = String(response.headers['x-cache'] ?? '').replace(' from cloudfront', '')
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, xCache })
        })
      })
      request.on('error', reject)
      request.end(asks.body)
    })
  }

  /** Sends bytes and resolves with all that comes until the connection ends. */
  raw(text: string, worker = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port(worker), '127.0.0.1')
      let got = ''
      socket.setEncoding('latin1')
      socket.on('data', (chunk: string) => {
        got += chunk
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(got))
      socket.write(text, 'latin1')
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.close()))
    await this.feed.stop()
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 })
  }
}
