import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplicaLag, type ReplicaSeen } from './replica-lag.ts'

/** The primary `a` at seconds 0, 1, 2, ... had so many bytes. */
function primaryHad(...offsets: readonly number[]): ReplicaLag {
  const lag = new ReplicaLag()
  for (const [second, offset] of offsets.entries()) lag.note('a', offset, second * 1000)
  return lag
}

const rows: readonly [string, ReplicaLag, offset: number, atMs: number, expected: number][] = [
  ['nothing is known of the primary', new ReplicaLag(), 0, 5000, 0],
  ['it has all', primaryHad(0, 100, 200), 200, 2010, 0],
  ['it has more than was known', primaryHad(0, 100, 200), 250, 2900, 0],
  ['it lacks what came within the last second', primaryHad(0, 100, 200), 190, 2010, 1000],
  ['it stands still while the primary goes on', primaryHad(0, 100, 200, 300, 400, 500), 100, 5010, 4000],
  ['it stands still, and so does the primary: nobody writes', primaryHad(0, 100, 100, 100, 100), 100, 4010, 0],
  ['it was asked before the primary had more', primaryHad(0, 100, 900), 100, 1500, 0],
  ['it never had what is remembered', primaryHad(500, 600, 700), 10, 2010, 2000],
]
for (const [name, lag, offset, atMs, expected] of rows) {
  test(`lag of a replica: ${name}`, () => assert.equal(lag.of(offset, atMs), expected))
}

test('another primary, or one that began a new stream, begins anew', () => {
  const lag = primaryHad(100, 200, 300)
  lag.note('b', 310, 3000)
  assert.equal(lag.of(305, 3010), 0, 'older offsets of the other are not counted')
  lag.note('b', 14, 4000)
  assert.equal(lag.of(14, 4010), 0)
})

test('what is remembered is bounded', () => {
  const lag = new ReplicaLag()
  for (let second = 0; second < 1000; second++) lag.note('a', second + 1, second * 1000)
  assert.equal(lag.of(1, 1_000_000), 63_000)
})

/** What happens, in order: the primary has so many bytes at a second, or the replica is seen so. */
type Step = { readonly primary: number; readonly at: number } | (Partial<ReplicaSeen> & { readonly at: number })

function caughtUpAfter(steps: readonly Step[]): boolean {
  const lag = new ReplicaLag()
  let caughtUp = false
  for (const { at, ...step } of steps) {
    if ('primary' in step) lag.note('a', step.primary, at * 1000)
    else caughtUp = lag.hasCaughtUp({ ...FILLED, ...step, atMs: at * 1000 })
  }
  return caughtUp
}
const FILLED = { id: 'b', pid: 7, wasAvailable: false, hasData: true, inSync: true, offset: 0 }
const caught: readonly Step[] = [
  { at: 1, offset: 100 },
  { at: 2, primary: 100 },
  { at: 2.1, offset: 100 },
]
const catching: readonly [string, readonly Step[], expected: boolean][] = [
  [
    'its link has just come up: nobody has asked the primary since',
    [
      { at: 0, primary: 100 },
      { at: 1, offset: 100 },
    ],
    false,
  ],
  [
    'it lacks what the primary had once the link was up',
    [
      { at: 1, offset: 100 },
      { at: 2, primary: 900 },
      { at: 2.1, offset: 899 },
    ],
    false,
  ],
  ['it has that, and nobody writes', caught, true],
  [
    'it is looked at before the primary is',
    [
      { at: 1, offset: 50 },
      { at: 0.9, primary: 50 },
      { at: 1.1, offset: 60 },
    ],
    false,
  ],
  [
    'the primary is written to without a pause: it has what was there at first, and is less than a second behind',
    [
      { at: 1, offset: 100 },
      { at: 2, primary: 2000 },
      { at: 2.1, offset: 500 },
      ...[2.5, 3, 3.5].map((at) => ({ at, primary: at * 1000 })),
      { at: 3.6, offset: 3000 },
    ],
    true,
  ],
  [
    'it has what was there at first, and is far behind what came since',
    [
      { at: 1, offset: 100 },
      { at: 2, primary: 2000 },
      { at: 2.1, offset: 500 },
      ...[2.5, 3, 3.5].map((at) => ({ at, primary: at * 1000 })),
      { at: 3.6, offset: 2100 },
    ],
    false,
  ],
  [
    'its link broke before it had caught up',
    [
      { at: 1, offset: 0 },
      { at: 1.1, primary: 10 },
      { at: 2, inSync: false, offset: 5 },
      { at: 3, offset: 10 },
    ],
    false,
  ],
  ['its link breaks afterwards: it keeps what it has', [...caught, { at: 3, inSync: false, offset: 100 }], true],
  [
    'it falls behind afterwards: `of` tells',
    [...caught, { at: 3, primary: 9000 }, { at: 9, primary: 9900 }, { at: 9.1, offset: 100 }],
    true,
  ],
  ['its data is thrown away', [...caught, { at: 3, hasData: false }], false],
  [
    'it was thrown away, and the link is up again',
    [...caught, { at: 3, hasData: false }, { at: 4, offset: 90 }],
    false,
  ],
  ['another process', [...caught, { at: 3, pid: 8, offset: 100 }], false],
  [
    'the primary begins a new stream meanwhile',
    [
      { at: 1, offset: 100 },
      { at: 2, primary: 100 },
      { at: 3, primary: 4 },
      { at: 3.1, offset: 100 },
    ],
    false,
  ],
  ['an earlier keeper had waited for it', [{ at: 1, wasAvailable: true, offset: 0 }], true],
]
for (const [name, steps, expected] of catching) {
  test(`a replica that was filled: ${name}`, () => assert.equal(caughtUpAfter(steps), expected))
}
