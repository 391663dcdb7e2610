import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DistributionDoc } from '../../domain/distribution.ts'
import { loadSnapshot, SnapshotSaver } from './disk.ts'

const document = (id: string) => ({ id, behaviors: [], origins: [], aliases: [] }) as unknown as DistributionDoc

test('the newest snapshot is saved; a revision alone may wait for others, a configuration does not', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-snapshot-'))
  t.after(() => rm(directory, { recursive: true }))
  const file = join(directory, 'edge', 'snapshot.json')
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
