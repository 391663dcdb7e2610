//! Starts, finds again and ends the process of one node. The process is detached: it outlives the keeper.
import { spawn } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { identify, type ProcessIdentity, signalProcess, statOf, waitForEnd } from '../lib/process.ts'
import type { Launch } from './engine.ts'

/** An engine that does not end within this time after SIGTERM is killed. Milliseconds. */
const END_TIMEOUT_MS = 2000
/** How much of a log's end is read to tell why a start failed. Bytes. */
const LOG_TAIL_BYTES = 4096

/**
 * Starts `path` in `dir` with its output appended to `dir/log`. `onExit` is called when it ends while we live.
 * @throws when it cannot be started, or ended at once.
 */
export function startProcess(
  path: string,
  dir: string,
  launch: Launch & { readonly isConfidential?: boolean },
  onExit: () => void,
): ProcessIdentity {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  // A file, not a pipe: a pipe would end with the keeper, and the engine with its next line.
  const log = openSync(`${dir}/log`, 'a', 0o600)
  try {
    const stdin = launch.input === null ? 'ignore' : 'pipe'
    const [program, args] = launch.isConfidential ? withoutCoreDumps(path, launch.args) : [path, launch.args]
    const child = spawn(program, args, { cwd: dir, detached: true, stdio: [stdin, log, log], env: { TZ: 'UTC' } })
    child.on('exit', onExit)
    child.on('error', onExit)
    child.stdin?.on('error', () => {})
    child.stdin?.end(launch.input)
    child.unref()
    const identity = child.pid === undefined ? null : identify(child.pid)
    if (identity === null) throw new Error(`${path} could not be started`)
    return identity
  } finally {
    closeSync(log)
  }
}

/**
 * The shell becomes the engine: the same process. No core file, and a handler that the system pipes cores to, which asks
 * no limit, gets none of its memory.
 */
function withoutCoreDumps(path: string, args: readonly string[]): [string, readonly string[]] {
  const script = 'ulimit -c 0; echo 0 2>/dev/null >/proc/self/coredump_filter; exec "$0" "$@"'
  return ['/bin/sh', ['-c', script, path, ...args]]
}

/** Ends the process by `signal`, and kills it when that does not help. */
export async function endProcess(process: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  // A stopped process takes no SIGTERM before it goes on.
  signalProcess(process, signal)
  signalProcess(process, 'SIGCONT')
  if (await waitForEnd(process, END_TIMEOUT_MS)) return
  await killProcess(process)
}

/**
 * Kills the process and waits until it holds no address any more.
 * @throws when it is still there after two seconds: it is stuck in the kernel, and ends when it comes out.
 */
export async function killProcess(process: ProcessIdentity): Promise<void> {
  signalProcess(process, 'SIGKILL')
  if (await waitForEnd(process, END_TIMEOUT_MS)) return
  const state = statOf(process)?.state ?? 'gone'
  throw new Error(`process ${process.pid} has not ended ${END_TIMEOUT_MS} ms after SIGKILL (state ${state} in /proc)`)
}

/** The end of a node's log; empty when there is none. */
export function logTail(dir: string): string {
  let file: number
  try {
    file = openSync(`${dir}/log`, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, LOG_TAIL_BYTES))
    readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8')
  } finally {
    closeSync(file)
  }
}
