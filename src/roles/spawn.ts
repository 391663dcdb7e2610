//! Starts this program again in another role, detached: such a process outlives the one that started it.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'

export interface RoleProcess {
  readonly mainFile: string
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[]
  readonly role: string
  readonly args: readonly string[]
  /** Takes what the process says of itself (appended; 0600). */
  readonly logFile: string
  /** Working directory. */
  readonly directory: string
}

/** Secrets of the API are not for the processes that serve viewers and engines; those for buckets go by a file (s3-keys.ts). */
const NOT_HANDED_ON = [
  'CACHEFRONT_SECRET_ACCESS_KEY',
  'CACHEFRONT_ACCESS_KEY_ID',
  'CACHEFRONT_S3_SECRET_ACCESS_KEY',
  'CACHEFRONT_S3_ACCESS_KEY_ID',
  'CACHEFRONT_TOPIC_SECRET',
  'CACHEFRONT_LOG_DESTINATION',
]

/**
 * main.ts turns the cache of compiled code on, but is itself compiled by then, and to strip the types of one file Node loads
 * its compiler: 50 ms. A process that is told by its environment finds main.ts in the cache, too.
 */
function compileCache(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir()
  // Node's own folder for its version is not named.
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) }
}

/** Returns the pid. @throws when the process cannot be started */
export function spawnRole(
  environment: NodeJS.ProcessEnv,
  { mainFile, nodeOptions = [], role, args, logFile, directory }: RoleProcess,
): number {
  const log = openSync(logFile, 'a', 0o600)
  try {
    const handedOn = Object.entries(environment).filter(([name]) => !NOT_HANDED_ON.includes(name))
    const env = { ...compileCache(), ...Object.fromEntries(handedOn) }
    const child = spawn(process.execPath, [...nodeOptions, mainFile, role, ...args], {
      cwd: directory,
      detached: true,
      env,
      stdio: ['ignore', log, log],
    })
    child.unref()
    if (child.pid === undefined) throw new Error(`The ${role} cannot be started (${process.execPath}).`)
    // A failure after this is seen where the process is waited for.
    child.on('error', () => {})
    return child.pid
  } finally {
    closeSync(log)
  }
}
