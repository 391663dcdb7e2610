import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { DistributionDoc } from '../../domain/distribution.ts'
import { SnapshotSaver } from './disk.ts'
import { loadSnapshot, type SavedSnapshot } from './disk-lines.ts'

const document = (id: string, fields: object = {}) =>
  ({ id, behaviors: [], origins: [], aliases: [], ...fields }) as unknown as DistributionDoc

async function fileOf(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-snapshot-'))
  t.after(() => rm(directory, { recursive: true }))
  return join(directory, 'edge', 'snapshot.json')
}

test('the newest snapshot is saved; a revision alone may wait for others, a configuration does not', async (t) => {
  const file = await fileOf(t)
  const saver = new SnapshotSaver(file, (message) => assert.fail(message))
  const workers: [] = []
  const distributions = [document('E1')]
  const revision = async () => (await loadSnapshot(file))?.revision
  for (let at = 1; at <= 3; at++) saver.save({ revision: at, distributions: [...distributions], workers })
  await saver.settled()
  assert.equal(await revision(), 3)
  for (let at = 4; at <= 100; at++) saver.save({ revision: at, distributions: [...distributions], workers })
  assert.equal(await revision(), 3, 'it waits')
  saver.save({ revision: 101, distributions: [document('E1')], workers })
  while ((await revision()) !== 101) await new Promise((resolve) => setImmediate(resolve))
  const changed = [document('E2')]
  saver.save({ revision: 102, distributions: changed, workers })
  saver.save({ revision: 103, distributions: [...changed], workers })
  await saver.settled()
  assert.equal(await revision(), 103)
  assert.match(await readFile(file, 'utf8'), /"E2"/)
})

test('what is read is what was saved last, whatever changed and in whatever order; a line that is cut off is as good as not there', async (t) => {
  const file = await fileOf(t)
  const policies = [{ id: 'P0' }, { id: 'P1' }]
  const row = fc.record(
    { originId: fc.constantFrom('a', 'b'), cachePolicy: fc.constantFrom(...policies) },
    { noNullPrototype: true },
  )
  const documents = fc.dictionary(fc.constantFrom('E1', 'E2', 'E3', 'E4'), fc.array(row, { maxLength: 3 }), {
    noNullPrototype: true,
  })
  await fc.assert(
    fc.asyncProperty(fc.array(documents, { minLength: 1, maxLength: 6 }), fc.nat(30), async (steps, cut) => {
      const saver = new SnapshotSaver(file, (message) => assert.fail(message))
      const saved: SavedSnapshot[] = []
      for (const [revision, step] of steps.entries()) {
        const distributions = Object.entries(step).map(([id, behaviors]) => document(id, { behaviors }))
        saved.push({ revision, distributions, workers: [] })
        saver.save(saved[revision]!)
        await saver.settled()
        assert.deepEqual(sorted(await loadSnapshot(file)), sorted(saved[revision]!))
      }
      if (steps.length > 1) {
        await truncate(file, (await stat(file)).size - 1 - cut)
        assert.deepEqual(sorted(await loadSnapshot(file)), sorted(saved.at(-2)!))
      }
    }),
    { numRuns: 30 },
  )
})

test('a file of changes is written anew when they are longer than what they change', async (t) => {
  const file = await fileOf(t)
  const saver = new SnapshotSaver(file, (message) => assert.fail(message))
  const rest = Array.from({ length: 100 }, (_, at) => document(`E${at}`))
  for (let revision = 1; revision <= 40; revision++) {
    const distributions = [...rest, document('EX', { defaultRootObject: 'x'.repeat(100_000), revision })]
    saver.save({ revision, distributions, workers: [] })
    await saver.settled()
  }
  assert.ok((await stat(file)).size < 1_400_000, 'a megabyte, and the last change')
  const loaded = await loadSnapshot(file)
  assert.equal(loaded?.revision, 40)
  assert.equal(loaded?.distributions.length, 101)
})

test('after a crash within a line, and for a snapshot of an earlier version, the file is written anew', async (t) => {
  const file = await fileOf(t)
  const first = new SnapshotSaver(file, (message) => assert.fail(message))
  first.save({ revision: 1, distributions: [document('E1')], workers: [] })
  await first.settled()
  await appendFile(file, '{"revision":2,"chan')
  const second = new SnapshotSaver(file, (message) => assert.fail(message))
  for (const revision of [3, 4]) second.save({ revision, distributions: [document('E1')], workers: [] })
  await second.settled()
  assert.equal((await loadSnapshot(file))?.revision, 4)
  await writeFile(file, JSON.stringify({ format: 2, revision: 5, distributions: [document('E2')], workers: [] }))
  assert.deepEqual(await loadSnapshot(file), { revision: 5, distributions: [document('E2')], workers: [] })
  await writeFile(file, JSON.stringify({ format: 1, revision: 5 }))
  assert.equal(await loadSnapshot(file), null)
})

const sorted = (snapshot: SavedSnapshot | null) =>
  snapshot && { ...snapshot, distributions: snapshot.distributions.toSorted((a, b) => (a.id < b.id ? -1 : 1)) }
