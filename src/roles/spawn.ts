//! Starts this program again in another role, detached: such a process outlives the one that started it.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

export interface RoleProcess {
  readonly mainFile: string
  readonly role: string
  readonly args: readonly string[]
  /** Takes what the process says of itself (appended; 0600). */
  readonly logFile: string
  /** Working directory. */
  readonly directory: string
}

/** Secrets of the API are not for the processes that serve viewers and engines. */
const NOT_HANDED_ON = ['CACHEFRONT_SECRET_ACCESS_KEY', 'CACHEFRONT_ACCESS_KEY_ID']

/** Returns the pid. @throws when the process cannot be started */
export function spawnRole(
  environment: NodeJS.ProcessEnv,
  { mainFile, role, args, logFile, directory }: RoleProcess,
): number {
  const log = openSync(logFile, 'a', 0o600)
  try {
    const env = Object.fromEntries(Object.entries(environment).filter(([name]) => !NOT_HANDED_ON.includes(name)))
    const child = spawn(process.execPath, [mainFile, role, ...args], {
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
