//! The role that people start: control in the foreground, with state, API and the bond to the keeper. Everything that
//! is slow to start starts at the same time; what outlives control (keeper, workers, caches) is adopted when it is there.
import { setTimeout as sleep } from 'node:timers/promises'
import type { InstallationFile } from '../cli/installation-file.ts'
import { type Config, type HomePaths, homePaths, programVersion } from '../config.ts'
import { showAddress } from '../config-values.ts'
import { checkDatabases } from '../edge/geo/databases.ts'
import type { PopListen } from '../edge/listeners.ts'
import { readAuthorities } from '../edge/origin/authorities.ts'
import { systemClock } from '../lib/clock.ts'
import { identify } from '../lib/process.ts'
import type { Health } from '../services/cachefront/installation.ts'
import { checkDedicatedIps } from './dedicated-ips.ts'
import { checkKeys } from './door.ts'
import { fileProblem, StartError } from './errors.ts'
import { lockHome, makeHome, removeInstallation, writeInstallation } from './home.ts'
import { ensureKeeper } from './keeper-process.ts'
import { chooseAddress, choosePopAddresses, isWorkerOf, KeptPorts } from './listen-address.ts'
import { MovedClock } from './moved-clock.ts'
import { openOperatorLog } from './operator-log.ts'
import { type Plane, startPlane } from './plane.ts'
import { type SampleOptions, startSample, withSample } from './sample.ts'
import { describeEnd, describeStart } from './start-text.ts'
import { ensureTrust } from './trust.ts'

/** Longest wait until everything answers. Milliseconds. */
const START_MS = 30_000
/** Milliseconds between two looks. */
const LOOK_MS = 5
/** Signals this soon after the first are the same wish: of one Ctrl-C, npm passes on what the terminal sent as well. */
const SAME_WISH_MS = 500

export interface ControlRole {
  readonly config: Config
  /** File that the other roles are started from. */
  readonly mainFile: string
  readonly environment: NodeJS.ProcessEnv
  /** One JSON document instead of words. */
  readonly json: boolean
  readonly print: (text: string) => void
}

/** Runs until it is told to stop; resolves with the exit code. @throws an error for a person when it cannot start */
export async function runControl(role: ControlRole): Promise<number> {
  const { config } = role
  checkGeoip(config)
  checkAuthorities('--origin-ca', config.originAuthorities)
  checkAuthorities('--acme-ca', config.acme?.authorities ?? [])
  const paths = homePaths(config.home)
  await makeHome(config.home, paths)
  const lock = await lockHome(config.home, paths)
  try {
    const { config, s3 } = await withSample(role.config)
    return await runLocked({ ...role, config }, paths, s3)
  } catch (error) {
    const why = error instanceof Error && error.name === 'Error' ? fileProblem(error) : null
    if (why === null) throw error
    const file = (error as NodeJS.ErrnoException).path ?? config.home
    throw new StartError(`${file} cannot be written: ${why}. Make room or choose another CACHEFRONT_HOME.`, error)
  } finally {
    await lock.release()
  }
}

/** @throws StartError that names a file which is no GeoIP database */
function checkGeoip({ geoip }: Config): void {
  try {
    checkDatabases(geoip)
  } catch (error) {
    throw new StartError(`--geoip: ${(error as Error).message}.`, error)
  }
}

/** @throws StartError that names a file which has no certificates */
function checkAuthorities(option: string, files: readonly string[]): void {
  try {
    for (const file of files) readAuthorities(file)
  } catch (error) {
    throw new StartError(`${option}: ${(error as Error).message}.`, error)
  }
}

/** `givenS3`: where the sample's bucket is to lie, if the settings say so (sample.ts). */
async function runLocked(role: ControlRole, paths: HomePaths, givenS3: SampleOptions['s3']): Promise<number> {
  const { config, json, print } = role
  const stopping = stopSignals(() => {
    if (!json) print('Stopping ... (again to end at once)')
  })
  await checkKeys(config, paths, systemClock)
  const clock = config.movableClock ? new MovedClock(paths.clock) : systemClock
  const log = openOperatorLog(paths.controlLog, clock)
  const ports = new KeptPorts(paths.ports)
  const isOurs = (pid: number): boolean => isWorkerOf(config.home, pid)
  const edgeListener = { who: 'The edge', variable: 'HTTP_LISTEN', wanted: config.httpListen, isOurs } as const
  const apiListener = { who: 'The API', variable: 'API_LISTEN', wanted: config.apiListen, isOurs: () => false } as const
  const { httpsListen } = config
  const secure =
    httpsListen === null
      ? null
      : ({ who: 'The edge over HTTPS', variable: 'HTTPS_LISTEN', wanted: httpsListen, isOurs } as const)
  const { dnsListen } = config
  const names = { who: 'The name server', variable: 'DNS_LISTEN', isOurs } as const
  const [pops, api, dns] = await Promise.all([
    choosePopAddresses(config.network.pops, { plain: edgeListener, secure }, ports),
    chooseAddress(apiListener, ports),
    dnsListen === null ? null : chooseAddress({ ...names, wanted: dnsListen }, ports),
  ])
  const network = { pops, regionals: config.network.regionals, dns }
  await checkDedicatedIps(config.dedicatedIps, network)
  const { http: edge, https: edgeHttps } = pops[0] as PopListen
  const trust = edgeHttps === null ? Promise.resolve(null) : ensureTrust(config, paths, network)
  // Whoever waits for it is told.
  trust.catch(() => {})
  const keeperPid = await ensureKeeper({ ...role, paths })
  const plane = await startPlane({
    ...role,
    paths,
    clock,
    network,
    api,
    keeperPid,
    log,
    onStop: (engines) => stopping.begin(engines),
  })
  let endSample: (() => Promise<void>) | null = null
  try {
    const endpoint = `http://${showAddress(plane.api)}`
    const me = identify(process.pid) ?? { pid: process.pid, startTime: '', bootId: '' }
    const file: InstallationFile = {
      ...me,
      version: programVersion(),
      api: endpoint,
      edge: showAddress(edge),
      edgeHttps: edgeHttps === null ? null : showAddress(edgeHttps),
      region: config.region,
    }
    await writeInstallation(paths, file)
    const health = await Promise.race([untilReady(plane, paths), stopping.begun])
    if (health !== undefined) {
      const authority = await trust
      if (!json) print(describeStart(config, file, dns, authority, health))
      if (!config.bare)
        endSample = await startSample({
          config,
          credentials: config.credentials ?? plane.ownKeys,
          s3: givenS3,
          endpoint,
          edge: showAddress(edge),
          print: json ? log : print,
        })
    }
    if (health !== undefined && !stopping.isBegun()) {
      print(json ? JSON.stringify({ ready: true, home: config.home, ...file }) : 'ready')
    }
    await stopping.begun
  } finally {
    await endSample?.()
    const left = await plane.stop(config.stopEngines || stopping.engines())
    await removeInstallation(paths)
    if (!json && stopping.isBegun()) print(describeEnd(left))
  }
  return 0
}

/** @throws StartError naming what does not answer */
async function untilReady(plane: Plane, { logs, keeper }: HomePaths): Promise<Health> {
  for (let waited = 0; ; waited += LOOK_MS) {
    const health = await plane.health()
    if (health.status === 'ok') return health
    if (waited > START_MS) {
      const bad = health.parts.filter((part) => !part.ok).map((part) => `${part.name}: ${part.detail}`)
      throw new StartError(
        `Not everything answers after ${START_MS / 1000} s: ${bad.join('; ') || 'no worker listens'}. ` +
          `The logs in ${logs} and ${keeper}/logs may say why.`,
      )
    }
    await sleep(LOOK_MS)
  }
}

/** SIGTERM, SIGINT, and the API's stop are one; a second signal ends the process at once. `onBegin` runs once. */
function stopSignals(onBegin: () => void) {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let engines = false
  /** On the monotonic clock; null before. */
  let begunAt: number | null = null
  const begin = (withEngines: boolean): void => {
    engines ||= withEngines
    if (begunAt !== null) return
    begunAt = systemClock.monotonic()
    onBegin()
    resolve(undefined)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (begunAt !== null && systemClock.monotonic() - begunAt > SAME_WISH_MS) process.exit(1)
      begin(false)
    })
  }
  return { begin, begun: promise, isBegun: () => begunAt !== null, engines: () => engines }
}
