//! The real program for scenarios: an installation of its own, on free ports, in a home of its own, ended with all that
//! it started.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CloudFront, waitUntilDistributionDeployed } from '@aws-sdk/client-cloudfront'
import {
  ElastiCacheClient,
  waitUntilReplicationGroupAvailable,
  waitUntilReplicationGroupDeleted,
} from '@aws-sdk/client-elasticache'
import type { Health } from '../../src/services/cachefront/installation.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** A program that is not ready by then never is. Milliseconds. */
const READY_MS = 40_000

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Installation {
  readonly home: string
  /** Process of control. */
  readonly control: ChildProcess
  /** `http://127.0.0.1:PORT` */
  readonly api: string
  /** `127.0.0.1:PORT` */
  readonly edge: string
  /** The same over HTTPS; empty when it is off. */
  readonly edgeHttps: string
  /** File of what viewers over HTTPS are to trust. */
  readonly authority: string
  /** What `up` printed until it was ready. */
  readonly printed: string
}

/** Homes that were not ended yet. */
const homes = new Set<string>()
// A process that is ended before its hooks leaves nothing running either: what runs there outlives who started it.
process.on('exit', () => homes.forEach(killAll))

export async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'cachefront-program-'))
  homes.add(home)
  return home
}

/** The environment of the tests without settings of the program, and with this home. */
function environmentOf(home: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('CACHEFRONT_') && name !== 'NODE_TEST_CONTEXT',
  )
  return { ...Object.fromEntries(own), CACHEFRONT_HOME: home }
}

/** Runs a command of the program to its end. */
export const cachefront = (home: string, ...args: string[]): Promise<Finished> => cachefrontWithin(home, {}, ...args)

/** The same with these variables in its environment. */
export async function cachefrontWithin(
  home: string,
  environment: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<Finished> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...environmentOf(home), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (text: Buffer) => {
    out += text
  })
  child.stderr.on('data', (text: Buffer) => {
    err += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

export const FREE_PORTS = [
  ...['--api-listen', '127.0.0.1:0'],
  ...['--http-listen', '127.0.0.1:0'],
  ...['--https-listen', '127.0.0.1:0'],
] as const

/** Starts `up --bare` and waits for `ready`. @throws with what it said when it ends before */
export const up = (home: string, ...flags: string[]): Promise<Installation> => start(home, ['--bare', ...flags])

/** The same with these variables in its environment. */
export const upWithin = (home: string, environment: NodeJS.ProcessEnv, ...flags: string[]): Promise<Installation> =>
  start(home, ['--bare', ...flags], environment)

/** Starts `up` with the sample storefront and waits for `ready`. @throws with what it said when it ends before */
export const upWithSample = (home: string): Promise<Installation> => start(home, [])

async function start(
  home: string,
  flags: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Installation> {
  const args = [MAIN, 'up', ...FREE_PORTS, ...flags]
  const control = spawn(process.execPath, args, {
    env: { ...environmentOf(home), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  let err = ''
  const ready = Promise.withResolvers<void>()
  const timer = setTimeout(() => ready.reject(new Error(`not ready after ${READY_MS} ms: ${printed}${err}`)), READY_MS)
  control.stdout.on('data', (text: Buffer) => {
    printed += text
    if (/^ready$/m.test(printed)) ready.resolve()
  })
  control.stderr.on('data', (text: Buffer) => {
    err += text
  })
  control.once('close', (code) => ready.reject(new Error(`ended with ${code} before it was ready: ${printed}${err}`)))
  await ready.promise.finally(() => clearTimeout(timer))
  const file = JSON.parse(readFileSync(join(home, 'installation.json'), 'utf8')) as {
    api: string
    edge: string
    edgeHttps: string | null
  }
  const authority = join(home, 'tls', 'ca', 'ca.pem')
  return { home, control, api: file.api, edge: file.edge, edgeHttps: file.edgeHttps ?? '', authority, printed }
}

/**
 * Ends everything of this home, caches included, and removes it; `undo` what was done to it comes in between. Returns what
 * was still running after it was asked to end.
 */
export async function endAll(home: string, undo: () => void = () => {}): Promise<readonly string[]> {
  await cachefront(home, 'down', '--stop-engines')
  const left = killAll(home)
  // Its file system goes last: a process whose directory is gone is not found by it any more.
  undo()
  homes.delete(home)
  await rm(home, { recursive: true, force: true })
  return left.map(({ command }) => command)
}

function killAll(home: string): ReturnType<typeof processesOf> {
  const found = processesOf(home)
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
  return found
}

/** Processes that name the home in their arguments or work below it. */
export function processesOf(home: string): readonly { readonly pid: number; readonly command: string }[] {
  const found: { pid: number; command: string }[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      const environment = readFileSync(`/proc/${name}/environ`, 'utf8')
      const state = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '')[0]
      const named = () => command.includes(home) || environment.includes(home)
      const worksBelow = () => readlinkSync(`/proc/${name}/cwd`).startsWith(home)
      if (command !== '' && state !== 'Z' && (named() || worksBelow())) {
        found.push({ pid: Number(name), command })
      }
    } catch {
      // It ended while we looked.
    }
  }
  return found
}

/** Kills a process as the kernel would and waits until it is gone. */
export async function killed(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

/**
 * Until a replication group is available, or gone. The AWS CLI's own waiters look every 15 seconds: a test that is about
 * something else asks here first.
 */
export async function groupIs(state: 'available' | 'gone', api: string, id: string): Promise<void> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new ElastiCacheClient({ endpoint: api, region: 'us-east-1', credentials })
  const wait = { client, minDelay: 0.05, maxDelay: 0.1, maxWaitTime: 120 }
  const asked = { ReplicationGroupId: id }
  await (state === 'available'
    ? waitUntilReplicationGroupAvailable(wait, asked)
    : waitUntilReplicationGroupDeleted(wait, asked))
  client.destroy()
}

/** Until a distribution is at every edge, as of `groupIs`: the AWS CLI's own waiter looks once a minute. */
export async function distributionIsDeployed(api: string, Id: string): Promise<void> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new CloudFront({ endpoint: api, region: 'us-east-1', credentials })
  await waitUntilDistributionDeployed({ client, minDelay: 0.05, maxDelay: 0.2, maxWaitTime: 60 }, { Id })
  client.destroy()
}

export async function healthOf(api: string): Promise<Health> {
  return (await (await fetch(`${api}/_cachefront/health`)).json()) as Health
}

/** The process of a worker, by its health; of the keeper, by its command; NaN when there is none. */
export async function pidOf({ api, home }: Pick<Installation, 'api' | 'home'>, part: string): Promise<number> {
  if (part === 'keeper')
    return processesOf(home).find(({ command }) => / keeper --home /.test(command))?.pid ?? Number.NaN
  const health = await healthOf(api)
  const detail = health.parts.find((one) => one.name === part)?.detail ?? ''
  return Number(/process (\d+)/.exec(detail)?.[1])
}
