//! Ends an installation from outside: control first (it would wish everything back), then keeper, workers and engines.
import { connectKeeper } from '../keeper/client.ts'
import { identify, processesBelow, signalProcess, statOf, waitForEnd } from '../lib/process.ts'
import { answersAt } from '../lib/unix-socket.ts'
import { CliError, type CliHost } from './host.ts'
import { type InstallationFile, readInstallationFile } from './installation-file.ts'

/** Longest wait for control to drain its viewers and exit. Milliseconds. */
const CONTROL_MS = 30_000
/** Longest wait for the keeper's greeting: it is there or it is not. Milliseconds. */
const KEEPER_MS = 1_000
/** Longest wait for a keeper that was started to end what an earlier one left running. Milliseconds. */
const KEEPER_START_MS = 10_000

export interface Ended {
  readonly control: boolean
  readonly keeper: boolean
  /** Caches that were left running, by id. */
  readonly cachesLeft: readonly string[]
}

/** The control process of this home, while it lives. */
export function runningControl(host: CliHost, home: string): InstallationFile | null {
  const file = readInstallationFile(host.files(home).installation)
  return file !== null && statOf(file) !== null ? file : null
}

/** @throws CliError when something would not end */
export async function shutDown(host: CliHost, home: string, engines: boolean): Promise<Ended> {
  const control = runningControl(host, home)
  if (control !== null) {
    signalProcess(control, 'SIGTERM')
    if (!(await waitForEnd(control, CONTROL_MS))) {
      throw new CliError(
        `Control (process ${control.pid}) has not ended within ${CONTROL_MS / 1000} s; it was asked to.`,
      )
    }
  }
  const { keeperSocket, keeper: keeperDirectory } = host.files(home)
  const nothing: Ended = { control: control !== null, keeper: false, cachesLeft: [] }
  const answers = await answersAt(keeperSocket)
  // After a `down` that left the caches running nobody else can end them.
  const revives = !answers && engines && processesBelow(keeperDirectory).length > 0
  if (!answers && !revives) return nothing
  if (revives) await host.startKeeper(home)
  const patience = revives ? KEEPER_START_MS : KEEPER_MS
  const keeper = await connectKeeper(keeperSocket, { version: host.version }, patience).catch(() => null)
  if (keeper === null) {
    if (!revives) return nothing
    throw new CliError(
      `No keeper starts on ${home}, so its caches may still run; its log in ${host.files(home).logs} may say why.`,
    )
  }
  const seen = await keeper.waitFor(() => true, KEEPER_MS).catch(() => null)
  const cachesLeft = engines ? [] : (seen?.groups ?? []).map((group) => group.id)
  const keeperProcess = identify(keeper.hello?.pid ?? 0)
  await keeper.stop({ engines, workers: true })
  if (keeperProcess !== null) await waitForEnd(keeperProcess, KEEPER_MS)
  return { control: control !== null, keeper: true, cachesLeft }
}
