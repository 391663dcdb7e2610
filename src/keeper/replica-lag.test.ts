import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplicaLag } from './replica-lag.ts'

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
