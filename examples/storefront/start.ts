//! Starts the whole sample against a running installation: catalogue, replication group, both origins, distribution.
//! `cachefront up` and the demo call it; it uses nothing of the installation but its AWS API.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { isBuilt } from './database.ts'
import {
  clientsOf,
  type DeployedGroup,
  deployDistribution,
  deployGroup,
  type OriginPorts,
  type Platform,
} from './deploy.ts'

/** Rows between two lines of progress. */
const PROGRESS_ROWS = 200_000
const SERVER_START_TIMEOUT_MS = 20_000
const SERVER_STOP_TIMEOUT_MS = 3_000

export interface StorefrontOptions {
  /** Of the AWS API, e.g. `http://127.0.0.1:4566`. */
  readonly endpoint: string
  readonly region: string
  /** Home of the installation; the sample keeps its catalogue and its ports in `storefront/` below it. */
  readonly home: string
  /** Takes lines for a person. */
  readonly log: (line: string) => void
  /** Needed where the API verifies signatures; loopback accepts any. */
  readonly credentials?: Platform['credentials']
  /** `address:port` of the edge; asked from the installation's health by default. */
  readonly edge?: string
}

export interface Storefront {
  readonly url: string
  readonly distributionId: string
  /** `address:port` of the primary endpoint. */
  readonly primaryEndpoint: string
  /** Commands to try, one a line, in the order of a walk. */
  readonly tryThis: readonly string[]
  /** Ends the two origins. What was deployed stays, and is used again by the next start. */
  stop(): Promise<void>
}

/**
 * @throws Error when the API refuses something, or the origins do not start; nothing of ours runs then.
 */
export async function startStorefront(options: StorefrontOptions): Promise<Storefront> {
  const directory = join(options.home, 'storefront')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const database = join(directory, 'shop.db')
  const credentials = options.credentials ?? { accessKeyId: 'test', secretAccessKey: 'test' }
  const clients = clientsOf({ endpoint: options.endpoint, region: options.region, credentials })
  const [group] = await Promise.all([deployGroup(clients), build(database, options.log)])
  const server = await startServer(database, group, directory, options.log)
  try {
    const distribution = await deployDistribution(clients, server.ports)
    const edge = options.edge ?? (await edgeAddress(options.endpoint))
    const port = edge.slice(edge.lastIndexOf(':'))
    const url = `http://${distribution.domainName}${port === ':80' ? '' : port}`
    return {
      url,
      distributionId: distribution.id,
      primaryEndpoint: show(group.primary),
      tryThis: tryThis(url, distribution.id, options),
      stop: server.stop,
    }
  } catch (error) {
    await server.stop()
    throw error
  } finally {
    clients.cloudfront.destroy()
    clients.elasticache.destroy()
  }
}

/** `address:port` of the first POP that listens. */
export async function edgeAddress(endpoint: string): Promise<string> {
  const answer = await fetch(new URL('/_cachefront/health', endpoint))
  const health = (await answer.json()) as { pops?: { http: string | null }[] }
  const found = health.pops?.find((pop) => pop.http !== null)?.http
  if (found == null) throw new Error('No edge listens: `cachefront status` says why.')
  return found
}

function tryThis(url: string, distributionId: string, options: StorefrontOptions): readonly string[] {
  const aws = `aws --endpoint-url ${options.endpoint}`
  const keys = `export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=${options.region}`
  return [
    `curl -sD- -o/dev/null ${url}/products/17   # twice: x-cache goes from Miss to Hit`,
    `curl -sX POST -d '{"cents":999}' ${url}/api/products/17/price`,
    `curl -s ${url}/products/17 | grep price   # the edge still has the old page`,
    ...(options.credentials === undefined ? [`${keys}   # any keys do on loopback`] : []),
    `${aws} cloudfront create-invalidation --distribution-id ${distributionId} --paths '/products/17'`,
    `curl -s ${url}/products/17 | grep price   # and now the new one`,
    `${aws} elasticache describe-replication-groups`,
  ]
}

async function build(file: string, log: (line: string) => void): Promise<void> {
  if (isBuilt(file)) return
  log('Storefront: building a catalogue of 50,000 products, once')
  const thread = new Worker(new URL('./build-thread.ts', import.meta.url), { workerData: { file } })
  thread.on('message', (rows: number) => {
    if (rows % PROGRESS_ROWS === 0) log(`Storefront: ${rows.toLocaleString('en')} rows`)
  })
  await once(thread, 'exit')
  if (!isBuilt(file)) throw new Error(`The catalogue could not be built in ${file}.`)
}

async function startServer(database: string, group: DeployedGroup, directory: string, log: (line: string) => void) {
  const portsFile = join(directory, 'ports.json')
  const wanted = readPorts(portsFile)
  const child = fork(new URL('./server.ts', import.meta.url), [], {
    env: {
      ...process.env,
      STOREFRONT_DATABASE: database,
      STOREFRONT_PRIMARY: show(group.primary),
      STOREFRONT_READER: show(group.reader),
      STOREFRONT_SHOP_PORT: String(wanted.shop),
      STOREFRONT_ASSETS_PORT: String(wanted.assets),
    },
    execArgv: [],
    detached: true, // Ctrl-C is for the program that started it, which then stops it in order.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  child.stderr?.on('data', (text: Buffer) => log(text.toString('utf8').trimEnd()))
  let stopping = false
  const stop = (): Promise<void> => {
    stopping = true
    return endChild(child)
  }
  const timeout = AbortSignal.timeout(SERVER_START_TIMEOUT_MS)
  try {
    const [ports] = (await Promise.race([
      once(child, 'message', { signal: timeout }),
      once(child, 'exit').then(() => Promise.reject(new Error('The storefront ended while it was starting.'))),
    ])) as [OriginPorts]
    writeFileSync(portsFile, JSON.stringify(ports))
    child.once('exit', (code, signal) => {
      if (!stopping)
        log(`Storefront: the origins have ended (${signal ?? code}); pages that are cached are still served`)
    })
    return { ports, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The ports of the last start, so that the distribution need not change; 0 for any. */
function readPorts(file: string): OriginPorts {
  try {
    const { shop, assets } = JSON.parse(readFileSync(file, 'utf8')) as Partial<OriginPorts>
    return { shop: Number(shop ?? 0), assets: Number(assets ?? 0) }
  } catch {
    return { shop: 0, assets: 0 }
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), SERVER_STOP_TIMEOUT_MS)
  await ended
  clearTimeout(late)
}

const show = (endpoint: { host: string; port: number }): string => `${endpoint.host}:${endpoint.port}`
