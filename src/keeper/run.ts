//! The keeper as a process: what main.ts calls for `keeper`. It ends with SIGTERM or SIGINT and leaves engines and
//! workers running then; control ends them by the `stop` message.
import { startKeeper } from './keeper.ts'
import type { KeeperOptions } from './keeper-options.ts'

/**
 * Runs the keeper until it is asked to stop; resolves then, and the process may exit 0.
 * @throws when it cannot start: another keeper has the home, no network is free, the disk cannot be written.
 */
export async function runKeeper(options: KeeperOptions): Promise<void> {
  const keeper = await startKeeper(options)
  const { nodeNetwork, binaries } = keeper.seen()
  const engines = binaries.map((b) => `${b.engine} ${b.version}`).join(', ') || 'no engines installed'
  options.log(`keeper ${options.version} serves ${options.home}: network ${nodeNetwork}, ${engines}`)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void keeper.stop({ engines: false, workers: false }))
  }
  await keeper.stopped
}
