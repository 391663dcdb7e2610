//! THE TABLE of what the drill does to a group of three and to those who keep it: one row a fault.
import { rmSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { keeperAddress } from '../../../src/keeper/addresses.ts'
import type { GroupSeen, NodeSeen } from '../../../src/keeper/protocol.ts'
import { cut } from '../../support/network-namespace.ts'
import { ACTS, type Blow } from '../monkey.ts'
import type { Random } from '../random.ts'
import type { Target } from '../target.ts'

export interface Scene {
  readonly target: Target
  readonly random: Random
  /** True when firewall rules are seen by the drill alone. */
  readonly mayCut: boolean
  /** True when the home is a file system of its own that may be filled. */
  readonly mayFill: boolean
  /** Resolves when every writer's writes are accepted again. */
  readonly writesGoOn: () => Promise<void>
}

export interface Fault {
  readonly name: string
  readonly needs?: 'network' | 'disk'
  run(scene: Scene): Promise<Blow>
}

export const GROUP = 'drill'
/** Beyond what a reader endpoint allows to a replica (READER_LAG_MAX_MS). Milliseconds. */
const CUT_MS = 7000
/** A primary that is not replaced by then never is: one that works is given a minute. Milliseconds. */
const REPLACED_MS = 90_000

interface Nodes {
  readonly primary: NodeSeen & { readonly pid: number }
  readonly replicas: readonly (NodeSeen & { readonly pid: number })[]
}

async function nodesOf(target: Target): Promise<Nodes> {
  const { nodes } = await target.group(GROUP)
  const running = nodes.filter((node): node is NodeSeen & { pid: number } => node.pid !== null)
  return { primary: running.find((n) => n.role === 'primary')!, replicas: running.filter((n) => n.role === 'replica') }
}

const kill = (pid: number): number => {
  process.kill(pid, 'SIGKILL')
  return pid
}

const wake = (pid: number): void => {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It was ended meanwhile, as frozen engines are.
  }
}

/** Until the keeper has another primary than `old`. */
async function replaced(target: Target, old: NodeSeen): Promise<void> {
  const isNew = (group: GroupSeen): boolean => group.nodes.some((n) => n.role === 'primary' && n.id !== old.id)
  const until = performance.now() + REPLACED_MS
  while (!isNew(await target.group(GROUP))) {
    if (performance.now() > until) throw new Error(`${old.id} has not been replaced after ${REPLACED_MS} ms`)
    await sleep(20)
  }
}

const asBefore = (name: string, act: string): Fault => ({
  name,
  run: ({ target, random }) => ACTS.find((one) => one.name === act)!.run(target, random, async () => {}),
})

async function controlAgain(target: Target): Promise<number> {
  const pid = target.controlPid
  await target.killControl()
  await target.startControl()
  return pid
}

const blow = (done: string, gone: readonly number[] = []): Blow => ({ done, gone, lost: [] })

export const FAULTS: readonly Fault[] = [
  asBefore('primary killed', 'engine primary'),
  asBefore('replica killed', 'engine replica'),
  asBefore('keeper killed', 'keeper'),
  asBefore('control killed', 'control'),
  asBefore('primary, then keeper killed', 'keeper during a failover'),
  {
    name: 'keeper, then primary killed',
    async run({ target }) {
      const keeper = kill(target.parts().keeper[0]!)
      const { primary } = await nodesOf(target)
      return blow(`SIGKILL keeper (${keeper}), ${primary.id}`, [keeper, kill(primary.pid)])
    },
  },
  asBefore('primary and a replica killed', 'primary and a replica'),
  {
    name: 'primary and control killed',
    async run({ target }) {
      const { primary } = await nodesOf(target)
      const gone = [kill(primary.pid), await controlAgain(target)]
      return blow(`SIGKILL ${primary.id}, control`, gone)
    },
  },
  {
    name: 'replica and keeper killed',
    async run({ target, random }) {
      const replica = random.pick((await nodesOf(target)).replicas)
      return blow(`SIGKILL ${replica.id}, keeper`, [kill(replica.pid), kill(target.parts().keeper[0]!)])
    },
  },
  {
    name: 'replica and control killed',
    async run({ target, random }) {
      const replica = random.pick((await nodesOf(target)).replicas)
      return blow(`SIGKILL ${replica.id}, control`, [kill(replica.pid), await controlAgain(target)])
    },
  },
  asBefore('keeper and control killed', 'control and keeper'),
  {
    name: 'primary frozen',
    async run({ target }) {
      const { primary } = await nodesOf(target)
      process.kill(primary.pid, 'SIGSTOP')
      await replaced(target, primary)
      wake(primary.pid)
      return blow(`SIGSTOP ${primary.id} until it was replaced, SIGCONT`, [primary.pid])
    },
  },
  {
    name: 'primary frozen, woken as it is judged',
    async run({ target, random }) {
      const { primary } = await nodesOf(target)
      process.kill(primary.pid, 'SIGSTOP')
      const ms = 900 + random.whole(400)
      await sleep(ms)
      wake(primary.pid)
      return blow(`SIGSTOP ${primary.id}, SIGCONT after ${ms} ms`)
    },
  },
  {
    name: 'replica frozen',
    async run({ target, random }) {
      const replica = random.pick((await nodesOf(target)).replicas)
      process.kill(replica.pid, 'SIGSTOP')
      return blow(`SIGSTOP ${replica.id}`, [replica.pid])
    },
  },
  {
    name: 'primary killed, a replica frozen',
    async run({ target, random }) {
      const { primary, replicas } = await nodesOf(target)
      const replica = random.pick(replicas)
      process.kill(replica.pid, 'SIGSTOP')
      return blow(`SIGSTOP ${replica.id}, SIGKILL ${primary.id}`, [kill(primary.pid), replica.pid])
    },
  },
  asBefore('keeper frozen', 'keeper frozen'),
  {
    name: 'keeper frozen, primary killed',
    async run({ target }) {
      const { primary } = await nodesOf(target)
      const keeper = target.parts().keeper[0]!
      process.kill(keeper, 'SIGSTOP')
      kill(primary.pid)
      await sleep(1500)
      wake(keeper)
      return blow(`SIGSTOP keeper for 1500 ms, SIGKILL ${primary.id}`, [primary.pid])
    },
  },
  {
    name: 'clock a day forward',
    async run({ target }) {
      const answer = await fetch(`${target.api}/_cachefront/clock`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"advanceMs":86400000}' },
      })
      if (!answer.ok) throw new Error(`clock: ${answer.status} ${await answer.text()}`)
      return blow('clock advance 24h')
    },
  },
  {
    name: 'disk full, primary killed',
    needs: 'disk',
    async run({ target, writesGoOn }) {
      const filler = join(target.home, 'filler')
      await fill(filler)
      const { primary } = await nodesOf(target)
      kill(primary.pid)
      await writesGoOn()
      rmSync(filler)
      return blow(`no byte left in the home, SIGKILL ${primary.id}, writes accepted, disk freed`, [primary.pid])
    },
  },
  {
    name: 'replication cut',
    needs: 'network',
    async run({ target }) {
      const { primary, replicas } = await nodesOf(target)
      cut(replicas.map((r) => [primary.address, r.address] as const))
      await sleep(CUT_MS)
      cut([])
      return blow(`${primary.id} cut from its replicas for ${CUT_MS} ms`)
    },
  },
  {
    name: 'one replica cut, primary killed',
    needs: 'network',
    async run({ target, random }) {
      const { primary, replicas } = await nodesOf(target)
      const off = random.pick(replicas)
      cut([[primary.address, off.address]])
      await sleep(300)
      kill(primary.pid)
      await replaced(target, primary)
      cut([])
      return blow(`${off.id} cut off, SIGKILL ${primary.id}`, [primary.pid])
    },
  },
  {
    name: 'keeper cut from the primary',
    needs: 'network',
    async run({ target }) {
      const { primary } = await nodesOf(target)
      cut([[keeperAddress(primary.address), primary.address]])
      await replaced(target, primary)
      cut([])
      return blow(`keeper cut from ${primary.id} until it was replaced`, [primary.pid])
    },
  },
]

/** Writes until nothing more fits, to the last block. */
async function fill(path: string): Promise<void> {
  for (let size = 16 * 1024 * 1024; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) await appendFile(path, Buffer.alloc(size))
    } catch (error) {
      if (!(error as Error).message.includes('ENOSPC')) throw error
    }
  }
}
