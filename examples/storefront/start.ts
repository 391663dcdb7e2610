//! Starts the whole sample against a running installation: catalogue, replication group, bucket, shop and standby,
//! distribution.
//! `cachefront up` and the demo call it; it uses nothing of the installation but its AWS API.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type TrustedKey, trustedKey } from '../signer/key.ts'
import { MEMBERS_IMAGES } from './assets.ts'
import { fillBucket } from './bucket.ts'
import { isBuilt } from './database.ts'
import {
  clientsOf,
  type DeployedGroup,
  deployDistribution,
  deployGroup,
  type OriginPorts,
  type Platform,
} from './deploy.ts'
import { knownS3, portOf, type S3Access } from './s3.ts'

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
  /** The installation's S3 endpoint, where it was given one; otherwise the sample brings the one that s3.ts has chosen. */
  readonly s3?: S3Access
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
  /** Ends the origins. What was deployed stays, and is used again by the next start. */
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
  const [group, key] = await Promise.all([
    deployGroup(clients),
    trustedKey(clients.cloudfront, directory),
    build(database, options.log),
  ])
  const servers = await startServers({ database, group, key }, directory, options)
  try {
    const distribution = await deployDistribution(clients, servers.ports, key.keyGroupId)
    const edge = options.edge ?? (await edgeAddress(options.endpoint))
    const port = edge.slice(edge.lastIndexOf(':'))
    const url = `http://${distribution.domainName}${port === ':80' ? '' : port}`
    return {
      url,
      distributionId: distribution.id,
      primaryEndpoint: show(group.primary),
      tryThis: tryThis(url, distribution.id, options),
      stop: servers.stop,
    }
  } catch (error) {
    await servers.stop()
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
    `curl -sD- ${url}${[...MEMBERS_IMAGES.keys()][0]}   # 403 MissingKey: for members, who log in at ${url}/members`,
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

type Log = (line: string) => void

/** A program of the sample that listens; resolves when it does. `without`: what visitors get when it has ended. */
async function startProgram(file: string, what: string, without: string, env: Record<string, string>, log: Log) {
  const child = fork(new URL(file, import.meta.url), [], {
    env: { ...process.env, ...env },
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
    const [{ port }] = (await Promise.race([
      once(child, 'message', { signal: timeout }),
      once(child, 'exit').then(() => Promise.reject(new Error(`${what} ended while it was starting.`))),
    ])) as [{ port: number }]
    child.once('exit', (code, signal) => {
      if (!stopping) log(`Storefront: ${what} has ended (${signal ?? code}); ${without}`)
    })
    return { port, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const WITHOUT = {
  shop: 'the standby answers for pages, carts and prices answer 502 (cachefront status)',
  standby: 'the shop has nobody to stand in for it',
  signer: 'members with cookies see their images, nobody can log in',
} as const satisfies Record<keyof OriginPorts, string>

interface Backing {
  /** File of the catalogue. */
  readonly database: string
  readonly group: DeployedGroup
  readonly key: TrustedKey
}

/** The shop twice, the signer, and the bucket's server where the sample brings one. @throws what kept one from starting; none runs then */
async function startServers({ database, group, key }: Backing, directory: string, options: StorefrontOptions) {
  const { log } = options
  const portsFile = join(directory, 'ports.json')
  const wanted = readPorts(portsFile)
  const shop = (name: 'shop' | 'standby') =>
    startProgram(
      './server.ts',
      `the origin ${name}`,
      WITHOUT[name],
      {
        STOREFRONT_NAME: name,
        STOREFRONT_DATABASE: database,
        STOREFRONT_PRIMARY: show(group.primary),
        STOREFRONT_READER: show(group.reader),
        STOREFRONT_PORT: String(wanted[name]),
      },
      log,
    )
  const signer = () =>
    startProgram(
      '../signer/server.ts',
      'the signer',
      WITHOUT.signer,
      {
        SIGNER_KEY_PAIR_ID: key.keyPairId,
        SIGNER_PRIVATE_KEY: key.privateKeyFile,
        SIGNER_IMAGES: [...MEMBERS_IMAGES.keys()].join(),
        SIGNER_PORT: String(wanted.signer),
      },
      log,
    )
  const started = await Promise.allSettled([shop('shop'), shop('standby'), signer(), startBucket(directory, options)])
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((program) => (program.status === 'fulfilled' ? program.value.stop() : null)))
  }
  try {
    const ports: OriginPorts = {
      shop: succeeded(started[0]).port,
      standby: succeeded(started[1]).port,
      signer: succeeded(started[2]).port,
    }
    writeFileSync(portsFile, JSON.stringify(ports))
    await fillBucket(succeeded(started[3]).access, options.region)
    return { ports, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function succeeded<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason
  return result.value
}

async function startBucket(directory: string, { s3, log }: StorefrontOptions) {
  if (s3 !== undefined) return { access: s3, stop: async () => {} }
  // Where the installation looks for it: chosen before that was started.
  const access = knownS3(directory)
  if (access === null) {
    throw new Error('This installation was started without a place for S3 buckets (--bare): start it with the sample.')
  }
  const { stop } = await startProgram(
    './s3-server.ts',
    "the bucket's server",
    'what is cached is still served',
    {
      STOREFRONT_S3_DIRECTORY: join(directory, 's3'),
      STOREFRONT_S3_PORT: String(portOf(access)),
      STOREFRONT_S3_ACCESS_KEY_ID: access.accessKeyId,
      STOREFRONT_S3_SECRET_ACCESS_KEY: access.secretAccessKey,
    },
    log,
  )
  return { access, stop }
}

/** The ports of the last start, so that the distribution need not change; 0 for any. */
function readPorts(file: string): OriginPorts {
  try {
    const { shop, standby, signer } = JSON.parse(readFileSync(file, 'utf8')) as Partial<OriginPorts>
    return { shop: Number(shop ?? 0), standby: Number(standby ?? 0), signer: Number(signer ?? 0) }
  } catch {
    return { shop: 0, standby: 0, signer: 0 }
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
