//! Snapshots on disk: sealed, opened, copied, renewed; every damage and every missing key is an error in words.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { KMS_KEYS, KmsServer } from '../../../test/support/kms-server.ts'
import { rdbOf } from '../../../test/support/rdb.ts'
import { KeyError } from './key-file.ts'
import { RdbError } from './rdb.ts'
import { Vault } from './vault.ts'

const homes: string[] = []
after(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true })
})

function newVault(): { readonly home: string; readonly vault: Vault } {
  const home = mkdtempSync(join(tmpdir(), 'vault-'))
  homes.push(home)
  return { home, vault: new Vault(home) }
}

const NOW = '2026-11-30T00:00:00.000Z'
/** Nothing compresses it, nothing else contains it. */
const SECRET = randomBytes(16).toString('hex')
const RDB = rdbOf('key', Buffer.concat([Buffer.from(SECRET), randomBytes(3_000_000), Buffer.from(SECRET)]))

async function* inPieces(bytes: Buffer, piece = 70_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
}

const put = (vault: Vault, id: string, kmsKeyId: string | null = null, rdb = RDB) =>
  vault.import(id, inPieces(rdb), { kmsKeyId, startedAt: NOW, now: () => NOW })

async function read(vault: Vault, id: string): Promise<Buffer> {
  const { rdb } = await vault.open(id)
  const pieces: Buffer[] = []
  for await (const piece of rdb()) pieces.push(piece)
  return Buffer.concat(pieces)
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

test('an imported RDB comes back byte for byte; its files hold nothing of it and are for this user alone', async () => {
  const { home, vault } = newVault()
  const manifest = await put(vault, 'nightly')
  assert.deepEqual(await read(vault, 'nightly'), RDB)
  assert.equal(manifest.facts.rdbBytes, RDB.length)
  assert.equal(manifest.facts.engineVersion, '7.0.15')
  assert.equal(manifest.facts.sealedBytes, statSync(join(home, 'snapshots/nightly/data.sealed')).size)
  assert.match(manifest.facts.kmsKeyArn, /^arn:aws:kms:us-east-1:123456789012:key\/[0-9a-f-]{36}$/)
  for (const file of filesBelow(home)) {
    assert.equal(statSync(file).mode & 0o777, 0o600, file)
    assert.equal(readFileSync(file).includes(SECRET), false, file)
  }
  assert.deepEqual(
    (await vault.list()).map(({ id, stored }) => `${id} ${stored.kind}`),
    ['nightly ready'],
  )
  await vault.remove('nightly')
  await vault.remove('nightly')
  assert.deepEqual(await vault.list(), [])
})

test('what is no whole RDB, or a source that breaks, leaves nothing behind', async () => {
  const { vault } = newVault()
  await assert.rejects(put(vault, 'bad', null, RDB.subarray(0, RDB.length - 1)), RdbError)
  await assert.rejects(put(vault, 'bad', null, rdbOf('key', Buffer.from('v'), 'wrong')), /checksum is wrong/)
  async function* breaking(): AsyncGenerator<Buffer> {
    yield RDB.subarray(0, 2_000_000)
    throw new Error('the source broke')
  }
  const about = { kmsKeyId: null, startedAt: NOW, now: () => NOW }
  await assert.rejects(vault.import('bad', breaking(), about), /the source broke/)
  assert.deepEqual(await vault.list(), [])
})

test('data and manifest that were changed, cut off or moved to another snapshot are refused', async () => {
  const { home, vault } = newVault()
  await put(vault, 'one')
  await put(vault, 'two')
  const [one, two] = [join(home, 'snapshots/one'), join(home, 'snapshots/two')]
  const [data, manifest] = [readFileSync(join(one, 'data.sealed')), readFileSync(join(one, 'manifest.json'), 'utf8')]
  const restore = (): void => {
    writeFileSync(join(one, 'data.sealed'), data)
    writeFileSync(join(one, 'manifest.json'), manifest)
  }
  const flipped = Buffer.from(data)
  flipped[1_500_000]! ^= 1
  writeFileSync(join(one, 'data.sealed'), flipped)
  await assert.rejects(read(vault, 'one'), /frame 1 is not authentic/)
  writeFileSync(join(one, 'data.sealed'), data.subarray(0, -20))
  await assert.rejects(read(vault, 'one'), /was cut off/)
  cpSync(join(two, 'data.sealed'), join(one, 'data.sealed'))
  await assert.rejects(read(vault, 'one'), /frame 0 is not authentic/)
  restore()
  for (const [from, to] of [
    [`"rdbBytes": ${RDB.length}`, '"rdbBytes": 7'],
    ['"engineVersion": "7.0.15"', '"engineVersion": "9.9.9"'],
  ] as const) {
    assert.ok(manifest.includes(from))
    writeFileSync(join(one, 'manifest.json'), manifest.replace(from, to))
    await assert.rejects(read(vault, 'one'), /the manifest of snapshot one was changed/)
  }
  cpSync(join(two, 'manifest.json'), join(one, 'manifest.json'))
  await assert.rejects(read(vault, 'one'), /is not the one that this was wrapped with/)
  writeFileSync(join(one, 'manifest.json'), manifest.slice(0, 50))
  await assert.rejects(read(vault, 'one'), /its manifest cannot be read/)
  restore()
  assert.deepEqual(await read(vault, 'one'), RDB)
  renameSync(one, join(home, 'snapshots/moved'))
  await assert.rejects(read(vault, 'moved'), /is not the one that this was wrapped with/)
  await assert.rejects(read(vault, 'one'), /There is no snapshot one in/)
  await assert.rejects(read(vault, '../one'), /cannot be the id of a snapshot/)
})

test('a copy has a data key of its own, by another key where one is named', async () => {
  const { home, vault } = newVault()
  await put(vault, 'source')
  const key = await vault.keys.create('alias/shop', NOW)
  const copy = await vault.copy('source', 'target', 'alias/shop', NOW, () => NOW)
  assert.equal(copy.facts.kmsKeyArn, key.arn)
  assert.deepEqual(await read(vault, 'target'), RDB)
  const sealed = (id: string): Buffer => readFileSync(join(home, 'snapshots', id, 'data.sealed'))
  assert.equal(sealed('source').subarray(32, 200).equals(sealed('target').subarray(32, 200)), false)
})

test('a rotated key: old snapshots stay readable, are wrapped anew without being encrypted anew', async () => {
  const { home, vault } = newVault()
  await put(vault, 'old')
  const before = readFileSync(join(home, 'snapshots/old/data.sealed'))
  const wrappedBefore = readFileSync(join(home, 'snapshots/old/manifest.json'), 'utf8')
  assert.equal((await vault.keys.rotate(null, NOW)).material, 2)
  assert.deepEqual(await read(vault, 'old'), RDB)
  assert.equal(await vault.renew('old'), true)
  assert.equal(await vault.renew('old'), false)
  assert.deepEqual(await read(vault, 'old'), RDB)
  assert.ok(readFileSync(join(home, 'snapshots/old/data.sealed')).equals(before))
  assert.notEqual(readFileSync(join(home, 'snapshots/old/manifest.json'), 'utf8'), wrappedBefore)
  await put(vault, 'new')
  assert.deepEqual(await read(vault, 'new'), RDB)
})

test('a missing, wrong, damaged or open key file is named, with what to do', async () => {
  const { home, vault } = newVault()
  await put(vault, 'one')
  const file = join(home, 'keys/key-file.json')
  const text = readFileSync(file, 'utf8')
  const id: string = JSON.parse(text).keys[0].id
  const fails = async (message: RegExp): Promise<void> => {
    await assert.rejects(read(vault, 'one'), (error: Error) => {
      assert.ok(error instanceof KeyError)
      assert.match(error.message, message)
      const { secret } = JSON.parse(text).keys[0].materials[0]
      assert.equal(error.message.includes(secret), false)
      return true
    })
  }
  chmodSync(file, 0o644)
  await fails(/can be read by others: chmod 600/)
  chmodSync(file, 0o600)
  writeFileSync(file, text.slice(0, 80))
  await fails(/is damaged: put its copy back/)
  rmSync(file)
  await fails(new RegExp(`has no key ${id} .*put the key file back`))
  const other = randomBytes(32).toString('base64')
  writeFileSync(file, text.replace(/"secret": "[^"]+"/, `"secret": "${other}"`), { mode: 0o600 })
  await fails(/is not the one that this was wrapped with/)
  await assert.rejects(put(vault, 'two', 'alias/none'), /There is no key alias\/none: cachefront encryption-keys list/)
  writeFileSync(file, text, { mode: 0o600 })
  assert.deepEqual(await read(vault, 'one'), RDB)
})

test('two processes that use the key file first have the same key', async () => {
  const { home } = newVault()
  const vaults = Array.from({ length: 8 }, () => new Vault(home))
  const arns = await Promise.all(
    vaults.map((vault, at) => vault.keys.find(at % 2 === 0 ? null : 'alias/aws/elasticache', NOW)),
  )
  assert.equal(new Set(arns).size, 1)
})

test('keys in a KMS: signed calls, context bound to the snapshot, its errors in words', async () => {
  const kms = await KmsServer.start()
  try {
    const { home, vault } = newVault()
    const keyId = kms.createKey()
    const settings = { endpoint: kms.url, region: 'us-east-1', keyId, ...KMS_KEYS }
    const configure = (change: Partial<typeof settings> = {}): Promise<void> =>
      vault.keys.configure({
        keyFile: null,
        region: 'us-east-1',
        accountId: '123456789012',
        kms: { ...settings, ...change },
      })
    await put(vault, 'by-file')
    await configure()
    const manifest = await put(vault, 'by-kms')
    assert.equal(manifest.facts.kmsKeyArn, keyId)
    assert.deepEqual(await read(vault, 'by-kms'), RDB)
    assert.deepEqual(await read(vault, 'by-file'), RDB)
    assert.equal(await vault.renew('by-kms'), true)
    assert.deepEqual(await read(vault, 'by-kms'), RDB)
    assert.deepEqual(kms.calls, ['GenerateDataKey', 'Decrypt', 'Decrypt', 'Encrypt', 'Decrypt'])
    const other = kms.createKey()
    assert.equal(await vault.keys.find(other, NOW), other)
    renameSync(join(home, 'snapshots/by-kms'), join(home, 'snapshots/elsewhere'))
    await assert.rejects(read(vault, 'elsewhere'), /it is not the key that wrapped this, or what was wrapped/)
    renameSync(join(home, 'snapshots/elsewhere'), join(home, 'snapshots/by-kms'))
    kms.setEnabled(keyId, false)
    await assert.rejects(
      read(vault, 'by-kms'),
      new RegExp(`The key ${keyId} cannot be used at ${kms.url}: .*enable it`),
    )
    await assert.rejects(vault.keys.find(keyId, NOW), /is disabled/)
    kms.setEnabled(keyId, true)
    await assert.rejects(put(vault, 'x', 'nowhere'), /The key nowhere cannot be used .* there is no such key/)
    await configure({ secretAccessKey: 'wrong' })
    await assert.rejects(read(vault, 'by-kms'), /the secret given .* is not the right one/)
    await vault.keys.configure({ keyFile: null, region: 'us-east-1', accountId: '123456789012', kms: null })
    await assert.rejects(read(vault, 'by-kms'), /is in a KMS, and none is set up: give --kms-endpoint/)
  } finally {
    await kms.close()
  }
})
