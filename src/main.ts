#!/usr/bin/env node
//! The program: decides which role this process has and loads only that. `up` and the client commands are for people;
//! `worker` and `keeper` are how the program starts itself again (detached: they outlive the control plane).
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

// Compiled code is kept between starts, in a directory that only this user can write (a shared one could be poisoned):
// a start takes half the time.
enableCompileCache(join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cachefront'))

type Role = (args: readonly string[], mainFile: string) => Promise<void>

/** Roles that are not in the help text, by name. */
const HIDDEN_ROLES: Readonly<Record<string, () => Promise<Role>>> = {
  worker: async () => (await import('./roles/worker.ts')).runWorker,
  keeper: async () => (await import('./roles/keeper.ts')).runKeeper,
}

const mainFile = fileURLToPath(import.meta.url)

async function main(args: readonly string[]): Promise<number | undefined> {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    process.stderr.write(`cachefront: Node 24 or newer is needed, this is ${process.versions.node} (nodejs.org).\n`)
    return 1
  }
  const [role = '', ...rest] = args
  const hidden = HIDDEN_ROLES[role]
  if (hidden !== undefined) {
    // A role stays until it is told to end: it sets its own exit code.
    await (await hidden())(rest, mainFile)
    return undefined
  }
  const [{ runCli }, { hostOfProcess }] = await Promise.all([import('./cli/program.ts'), import('./roles/host.ts')])
  return runCli(hostOfProcess(mainFile), args.length === 0 ? ['--help'] : args)
}

try {
  const code = await main(process.argv.slice(2))
  if (code !== undefined) process.exitCode = code
} catch (error) {
  // Errors for people have names that end in Error of ours and one line; anything else is a defect and shows its stack.
  const { isForPeople } = await import('./roles/errors.ts')
  const text = error instanceof Error ? (isForPeople(error) ? error.message : error.stack) : String(error)
  process.stderr.write(`cachefront: ${text}\n`)
  process.exitCode = error instanceof Error && error.name === 'ConfigError' ? 2 : 1
}
