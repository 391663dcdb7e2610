import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorkerIdentity } from '../feed-protocol.ts'
import { ownersOf } from './owner.ts'

const worker = (name: string): WorkerIdentity => ({
  worker: name,
  pid: 1,
  version: '1',
  pops: [],
  peerSocket: `/${name}`,
})
const WORKERS = ['worker-0', 'worker-1', 'worker-2', 'worker-3'].map(worker)
const KEYS = Array.from({ length: 4_000 }, (_, at) => `E1 /product/${at}`)
const ownerOf = (key: string, workers: readonly WorkerIdentity[]) => ownersOf(key, workers)[0]?.worker

test('keys are spread evenly, and every worker sees the same owner', () => {
  const counts = new Map<string, number>()
  for (const key of KEYS) {
    const owner = ownerOf(key, WORKERS) ?? ''
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
    assert.equal(ownerOf(key, WORKERS.toReversed()), owner)
  }
  for (const [name, count] of counts) assert.ok(count > 800 && count < 1_200, `${name} owns ${count} of ${KEYS.length}`)
})

test('all variants of a key have one owner', () => {
  for (const key of KEYS) assert.equal(ownerOf(`${key}\n\nfoo: ${key.length}`, WORKERS), ownerOf(key, WORKERS))
})

test('a worker that goes moves only its own keys, to the next in line', () => {
  const left = WORKERS.filter(({ worker: name }) => name !== 'worker-2')
  for (const key of KEYS) {
    const [first, second] = ownersOf(key, WORKERS)
    assert.equal(ownerOf(key, left), first?.worker === 'worker-2' ? second?.worker : first?.worker)
  }
})
