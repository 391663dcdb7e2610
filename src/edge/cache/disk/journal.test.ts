import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { mountSmallDisk } from '../../../../test/support/small-disk.ts'
import { Invalidations } from '../invalidation.ts'
import { InvalidationKeeper } from './invalidation-keeper.ts'
import { Journal, readJournal } from './journal.ts'
import { newStoreHead, parseJournal } from './journal-lines.ts'
import { openJournal } from './opening.ts'

const MIB = 1024 * 1024

async function directoryFor(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-journal-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function written(directory: string, count: number, bytesMax = MIB): Promise<void> {
  const onTrouble = (error: Error | null): void => assert.fail(`${error}`)
  const journal = await Journal.begin(directory, newStoreHead(MIB), { bytesMax, onTrouble })
  for (let revision = 1; revision <= count; revision++) {
    const entry = { kind: 'path', distributionId: 'E1', path: `/p/${revision}`, revision } as const
    await journal.append(revision % 2 === 0 ? [entry] : [], revision, revision % 10 === 0)
  }
  await journal.close()
}

test('What was appended is read again, with how far it reaches', async (t) => {
  const directory = await directoryFor(t)
  await written(directory, 10)
  const content = await readJournal(directory)
  assert.ok(content.kind === 'read')
  assert.equal(content.reached, 10)
  assert.deepEqual(
    content.entries.map((entry) => entry.revision),
    [2, 4, 6, 8, 10],
  )
})

test('A cut-off journal is read up to the last whole line; with any other damage it is not believed', async (t) => {
  const directory = await directoryFor(t)
  await written(directory, 20)
  const bytes = await readFile(join(directory, 'journal'))
  const head = bytes.indexOf(10) + 1
  for (let length = 0; length <= bytes.length; length++) {
    const content = parseJournal(bytes.subarray(0, length))
    if (length < head) assert.equal(content.kind, 'unusable')
    else {
      assert.ok(content.kind === 'read', `${length}`)
      assert.ok(content.reached < 20 || length === bytes.length)
    }
  }
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] as number) ^ 0x11
    const content = parseJournal(flipped)
    assert.ok(content.kind === 'unusable' || (content.kind === 'read' && content.reached < 20), `byte ${at}`)
  }
})

test('Over its limit the older half becomes one line: everything from before is dead', async (t) => {
  const directory = await directoryFor(t)
  await written(directory, 1_000, 20_000)
  assert.ok((await stat(join(directory, 'journal'))).size <= 20_000)
  const content = await readJournal(directory)
  assert.ok(content.kind === 'read')
  assert.equal(content.reached, 1_000)
  const invalidations = new Invalidations()
  for (const entry of content.entries) invalidations.enter(entry)
  for (let revision = 2; revision <= 1_000; revision += 2)
    assert.ok(invalidations.isDead('E1', `/p/${revision}`, revision - 1), `${revision}`)
  assert.ok(!invalidations.isDead('E1', '/p/1000', 1_000))
})

test('A journal that ends before the revision of the worker has lost something: the store is begun anew', async (t) => {
  const directory = await directoryFor(t)
  await written(directory, 10)
  const parts = { directory, limitBytes: 8 * MIB, onTrouble: () => {}, invalidations: new Invalidations() }
  const good = await openJournal({ ...parts, savedRevision: 10 })
  assert.equal(good.setAside, null)
  assert.ok(parts.invalidations.isDead('E1', '/p/10', 9))
  await good.journal.close()
  const behind = await openJournal({ ...parts, savedRevision: 11 })
  assert.equal(behind.setAside, 'incomplete')
  assert.notEqual(behind.head.storeId, good.head.storeId)
  await behind.journal.close()
})

test('Another version, another size, a lost journal: set aside under a name that says why', async (t) => {
  const parts = { limitBytes: 64 * MIB, onTrouble: () => {}, invalidations: new Invalidations(), savedRevision: -1 }
  const size = await directoryFor(t)
  await written(size, 3)
  const content = await readJournal(size)
  assert.ok(content.kind === 'read')
  const kept = await openJournal({ ...parts, directory: size })
  assert.equal(kept.shares.segmentBytes, MIB, 'a store keeps its size of segments while the limit allows it')
  await kept.journal.close()
  const lost = await directoryFor(t)
  await writeFile(join(lost, 'segment-0000'), 'x')
  const begun = await openJournal({ ...parts, directory: lost })
  assert.equal(begun.setAside, 'missing')
  await begun.journal.close()
  const huge = await directoryFor(t)
  await (await Journal.begin(huge, newStoreHead(64 * MIB), { bytesMax: MIB, onTrouble: () => {} })).close()
  const smaller = await openJournal({ ...parts, directory: huge })
  assert.equal(smaller.setAside, 'other-size')
  await smaller.journal.close()
  assert.ok((await stat(join(huge, 'set-aside-other-size-journal'))).isFile())
})

test('Invalidations of the POP itself, which no revision of the feed brings, are written as well', async (t) => {
  const directory = await directoryFor(t)
  const onTrouble = (): void => {}
  const journal = await Journal.begin(directory, newStoreHead(MIB), { bytesMax: MIB, onTrouble })
  const invalidations = new Invalidations()
  const keeper = new InvalidationKeeper(journal, invalidations, true)
  assert.equal(keeper.commit(7), null, 'nothing to wait for')
  invalidations.add('E1', '/own', 7.5)
  await Promise.resolve()
  await keeper.settled()
  invalidations.add('E1', '/fed', 8)
  assert.ok(keeper.commit(8) instanceof Promise)
  await keeper.close()
  const content = await readJournal(directory)
  assert.ok(content.kind === 'read')
  assert.deepEqual(
    content.entries.map((entry) => entry.revision),
    [7.5, 8],
  )
  assert.equal(content.reached, 8)
})

test('What the disk refuses is written later; too much of it becomes one line that everything from before is dead', async (t) => {
  const directory = await directoryFor(t)
  const disk = await mountSmallDisk(t, directory, '64k')
  if (disk === null) return
  try {
    const troubles: (Error | null)[] = []
    const options = { bytesMax: 16_000, onTrouble: (error: Error | null) => void troubles.push(error) }
    const journal = await Journal.begin(directory, newStoreHead(MIB), options)
    const filler = join(directory, 'filler')
    for (const count of [5, 500]) {
      await writeFile(filler, Buffer.alloc(128 * 1024)).catch(() => 'full')
      const from = journal.reached + 1
      for (let revision = from; revision < from + count; revision++) {
        const path = `/${revision}${'x'.repeat(1_000)}`
        await journal.append([{ kind: 'path', distributionId: 'E1', path, revision }], revision, true)
      }
      assert.notEqual(troubles.at(-1), null)
      await rm(filler)
      await journal.append([], journal.reached + 1, false)
      assert.equal(troubles.at(-1), null)
      const content = await readJournal(directory)
      assert.ok(content.kind === 'read')
      assert.equal(content.reached, journal.reached)
      const invalidations = new Invalidations()
      for (const entry of content.entries) invalidations.enter(entry)
      for (let revision = from; revision < from + count; revision++)
        assert.ok(invalidations.isDead('E1', `/${revision}${'x'.repeat(1_000)}`, revision - 1), `${revision}`)
    }
    await journal.close()
  } finally {
    await disk.unmount()
  }
})
