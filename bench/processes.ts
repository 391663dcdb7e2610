//! Child processes of a benchmark: started on one processor, their whole tree's CPU time read from /proc, ended by id.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'

/** Ticks of utime and stime in a second (sysconf _SC_CLK_TCK). */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

export interface Started {
  readonly pid: number
  /** What it wrote on standard output and error, for the message when it fails. */
  output(): string
  stop(): Promise<void>
}

/** Starts a program on the processor `cpu`. */
export function startOn(cpu: number, command: string, args: readonly string[]): Started {
  const child: ChildProcess = spawn('taskset', ['-c', `${cpu}`, command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => {
      output = (output + bytes.toString('utf8')).slice(-20_000)
    })
  }
  child.on('error', (error) => {
    output += error.message
  })
  return {
    // taskset replaces itself with the program: the id stays.
    pid: child.pid ?? 0,
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(late)
    },
  }
}

/** CPU seconds that the processes and all their descendants have used so far, and the kernel's part of them. */
export function cpuSeconds(roots: readonly number[]): { total: number; system: number } {
  const parents = new Map<number, number>()
  const ticks = new Map<number, Ticks>()
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue
    const stat = readStat(Number(name))
    if (stat === null) continue
    parents.set(Number(name), stat.parent)
    ticks.set(Number(name), stat.ticks)
  }
  let total = 0
  let system = 0
  for (const [pid, used] of ticks) {
    let at: number | undefined = pid
    while (at !== undefined && at > 1 && !roots.includes(at)) at = parents.get(at)
    if (at === undefined || !roots.includes(at)) continue
    total += used.user + used.system
    system += used.system
  }
  return { total: total / TICKS_PER_SECOND, system: system / TICKS_PER_SECOND }
}

interface Ticks {
  readonly user: number
  readonly system: number
}

/** proc(5): after the name in parentheses come state, ppid ... and, as fields 14-17, utime stime cutime cstime. */
function readStat(pid: number): { parent: number; ticks: Ticks } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const field = (n: number) => Number(fields[n - 3])
    return { parent: field(4), ticks: { user: field(14) + field(16), system: field(15) + field(17) } }
  } catch {
    return null
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
