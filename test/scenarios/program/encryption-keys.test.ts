//! Keys of snapshots by the real program: `cachefront encryption-keys`, a key file elsewhere, a KMS, and what is said of a lost key.
import assert from 'node:assert/strict'
import { readFileSync, renameSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ElastiCache, type Snapshot } from '@aws-sdk/client-elasticache'
import { Redis } from 'ioredis'
import type { KeySeen } from '../../../src/keeper/snapshots/keys.ts'
import { KMS_KEYS, KmsServer } from '../../support/kms-server.ts'
import { cachefront, endAll, type Installation, newHome, upWithin } from '../../support/program-installation.ts'

/** Patience, and between two looks. Milliseconds. */
const PATIENCE_MS = 60_000
const LOOK_MS = 30

let home: string
let directory: string
let kms: KmsServer
let kmsKey: string
let running: Installation
let client: ElastiCache
const keyFile = () => join(directory, 'keys.json')

before(async () => {
  home = await newHome()
  directory = await mkdtemp(join(tmpdir(), 'cachefront-keys-'))
  kms = await KmsServer.start()
  kmsKey = kms.createKey()
  const secret = { CACHEFRONT_KMS_SECRET_ACCESS_KEY: KMS_KEYS.secretAccessKey }
  const flags = ['--key-file', keyFile(), '--kms-endpoint', kms.url, '--kms-key-id', kmsKey]
  running = await upWithin(home, secret, ...flags, '--kms-access-key-id', KMS_KEYS.accessKeyId)
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  client = new ElastiCache({ endpoint: running.api, region: 'us-east-1', credentials })
})
after(async () => {
  await endAll(home)
  await kms.close()
  await rm(directory, { recursive: true, force: true })
})

async function keys<T>(...args: string[]): Promise<T> {
  const { code, out, err } = await cachefront(home, 'encryption-keys', ...args, '--json')
  assert.equal(code, 0, err)
  return JSON.parse(out) as T
}

async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  for (let waited = 0; waited <= PATIENCE_MS; waited += LOOK_MS) {
    const found = await look().catch(() => null)
    if (found !== null) return found
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  throw new Error(`it does not come: ${what}`)
}

async function create(ReplicationGroupId: string, status: string, SnapshotName?: string) {
  await client.createReplicationGroup({
    ...{ ReplicationGroupId, ReplicationGroupDescription: 'x', Engine: 'redis', CacheNodeType: 'cache.t4g.micro' },
    ...{ NumCacheClusters: 1, AutomaticFailoverEnabled: false },
    ...(SnapshotName === undefined ? { AtRestEncryptionEnabled: true, KmsKeyId: 'alias/shop' } : { SnapshotName }),
  })
  return until(`${ReplicationGroupId} ${status}`, async () => {
    const [group] = (await client.describeReplicationGroups({ ReplicationGroupId })).ReplicationGroups!
    return group!.Status === status ? group! : null
  })
}

async function redisOf(group: Awaited<ReturnType<typeof create>>): Promise<Redis> {
  const { Address, Port } = group.NodeGroups![0]!.PrimaryEndpoint!
  return new Redis(Port!, Address!)
}

const ended = (SnapshotName: string, status = 'available'): Promise<Snapshot> =>
  until(`${SnapshotName} ${status}`, async () => {
    const [snapshot] = (await client.describeSnapshots({ SnapshotName })).Snapshots!
    return snapshot!.SnapshotStatus === status ? snapshot! : null
  })

async function valueIn(snapshot: string, group: string): Promise<string | null> {
  const redis = await redisOf(await create(group, 'available', snapshot))
  const value = await redis.get('name')
  redis.disconnect()
  await client.deleteReplicationGroup({ ReplicationGroupId: group })
  return value
}

test('keys are made, listed and rotated; snapshots by the key file and by the KMS come back; a lost key is named', async () => {
  const made = await keys<KeySeen>('create', 'alias/shop')
  assert.equal(made.material, 1)
  const wrong = await cachefront(home, 'encryption-keys', 'create', 'shop')
  assert.deepEqual([wrong.code, /shop is not an alias/.test(wrong.err)], [1, true])
  assert.ok(readFileSync(keyFile(), 'utf8').includes('alias/shop'), 'in the file that was named')

  const shop = await create('shop', 'available')
  assert.equal(shop.KmsKeyId, made.arn)
  const redis = await redisOf(shop)
  await redis.set('name', 'Ada')
  redis.disconnect()
  await client.createSnapshot({ SnapshotName: 'by-file', ReplicationGroupId: 'shop' })
  assert.equal((await ended('by-file')).KmsKeyId, made.arn)
  // A copy with another key: that of the KMS, which holds it.
  await client.copySnapshot({ SourceSnapshotName: 'by-file', TargetSnapshotName: 'by-kms', KmsKeyId: kmsKey })
  assert.equal((await ended('by-kms')).KmsKeyId, kmsKey)
  assert.ok(kms.calls.includes('GenerateDataKey'))

  const rotated = await keys<KeySeen & { readonly renewed: readonly string[] }>('rotate', 'alias/shop')
  assert.deepEqual([rotated.material, rotated.renewed.length], [2, 1])
  const listed = await keys<readonly KeySeen[]>('list')
  assert.equal(listed.find(({ alias }) => alias === 'alias/shop')?.material, 2)
  assert.equal(await valueIn('by-file', 'from-file'), 'Ada')
  assert.equal(await valueIn('by-kms', 'from-kms'), 'Ada')
  assert.ok(kms.calls.includes('Decrypt'))

  // The key of the KMS is out of use, and the key file away: the events name each and say what to do.
  kms.setEnabled(kmsKey, false)
  await create('no-kms', 'create-failed', 'by-kms')
  renameSync(keyFile(), `${keyFile()}.away`)
  await create('no-file', 'create-failed', 'by-file')
  const { Events } = await client.describeEvents({ Duration: 60 })
  const messages = (Events ?? []).map(({ Message }) => Message).join('\n')
  assert.match(messages, /the key is disabled; enable it there/)
  assert.match(messages, /keys\.json/)
  // Running caches need no key.
  assert.equal(
    (await client.describeReplicationGroups({ ReplicationGroupId: 'shop' })).ReplicationGroups![0]!.Status,
    'available',
  )
})
