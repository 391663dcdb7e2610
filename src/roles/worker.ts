//! The role `worker`: an edge worker as a process of its own, started by the keeper.
import { homePaths, programVersion } from '../config.ts'
import { startWorker } from '../edge/worker.ts'
import { MovableClock, systemClock } from '../lib/clock.ts'
import { makePrivateDirectory } from '../lib/private-directory.ts'
import { popOf, readSettings, workerFiles } from './worker-settings.ts'

/** Runs until the worker has drained; then the process ends. */
export async function runWorker(args: readonly string[]): Promise<void> {
  const settings = readSettings(args)
  const paths = homePaths(settings.home)
  const files = workerFiles(paths, settings.name)
  const clock = settings.movableClock ? new MovableClock() : systemClock
  await makePrivateDirectory(paths.edge)
  const worker = await startWorker({
    name: settings.name,
    version: programVersion(),
    feedSocket: paths.feedSocket,
    peerSocket: files.peerSocket,
    snapshotFile: files.snapshot,
    http: { ...settings.http, reusePort: true },
    pop: popOf(settings.region),
    cacheBytes: settings.cacheBytes,
    allowOrigins: settings.allowOrigins,
    ownAddresses: settings.ownAddresses,
    logDirectory: paths.logs,
    clock,
    explain: settings.explain,
    problem: (message) => log(settings.name, clock.wall(), message),
  })
  log(settings.name, clock.wall(), `listens on ${worker.address.host} port ${worker.address.port}`)
  const drain = (): void => void worker.drain()
  process.once('SIGTERM', drain)
  // Ctrl-C in a terminal is for the control plane, which ends its workers in order.
  process.on('SIGINT', () => {})
  await worker.whenDrained
  log(settings.name, clock.wall(), 'has drained')
  process.exit(0)
}

/** One line a message, into the log that the keeper opened for this process. */
function log(name: string, at: number, message: string): void {
  process.stderr.write(`${new Date(at).toISOString()} ${name}: ${message}\n`)
}
