//! Control's way to a keeper: the one that answers at the home's socket, or a new one.
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Config, HomePaths } from '../config.ts'
import { spawnRole } from './spawn.ts'

/** Resolves true when somebody accepts at the socket. */
export function answersAt(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

export interface KeeperStart {
  readonly config: Config
  readonly paths: HomePaths
  readonly mainFile: string
  readonly environment: NodeJS.ProcessEnv
}

/** True when a keeper was started, false when one was there. Does not wait for it to answer. */
export async function ensureKeeper({ config, paths, mainFile, environment }: KeeperStart): Promise<boolean> {
  if (await answersAt(paths.keeperSocket)) return false
  spawnRole(environment, {
    mainFile,
    role: 'keeper',
    args: keeperArgs(config),
    logFile: join(paths.logs, 'keeper.log'),
    directory: config.home,
  })
  return true
}

function keeperArgs(config: Config): readonly string[] {
  return [
    ...['--home', config.home, '--engine-path', config.enginePath.join(':')],
    ...(config.nodeNetwork === null ? [] : ['--node-network', config.nodeNetwork]),
  ]
}
