//! Which process is which. A pid alone is no name: it is reused. A process here is its pid, its start time and the
//! boot it started in, all from /proc (Linux). A zombie counts as dead: it keeps pid and start time until it is reaped.
//! Not before its last thread has ended, though: until then the kernel has not closed its sockets, and others still reach it.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks after boot, as in /proc/PID/stat field 22; text because it is only compared. */
  readonly startTime: string
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string
}

/** One word that no other process has or will have. */
export const processName = ({ pid, startTime, bootId }: ProcessIdentity): string => `${pid}.${startTime}.${bootId}`

export interface ProcessStat {
  /** One letter of proc(5): R running, S sleeping, D waiting for a disk, T stopped, t traced, Z zombie, X dead. */
  readonly state: string
  readonly startTime: string
  /** CPU time used so far, user and system, in clock ticks (usually 10 ms). */
  readonly cpuTicks: number
  /** Threads that have not ended, the first one included. */
  readonly threads: number
}

/** How often `waitForEnd` looks, in milliseconds. */
const END_POLL_MS = 2

const readText = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

let boot: string | null = null

/** Id of the running boot; empty where there is no /proc. */
export function bootId(): string {
  boot ??= readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  return boot
}

/** Parses /proc/PID/stat. The name in parentheses may hold spaces and `)`, so fields are counted after the last one. */
export function parseStat(text: string): ProcessStat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0], fields[19]]
  if (state === undefined || startTime === undefined) return null
  return { state, startTime, cpuTicks: Number(fields[11]) + Number(fields[12]), threads: Number(fields[17]) }
}

/** What /proc says of `pid`; null when there is no such process. */
export function readStat(pid: number): ProcessStat | null {
  const text = readText(`/proc/${pid}/stat`)
  return text === null ? null : parseStat(text)
}

/** The first thread of a killed process is a zombie already while others still end: sockets close with the last one. */
const hasEnded = ({ state, threads }: ProcessStat): boolean =>
  (state === 'Z' && threads <= 1) || state === 'X' || state === 'x'

/** Milliseconds for which the process (its main thread) could have run but had no processor; 0 where nobody counts it. */
export function starvedMs(pid: number): number {
  // CPU time and waiting time in nanoseconds, then the number of turns (sched-stats.rst).
  const waited = Number(readText(`/proc/${pid}/schedstat`)?.split(' ')[1])
  return Number.isFinite(waited) ? waited / 1e6 : 0
}

/** The identity of a living process; null when it is gone or a zombie. */
export function identify(pid: number): ProcessIdentity | null {
  const stat = readStat(pid)
  if (stat === null || hasEnded(stat)) return null
  return { pid, startTime: stat.startTime, bootId: bootId() }
}

/** The state of exactly this process; null when it has ended, is a zombie, or its pid belongs to another one now. */
export function statOf(process: ProcessIdentity): ProcessStat | null {
  if (process.bootId !== bootId()) return null
  const stat = readStat(process.pid)
  return stat === null || hasEnded(stat) || stat.startTime !== process.startTime ? null : stat
}

export const isAlive = (process: ProcessIdentity): boolean => statOf(process) !== null

/** Clock ticks of a second, as /proc counts CPU time (USER_HZ, 100 on every architecture of Linux). */
export const TICKS_PER_SECOND = 100

/** Memory of the process that is swapped out, in bytes; 0 when it is gone. */
export function swapOf(pid: number): number {
  const kibibytes = /^VmSwap:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1]
  return Number(kibibytes ?? 0) * 1024
}

/** Memory that programs of this host could still have, in bytes (MemAvailable). */
export function memoryAvailable(): number {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readText('/proc/meminfo') ?? '')?.[1]
  return Number(kibibytes ?? 0) * 1024
}

/** Sends `signal` to exactly this process; false when it is gone. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false
  try {
    process.kill(target.pid, signal)
    return true
  } catch {
    return false
  }
}

/** Resolves true when the process has ended, false when it still lives after `timeoutMs`. */
export async function waitForEnd(process: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (let waited = 0; isAlive(process); waited += END_POLL_MS) {
    if (waited >= timeoutMs) return false
    await sleep(END_POLL_MS)
  }
  return true
}

/** Living processes whose working directory is `root` or below it: finds children that nobody wrote down. */
export function processesBelow(root: string): readonly { readonly process: ProcessIdentity; readonly dir: string }[] {
  const found: { process: ProcessIdentity; dir: string }[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    let dir: string
    try {
      dir = readlinkSync(`/proc/${name}/cwd`)
    } catch {
      continue
    }
    if (dir !== root && !dir.startsWith(`${root}/`)) continue
    const process = identify(Number(name))
    if (process !== null) found.push({ process, dir })
  }
  return found
}
