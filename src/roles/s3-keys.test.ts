import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { keepS3Keys, readS3Keys } from './s3-keys.ts'

const KEYS = { accessKeyId: 'AKIA1', secretAccessKey: 'secret-1' }

async function fileOf(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-s3-keys-'))
  t.after(() => rm(directory, { recursive: true }))
  return join(directory, 'keys.json')
}

test('the keys are in a file of this user alone, by a name that says nothing of them', async (t) => {
  const file = await fileOf(t)
  const name = await keepS3Keys(file, KEYS)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.deepEqual(await readS3Keys(file), KEYS)
  assert.ok(!name.includes('secret') && !name.includes('AKIA'))
  assert.equal(await keepS3Keys(file, { ...KEYS }), name, 'the same keys keep their name')
})

test('other keys have another name, none take the file away', async (t) => {
  const file = await fileOf(t)
  const name = await keepS3Keys(file, KEYS)
  assert.notEqual(await keepS3Keys(file, { ...KEYS, secretAccessKey: 'secret-2' }), name)
  assert.equal((await readS3Keys(file)).secretAccessKey, 'secret-2')
  assert.equal(await keepS3Keys(file, null), '')
  assert.deepEqual(await readdir(join(file, '..')), [])
})

test('a damaged file is written anew, and told of where it is needed', async (t) => {
  const file = await fileOf(t)
  await writeFile(file, '{"name":')
  await assert.rejects(readS3Keys(file), /does not hold the keys/)
  await keepS3Keys(file, KEYS)
  assert.deepEqual(await readS3Keys(file), KEYS)
})
