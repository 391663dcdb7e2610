//! Control's way to a keeper: the one that answers at the home's socket, or a new one; and again when it dies.
import { join } from 'node:path'
import type { Config, HomePaths } from '../config.ts'
import type { KeeperLink } from '../control/keeper-link.ts'
import { identify, isAlive, type ProcessIdentity } from '../lib/process.ts'
import { answersAt } from '../lib/unix-socket.ts'
import { spawnRole } from './spawn.ts'

/** A keeper that does not stay is started again after this, doubled each time up to the last. Milliseconds. */
const AGAIN_FIRST_MS = 250
const AGAIN_LAST_MS = 10_000

/**
 * What the keeper makes is garbage within milliseconds, the texts of INFO above all. A young generation that may grow to
 * Node's usual 16 MiB a half does so for it, and is the better part of what an idle group costs (bench:caches). MiB.
 */
const KEEPER_NODE_OPTIONS = ['--max-semi-space-size=2']

export interface KeeperStart {
  readonly config: Config
  readonly paths: HomePaths
  readonly mainFile: string
  readonly environment: NodeJS.ProcessEnv
}

/** Returns the pid of a keeper that was started, null when one was there. Does not wait for it to answer. */
export async function ensureKeeper({
  config,
  paths,
  mainFile,
  environment,
}: Omit<KeeperStart, 'config'> & {
  readonly config: Pick<Config, 'home' | 'enginePath' | 'nodeNetwork'>
}): Promise<number | null> {
  if (await answersAt(paths.keeperSocket)) return null
  return spawnRole(environment, {
    mainFile,
    nodeOptions: KEEPER_NODE_OPTIONS,
    role: 'keeper',
    args: [
      ...['--home', config.home, '--engine-path', config.enginePath.join(':')],
      ...(config.nodeNetwork === null ? [] : ['--node-network', config.nodeNetwork]),
    ],
    logFile: join(paths.logs, 'keeper.log'),
    directory: config.home,
  })
}

/** Starts a keeper whenever the link has lost its own, until the returned function is called. */
export function watchKeeper(start: KeeperStart, link: KeeperLink, log: (line: string) => void): () => void {
  let waitMs = AGAIN_FIRST_MS
  let timer: NodeJS.Timeout | null = null
  let ended = false
  /** The one that was started last: it takes longer to answer than the next look. */
  let started: ProcessIdentity | null = null
  const look = async (): Promise<void> => {
    timer = null
    if (ended || link.pid !== null) return
    try {
      const pid = started !== null && isAlive(started) ? null : await ensureKeeper(start)
      if (pid !== null) started = identify(pid)
      if (pid !== null) log(`the keeper was gone; process ${pid} is a new one`)
    } catch (error) {
      log(`a keeper cannot be started: ${(error as Error).message}`)
    }
    if (ended) return
    timer = setTimeout(look, waitMs)
    waitMs = Math.min(waitMs * 2, AGAIN_LAST_MS)
  }
  const unwatch = link.onSeen((seen) => {
    if (seen !== null) waitMs = AGAIN_FIRST_MS
    else if (timer === null) void look()
  })
  return () => {
    ended = true
    unwatch()
    if (timer !== null) clearTimeout(timer)
  }
}
