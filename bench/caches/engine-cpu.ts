//! CPU time of the engine for a command: a bare one against the primary of a group through its endpoint, in alternating
//! rounds under the same load, each on a processor that the load does not use.
import { execFile, execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cpuSeconds, freePort, startOn } from '../processes.ts'
import { type CachesInstallation, write } from './installation.ts'

const run = promisify(execFile)
const [ENGINE_CPU, LOAD_CPU] = [0, 1]
const CLIENTS = 50
/** As a parameter group has it, so that both do the same for a command. */
const BARE = ['--save', '', '--maxmemory', '512mb', '--maxmemory-policy', 'volatile-lru']

export interface CpuRatio {
  readonly command: string
  readonly bareUs: number
  /** CPU time through the endpoint over that of the bare engine: median, least, most of the rounds. */
  readonly ratio: { readonly median: number; readonly min: number; readonly max: number }
}

/** Microseconds of CPU time of process `pid` for a command. */
async function costOf(pid: number, host: string, port: number, command: string, requests: number): Promise<number> {
  const before = cpuSeconds([pid]).total
  const load = ['-h', host, '-p', String(port), '-c', String(CLIENTS), '-n', String(requests), '-t', command, '-q']
  await run('taskset', ['-c', String(LOAD_CPU), 'redis-benchmark', ...load, '-d', '100', '-r', '10000'])
  return ((cpuSeconds([pid]).total - before) * 1e6) / requests
}

export async function measureEngineCpu(
  installation: CachesInstallation,
  rounds: number,
  requests: number,
  say: (line: string) => void,
): Promise<readonly CpuRatio[]> {
  await installation.createGroup('cpu', 1)
  const { endpoint, nodes } = await installation.settled('cpu')
  const pid = nodes[0]!.pid!
  execFileSync('taskset', ['-a', '-cp', String(ENGINE_CPU), String(pid)], { stdio: 'ignore' })
  const port = await freePort()
  const bare = startOn(ENGINE_CPU, 'redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...BARE])
  try {
    while (!(await isUp(port))) await sleep(10)
    if (!(await write(endpoint))) throw new Error(`${endpoint} does not take writes`)
    const results: CpuRatio[] = []
    for (const command of ['set', 'get']) {
      const [bareUs, ratios]: [number[], number[]] = [[], []]
      // The first round warms both up.
      for (let round = 0; round <= rounds; round++) {
        const ofBare = () => costOf(bare.pid, '127.0.0.1', port, command, requests)
        const ofGroup = () => costOf(pid, endpoint, 6379, command, requests)
        const first = round % 2 === 0 ? await ofBare() : await ofGroup()
        const second = round % 2 === 0 ? await ofGroup() : await ofBare()
        const [one, other] = round % 2 === 0 ? [first, second] : [second, first]
        if (round === 0) continue
        bareUs.push(one)
        ratios.push(other / one)
        say(`${command} round ${round} of ${rounds}: bare ${one.toFixed(2)} us, endpoint ${other.toFixed(2)} us`)
      }
      results.push({
        ...{ command, bareUs: median(bareUs) },
        ratio: { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
      })
    }
    return results
  } finally {
    await bare.stop()
  }
}

const isUp = (port: number): Promise<boolean> =>
  run('redis-cli', ['-p', String(port), 'PING']).then(
    () => true,
    () => false,
  )

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
