import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { testBody, testMeta, versionOf } from '../../../../test/support/disk-store.ts'
import { mountSmallDisk } from '../../../../test/support/small-disk.ts'
import { systemClock } from '../../../lib/clock.ts'
import { Counters } from '../../../observe/counters.ts'
import { Invalidations } from '../invalidation.ts'
import { MemoryStore } from '../memory.ts'
import { DiskTier, type DiskTierOptions } from './tier.ts'
import { TieredStore } from './tiered-store.ts'

const MIB = 1024 * 1024

async function directoryFor(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-tier-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

interface TestTier {
  readonly disk: DiskTier
  readonly memory: MemoryStore
  readonly store: TieredStore
  readonly invalidations: Invalidations
  readonly problems: string[]
}

function tier(directory: string, changes: Partial<DiskTierOptions> = {}): TestTier {
  const memory = new MemoryStore(16 * MIB)
  const invalidations = new Invalidations()
  const problems: string[] = []
  const disk = new DiskTier({
    directory,
    limitBytes: 16 * MIB,
    savedRevision: -1,
    memory,
    invalidations,
    clock: systemClock,
    counters: new Counters(),
    problem: (message) => problems.push(message),
    ...changes,
  })
  return { disk, memory, store: new TieredStore(memory, disk, () => true), invalidations, problems }
}

async function opened(directory: string, changes: Partial<DiskTierOptions> = {}): Promise<TestTier> {
  const made = tier(directory, changes)
  await made.disk.openJournal()
  await made.disk.load()
  return made
}

const put = ({ store }: TestTier, key: string, bytes = 500): unknown =>
  store.put(key, testMeta(key), [testBody(key, 1, bytes)])

test('one directory, one process: the second goes on without', async (t) => {
  const directory = await directoryFor(t)
  const first = await opened(directory)
  const second = await opened(directory)
  assert.match(second.problems.join(), /another process uses/)
  assert.equal(second.disk.stats().state, 'closed')
  put(second, 'k')
  assert.equal(second.disk.commit(5), null)
  await second.disk.close()
  assert.equal(first.disk.stats().state, 'open')
  await first.disk.close()
  const third = await opened(directory)
  assert.equal(third.disk.stats().state, 'open')
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
  assert.equal((await stat(join(directory, 'journal'))).mode & 0o777, 0o600)
  await third.disk.close()
})

test('with a limit of 0 nothing is made', async (t) => {
  const directory = join(await directoryFor(t), 'none')
  const off = await opened(directory, { limitBytes: 0 })
  put(off, 'k')
  assert.equal(off.disk.opening, null)
  assert.equal(off.disk.mayHave('k'), false)
  await assert.rejects(readdir(directory), { code: 'ENOENT' })
  await off.disk.close()
})

test('what was replaced or removed before the objects were read in does not come back', async (t) => {
  const directory = await directoryFor(t)
  const before = await opened(directory)
  for (const key of ['kept', 'removed', 'replaced']) put(before, key)
  await before.disk.close()
  const after = tier(directory)
  await after.disk.openJournal()
  assert.notEqual(after.disk.opening, null)
  after.store.delete('removed')
  put(after, 'replaced')
  await after.disk.load()
  assert.equal(after.disk.opening, null)
  assert.deepEqual(
    ['kept', 'removed', 'replaced'].map((key) => after.disk.mayHave(key)),
    [true, false, false],
  )
  await after.disk.close()
})

test('clear is for good', async (t) => {
  const directory = await directoryFor(t)
  const first = await opened(directory)
  put(first, 'old')
  await first.disk.idle()
  put(first, 'waiting')
  first.store.clear()
  put(first, 'new')
  await first.disk.close()
  const second = await opened(directory)
  assert.deepEqual(
    ['old', 'waiting', 'new'].map((key) => second.disk.mayHave(key)),
    [false, false, true],
  )
  assert.equal(await second.disk.promote('new'), true)
  assert.equal(versionOf('new', second.memory.get('new')?.body as Buffer), 1)
  await second.disk.close()
})

test('a full disk: memory goes on, one line says so, and what could not be written down voids the disk', async (t) => {
  const directory = await directoryFor(t)
  const disk = await mountSmallDisk(t, directory, '3m')
  if (disk === null) return
  const at = join(directory, 'cache')
  try {
    const first = await opened(at)
    for (let n = 0; n < 60; n++) put(first, `k${n}`, 10_000)
    await first.disk.idle()
    first.invalidations.forgetBefore(1)
    await first.disk.commit(1)
    assert.equal(await writeFile(join(directory, 'filler'), Buffer.alloc(8 * MIB)).catch(() => 'full'), 'full')
    for (let n = 0; n < 300; n++) put(first, `more${n}`, 10_000)
    await first.disk.idle()
    assert.equal(
      first.problems.filter((line) => /objects cannot be written: .*(ENOSPC|disk is full)/.test(line)).length,
      1,
    )
    assert.notEqual(first.memory.get('more299'), null)
    for (let revision = 2; revision < 400; revision++) {
      first.invalidations.add('E1', `/${'x'.repeat(200)}${revision}`, revision)
      await first.disk.commit(revision)
    }
    assert.equal(
      first.problems.filter((line) => /its journal cannot be written: .*(ENOSPC|disk is full)/.test(line)).length,
      1,
    )
    await first.disk.close()
    await rm(join(directory, 'filler'))
    const second = await opened(at, { savedRevision: 399 })
    assert.match(second.problems.join(), /begun anew: invalidations are missing/)
    assert.equal(second.disk.stats().objects, 0)
    assert.equal(second.disk.stats().state, 'open')
    await second.disk.close()
  } finally {
    await disk.unmount()
  }
})
