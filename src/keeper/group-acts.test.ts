//! The order of a failover, which no scenario can time: nothing is promoted and nothing moves before the lost primary is
//! fenced. Nodes here are recorders of what they are asked.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ActorContext, act } from './group-acts.ts'
import type { GroupView, NodeView } from './group-view.ts'
import type { NodeLoss } from './protocol.ts'

const ENDPOINT = '127.16.0.1'

interface Behaviour {
  readonly reason: NodeLoss
  /** What the lost primary does when it is asked. */
  readonly asked: 'answers' | 'silent' | 'breaks'
  readonly isStillLost?: boolean
  readonly endsWhenKilled?: boolean
  /** The heir takes over in order when the old primary hands over. */
  readonly handsOver?: boolean
}

/** What was done, in its order, in a failover from `a` with the replica `b`. */
async function failOver(behaviour: Behaviour): Promise<readonly string[]> {
  const done: string[] = []
  const answer = (what: string): Promise<void> => {
    if (behaviour.asked === 'breaks') return Promise.reject(new Error('closed'))
    if (behaviour.asked === 'silent') return new Promise(() => {})
    done.push(what)
    return Promise.resolve()
  }
  const old = {
    bind: (addresses: readonly string[]) => answer(`a binds ${addresses.length}`),
    dropClients: (address: string) =>
      answer(`a drops the clients of ${address === ENDPOINT ? 'the endpoint' : address}`),
    handOver: () => {
      if (behaviour.handsOver === false) return Promise.reject(new Error('in time'))
      done.push('a hands over')
      return Promise.resolve()
    },
  }
  const heir = {
    follow: async (address: string | null) => void done.push(`b follows ${address}`),
    bind: async (addresses: readonly string[]) => void done.push(`b binds ${addresses.length}`),
    dropClients: async () => {},
  }
  const node = (id: string, replication: unknown, facts: object) => ({
    wished: true,
    node: {
      id,
      address: `127.16.0.${id === 'a' ? 2 : 3}`,
      hasData: true,
      facts: { listening: { plain: 6379, tls: 0 }, ...facts },
      link: { replication },
      look: async () => {},
      kill: async () => {
        done.push(`${id} is killed`)
        if (behaviour.endsWhenKilled === false) throw new Error('it has not ended')
      },
    },
  })
  const members = new Map([
    ['a', node('a', old, { role: 'primary', offset: 10, bound: ['127.16.0.2', ENDPOINT] })],
    [
      'b',
      node('b', heir, { role: 'replica', offset: 10, inSync: false, bound: ['127.16.0.3'], follows: '127.16.0.2' }),
    ],
  ])
  const well = { kind: 'well' } as const
  const view = (id: string, change: Partial<NodeView>) =>
    ({ id, address: members.get(id)!.node.address, wished: true, bound: [], ...change }) as NodeView
  const group = {
    primary: 'a',
    fronted: false,
    endpoint: ENDPOINT,
    reader: '127.16.0.9',
    nodes: [
      view('a', { health: { kind: 'lost', reason: behaviour.reason }, role: 'primary' }),
      view('b', { health: well, role: 'replica', inSync: true, hasData: true }),
    ],
  } as unknown as GroupView
  const context = {
    wish: {},
    record: {},
    view: group,
    members: { all: () => [...members.values()], get: (id: string) => members.get(id) },
    isStillLost: () => behaviour.isStillLost ?? true,
    failedOver: () => void done.push('told'),
    setRecord: ({ primary }: { primary?: string }) => void done.push(`written: ${primary}`),
  } as unknown as ActorContext
  await act({ do: 'fail-over', from: 'a' }, context).catch((error: Error) => done.push(`error: ${error.message}`))
  return done
}

const promoted = ['written: b', 'b follows null', 'b binds 2', 'told']
const rows: readonly [string, Behaviour, readonly string[]][] = [
  ['a dead primary', { reason: 'exit', asked: 'breaks' }, ['a is killed', ...promoted]],
  [
    'a frozen one is not asked: it could not answer',
    { reason: 'frozen', asked: 'silent' },
    ['a is killed', ...promoted],
  ],
  ['a hung one that stays silent', { reason: 'hung', asked: 'silent' }, ['a is killed', ...promoted]],
  ['a hung one whose connection breaks', { reason: 'hung', asked: 'breaks' }, ['a is killed', ...promoted]],
  [
    'a hung one that answers: it gives the endpoint up, and its heir gets every write',
    { reason: 'hung', asked: 'answers' },
    [
      'a binds 1',
      'a drops the clients of the endpoint',
      'a hands over',
      'written: b',
      'a binds 1',
      'a drops the clients of the endpoint',
      'b binds 2',
      'told',
    ],
  ],
  [
    'a hung one that answers and cannot hand over',
    { reason: 'hung', asked: 'answers', handsOver: false },
    ['a binds 1', 'a drops the clients of the endpoint', 'a is killed', ...promoted],
  ],
  [
    'one that cannot be ended: the endpoint stays',
    { reason: 'frozen', asked: 'silent', endsWhenKilled: false },
    ['a is killed', 'error: it has not ended'],
  ],
  ['one that has answered since it was judged', { reason: 'hung', asked: 'answers', isStillLost: false }, []],
]
for (const [name, behaviour, expected] of rows) {
  test(`failover of ${name}`, async () => assert.deepEqual(await failOver(behaviour), expected))
}
