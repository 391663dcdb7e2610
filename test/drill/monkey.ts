//! What a drill does to an installation: one row an act. Each returns the processes that must be gone afterwards.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { Target } from './target.ts'

export interface Blow {
  /** In words, with the processes. */
  readonly done: string
  /** Processes that must not be there any more. */
  readonly gone: readonly number[]
  /** Nodes that were lost for certain: a new process must be there for each, with its events. */
  readonly lost: readonly string[]
}

export interface Act {
  readonly name: string
  run(target: Target, random: Random, writes: () => Promise<unknown>): Promise<Blow>
}

/** A pause of a process that is stopped and continued. Milliseconds; the longest is beyond a worker's lease. */
const FROZEN_MS = [800, 2000, 7000] as const
/** From a blow to the second one that falls into its repair. Milliseconds. */
const AMID_MS = [1, 5, 20, 100] as const

const kill = (pid: number): number => {
  process.kill(pid, 'SIGKILL')
  return pid
}

async function nodeOf(target: Target, group: string, role: 'primary' | 'replica' | 'none', random: Random) {
  const nodes = (await target.group(group)).nodes.filter((node) => node.role === role && node.pid !== null)
  const node = random.pick(nodes)
  return { id: node.id, pid: node.pid! }
}

const killNode = (group: string, role: 'primary' | 'replica' | 'none') => async (target: Target, random: Random) => {
  const { id, pid } = await nodeOf(target, group, role, random)
  return { done: `SIGKILL ${id} (${pid})`, gone: [kill(pid)], lost: [role === 'none' ? `${group}/${id}` : id] }
}

async function freeze(what: string, pid: number, random: Random): Promise<Blow> {
  const ms = random.pick(FROZEN_MS)
  process.kill(pid, 'SIGSTOP')
  await sleep(ms)
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It was ended meanwhile, as frozen engines are.
  }
  return { done: `SIGSTOP ${what} (${pid}) for ${ms} ms`, gone: [], lost: [] }
}

async function controlAgain(target: Target): Promise<number> {
  const pid = target.controlPid
  await target.killControl()
  await target.startControl()
  return pid
}

export const ACTS: readonly Act[] = [
  { name: 'engine primary', run: killNode('drill', 'primary') },
  { name: 'engine replica', run: killNode('drill', 'replica') },
  { name: 'memcached node', run: killNode('mem', 'none') },
  { name: 'node without replicas', run: killNode('solo', 'primary') },
  {
    name: 'control',
    async run(target) {
      const pid = await controlAgain(target)
      return { done: `SIGKILL control (${pid})`, gone: [pid], lost: [] }
    },
  },
  {
    name: 'control in the middle of commits',
    async run(target, _random, writes) {
      const pid = target.controlPid
      const all = writes()
      await sleep(3)
      await target.killControl()
      await all
      await target.startControl()
      return { done: `SIGKILL control (${pid}) amid calls`, gone: [pid], lost: [] }
    },
  },
  {
    name: 'keeper',
    async run(target) {
      const pid = kill(target.parts().keeper[0]!)
      return { done: `SIGKILL keeper (${pid})`, gone: [pid], lost: [] }
    },
  },
  {
    name: 'worker',
    async run(target, random) {
      const pid = kill(random.pick(target.parts().worker))
      return { done: `SIGKILL worker (${pid})`, gone: [pid], lost: [] }
    },
  },
  {
    name: 'every worker',
    async run(target) {
      const gone = target.parts().worker.map(kill)
      return { done: `SIGKILL every worker (${gone.join(', ')})`, gone, lost: [] }
    },
  },
  {
    name: 'keeper during a failover',
    async run(target, random) {
      const { id, pid } = await nodeOf(target, 'drill', 'primary', random)
      const keeper = target.parts().keeper[0]!
      kill(pid)
      const ms = random.pick(AMID_MS)
      await sleep(ms)
      kill(keeper)
      return { done: `SIGKILL ${id} (${pid}), ${ms} ms later keeper (${keeper})`, gone: [pid, keeper], lost: [id] }
    },
  },
  {
    name: 'primary and a replica',
    async run(target, random) {
      const one = await nodeOf(target, 'drill', 'primary', random)
      const other = await nodeOf(target, 'drill', 'replica', random)
      const gone = [kill(one.pid), kill(other.pid)]
      return { done: `SIGKILL ${one.id} and ${other.id} (${gone.join(', ')})`, gone, lost: [one.id, other.id] }
    },
  },
  {
    name: 'control and a worker',
    async run(target, random) {
      const worker = kill(random.pick(target.parts().worker))
      const pid = await controlAgain(target)
      return { done: `SIGKILL worker (${worker}) and control (${pid})`, gone: [worker, pid], lost: [] }
    },
  },
  {
    name: 'control and keeper',
    async run(target) {
      const keeper = kill(target.parts().keeper[0]!)
      const pid = await controlAgain(target)
      return { done: `SIGKILL keeper (${keeper}) and control (${pid})`, gone: [keeper, pid], lost: [] }
    },
  },
  {
    name: 'engine frozen',
    async run(target, random) {
      const { id, pid } = await nodeOf(target, 'drill', random.pick(['primary', 'replica']), random)
      return freeze(id, pid, random)
    },
  },
  { name: 'worker frozen', run: (target, random) => freeze('worker', random.pick(target.parts().worker), random) },
  { name: 'keeper frozen', run: (target, random) => freeze('keeper', target.parts().keeper[0]!, random) },
]
