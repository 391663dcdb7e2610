//! Finds the installation that runs here, or starts one of its own: bare, on free ports, in a home that is thrown away.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chooseS3 } from './s3.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 15_000
/** How often a starting installation is asked. */
const POLL_MS = 3
const HEALTH_TIMEOUT_MS = 2_000

export interface RunningInstallation {
  readonly home: string
  /** `http://address:port` of the AWS API. */
  readonly endpoint: string
  /** `address:port` of the first POP. */
  readonly edge: string
  readonly region: string
}

export interface OwnInstallation extends RunningInstallation {
  /** `performance.now()` just before the program was started. */
  readonly spawnedAt: number
  /** Ends everything that it started, engines included, and removes its home. */
  stop(): Promise<void>
}

interface InstallationFile {
  readonly api: string
  readonly edge: string
  readonly region: string
}

/** The installation that CACHEFRONT_HOME (or the default home) names, when it answers; otherwise null. */
export async function findInstallation(environment: NodeJS.ProcessEnv): Promise<RunningInstallation | null> {
  const home = environment.CACHEFRONT_HOME ?? join(homedir(), '.cachefront')
  const file = readInstallation(home)
  return file !== null && (await isHealthy(file.api)) ? running(home, file) : null
}

/**
 * Starts `cachefront up --bare` in a fresh home, on free ports; resolves when its health is 200.
 * @throws Error with what the program said when it ends early or does not become ready.
 */
export async function startInstallation(flags: readonly string[] = []): Promise<OwnInstallation> {
  const home = mkdtempSync(join(tmpdir(), 'cachefront-demo-'))
  // For the storefront's bucket, should one come.
  const s3 = await chooseS3(join(home, 'storefront'))
  const log = join(home, 'up.log')
  const output = openSync(log, 'w')
  const spawnedAt = performance.now()
  const child = spawn(
    process.execPath,
    [MAIN, 'up', '--bare', '--stop-engines', '--s3-endpoint', s3.endpoint, ...flags],
    {
      env: {
        ...withoutSettings(process.env),
        CACHEFRONT_HOME: home,
        CACHEFRONT_API_LISTEN: '127.0.0.1:0',
        CACHEFRONT_HTTP_LISTEN: '127.0.0.1:0',
        CACHEFRONT_HTTPS_LISTEN: '127.0.0.1:0',
        CACHEFRONT_S3_ACCESS_KEY_ID: s3.accessKeyId,
        CACHEFRONT_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      },
      stdio: ['ignore', output, output],
    },
  )
  closeSync(output)
  const stop = async (): Promise<void> => {
    // What outlives a control plane that did not end in order is ended by name of its home.
    if ((await end(child)) !== 0) await down(home)
    rmSync(home, { recursive: true, force: true })
  }
  const deadline = spawnedAt + START_TIMEOUT_MS
  while (performance.now() < deadline && child.exitCode === null) {
    const file = readInstallation(home)
    if (file !== null && (await isHealthy(file.api))) return { ...running(home, file), spawnedAt, stop }
    await sleep(POLL_MS)
  }
  const said = readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n')
  await stop()
  throw new Error(`The installation did not become ready:\n${said}`)
}

const running = (home: string, file: InstallationFile): RunningInstallation => ({
  home,
  endpoint: file.api,
  edge: file.edge,
  region: file.region,
})

function readInstallation(home: string): InstallationFile | null {
  try {
    return JSON.parse(readFileSync(join(home, 'installation.json'), 'utf8')) as InstallationFile
  } catch {
    return null
  }
}

async function isHealthy(api: string): Promise<boolean> {
  try {
    const answer = await fetch(`${api}/_cachefront/health`, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) })
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false
  }
}

/** The environment without Cachefront's own settings: they are of the person's installation, not of this one. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('CACHEFRONT_')))
}

/** Asks the control plane to end, and insists; resolves with its exit code, null when it was killed. */
async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(late)
  return child.exitCode
}

async function down(home: string): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'down', '--stop-engines', '--home', home], {
    env: withoutSettings(process.env),
    stdio: 'ignore',
  })
  await once(child, 'exit')
}
