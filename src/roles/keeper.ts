//! The role `keeper`: owns the engines and the edge workers of this host, started by control, outlives it.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { homePaths, programVersion } from '../config.ts'
import { startKeeper } from '../keeper/keeper.ts'
import { systemClock } from '../lib/clock.ts'
import { limitFile } from '../lib/limit-file.ts'

/** How often the length of its log is looked at. Milliseconds. */
const LOG_AGAIN_MS = 60_000

/** Runs until control (or `cachefront down`) tells it to stop; then the process ends. */
export async function runKeeper(args: readonly string[], mainFile: string): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { home: { type: 'string' }, 'engine-path': { type: 'string' }, 'node-network': { type: 'string' } },
  })
  const { home, 'engine-path': enginePath } = values
  if (home === undefined || enginePath === undefined) throw new Error('the keeper was started without its settings')
  const paths = homePaths(home)
  const log = (line: string): void =>
    void process.stderr.write(`${new Date(systemClock.wall()).toISOString()} keeper: ${line}\n`)
  // Ctrl-C in a terminal is for the control plane; SIGTERM ends the keeper alone, and what it keeps lives on.
  process.on('SIGINT', () => {})
  const keeper = await startKeeper({
    home: paths.keeper,
    vaultHome: home,
    authority: paths.tls,
    socketPath: paths.keeperSocket,
    nodeNetwork: networkNumber(values['node-network']),
    version: programVersion(),
    clock: systemClock,
    log,
    execPath: process.execPath,
    programArgs: [mainFile],
    env: process.env,
    searchPath: enginePath.split(':'),
  })
  process.once('SIGTERM', () => void keeper.stop({ engines: false, workers: false }))
  log(`process ${process.pid} keeps ${home}`)
  // Its standard output: what a crash of it would say goes there, too.
  const limiting = setInterval(() => limitFile(join(paths.logs, 'keeper.log')), LOG_AGAIN_MS)
  await keeper.stopped
  clearInterval(limiting)
  log('stopped')
  process.exit(0)
}

/** N of `127.N.0.0/16`; null when none is demanded. */
function networkNumber(text: string | undefined): number | null {
  const [, n] = /^127\.(\d+)\./.exec(text ?? '') ?? []
  return n === undefined ? null : Number(n)
}
