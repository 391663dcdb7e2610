//! Encryption in transit as users of AWS's tools have it: created, described, renewed; and who connects to it with what
//! the authority's certificate alone gives them.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import * as sdk from '@aws-sdk/client-elasticache'
import { createClient } from '@redis/client'
import { Redis } from 'ioredis'
import { ElastiCacheScenario } from '../../support/elasticache-scenario.ts'

const YEAR_MS = 365 * 86_400_000
const PYTHON = '/usr/bin/python3'

let ec: ElastiCacheScenario
before(async () => {
  ec = await ElastiCacheScenario.start()
})
after(() => ec.end())

const authority = (): string => join(ec.home, 'authority', 'ca', 'ca.pem')

const available = async (id: string): Promise<sdk.ReplicationGroup> =>
  ec.until(async () => {
    const group = await ec.group(id)
    assert.equal(group.Status, 'available')
    assert.deepEqual(group.PendingModifiedValues, {})
    return group
  })

test('a group with encryption in transit: what descriptions say, and clients of every kind', async () => {
  const made = await ec.client.send(
    new sdk.CreateReplicationGroupCommand({
      ReplicationGroupId: 'shop',
      ReplicationGroupDescription: 'a shop',
      Engine: 'redis',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters: 2,
      AutomaticFailoverEnabled: true,
      TransitEncryptionEnabled: true,
    }),
  )
  assert.equal(made.ReplicationGroup!.TransitEncryptionMode, 'required')
  const group = await available('shop')
  assert.deepEqual([group.TransitEncryptionEnabled, group.TransitEncryptionMode], [true, 'required'])
  const member = await ec.cluster('shop-001')
  assert.deepEqual([member.TransitEncryptionEnabled, member.TransitEncryptionMode], [true, 'required'])
  const { Address: host, Port: port } = group.NodeGroups![0]!.PrimaryEndpoint!
  const ca = await readFile(authority(), 'utf8')

  const ioredis = new Redis({ host: host!, port: port!, tls: { ca } })
  assert.equal(await ioredis.set('from', 'ioredis'), 'OK')
  ioredis.disconnect()

  const nodeRedis = createClient({ socket: { host: host!, port: port!, tls: true, ca } })
  nodeRedis.on('error', () => {})
  await nodeRedis.connect()
  assert.equal(await nodeRedis.get('from'), 'ioredis')
  nodeRedis.destroy()

  const cli = ['--tls', '--cacert', authority(), '-h', host!, '-p', String(port), 'GET', 'from']
  assert.equal(execFileSync('redis-cli', cli, { encoding: 'utf8' }).trim(), 'ioredis')

  // Without the authority the certificate is not accepted.
  const blind = new Redis({ host: host!, port: port!, tls: {}, lazyConnect: true, retryStrategy: () => null })
  blind.on('error', () => {})
  await assert.rejects(blind.connect())
  blind.disconnect()
})

test('redis-py verifies the certificate with the exported authority', { skip: !existsSync(PYTHON) }, async () => {
  const { NodeGroups } = await ec.group('shop')
  const { Address, Port } = NodeGroups![0]!.PrimaryEndpoint!
  const script = [
    'import redis, sys',
    'r = redis.Redis(host=sys.argv[1], port=int(sys.argv[2]), ssl=True, ssl_ca_certs=sys.argv[3], ssl_check_hostname=True)',
    'print(r.get("from").decode())',
  ].join('\n')
  const ran = await promisify(execFile)(PYTHON, ['-c', script, Address!, String(Port), authority()])
  assert.equal(ran.stdout.trim(), 'ioredis')
})

test('two thirds of its life later the certificate is renewed, with an event and no connection lost', async () => {
  const { NodeGroups } = await ec.group('shop')
  const { Address: host, Port: port } = NodeGroups![0]!.PrimaryEndpoint!
  const client = new Redis({ host: host!, port: port!, tls: { ca: await readFile(authority(), 'utf8') } })
  const id = await client.client('ID')
  const before = (await ec.control.state.get('replication-group', 'shop'))!.doc.certificate!
  ec.advance(YEAR_MS / 2)
  ec.advance(YEAR_MS / 3)
  const after = await ec.until(async () => {
    const { doc } = (await ec.control.state.get('replication-group', 'shop'))!
    assert.notEqual(doc.certificate!.number, before.number)
    return doc
  })
  assert.equal(after.certificateRenewals, 1)
  await ec.until(async () => {
    const messages = await ec.messages('replication-group', 'shop')
    assert.equal(messages.filter((text) => /^Certificate renewal completed/.test(text)).length, 1, messages.join())
  })
  assert.equal(await client.client('ID'), id)
  client.disconnect()
})

test('a living group goes to preferred, required and back, each step seen while it is under way', async () => {
  const create = {
    ReplicationGroupId: 'move',
    ReplicationGroupDescription: 'moves',
    Engine: 'redis',
    CacheNodeType: 'cache.t4g.micro',
    NumCacheClusters: 2,
    AutomaticFailoverEnabled: true,
  }
  await ec.client.send(new sdk.CreateReplicationGroupCommand(create))
  const none = await available('move')
  const { Address: host, Port: port } = none.NodeGroups![0]!.PrimaryEndpoint!
  const ca = await readFile(authority(), 'utf8')
  const works = async (options: object): Promise<boolean> => {
    const client = new Redis({ host: host!, port: port!, ...options, lazyConnect: true, retryStrategy: () => null })
    client.on('error', () => {})
    const answer = await client.connect().then(
      () => client.ping().catch(() => ''),
      () => '',
    )
    client.disconnect()
    return answer === 'PONG'
  }
  const step = async (changes: object, plain: boolean, secure: boolean): Promise<sdk.ReplicationGroup> => {
    const change = { ReplicationGroupId: 'move', ApplyImmediately: true, ...changes }
    const { ReplicationGroup: begun } = await ec.client.send(new sdk.ModifyReplicationGroupCommand(change))
    assert.equal(begun!.Status, 'modifying')
    assert.deepEqual(begun!.PendingModifiedValues, changes)
    const done = await available('move')
    assert.deepEqual([await works({}), await works({ tls: { ca } })], [plain, secure])
    assert.equal(done.NodeGroups![0]!.PrimaryEndpoint!.Address, host)
    return done
  }
  const preferred = { TransitEncryptionEnabled: true, TransitEncryptionMode: 'preferred' as const }
  assert.equal((await step(preferred, true, true)).TransitEncryptionMode, 'preferred')
  const required = { TransitEncryptionEnabled: true, TransitEncryptionMode: 'required' as const }
  assert.equal((await step(required, false, true)).TransitEncryptionMode, 'required')
  await step(preferred, true, true)
  const off = await step({ TransitEncryptionEnabled: false }, true, false)
  assert.deepEqual([off.TransitEncryptionEnabled, off.TransitEncryptionMode], [false, undefined])
})

test('a memcached cluster with encryption in transit', async () => {
  await ec.client.send(
    new sdk.CreateCacheClusterCommand({
      CacheClusterId: 'mc',
      Engine: 'memcached',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheNodes: 1,
      TransitEncryptionEnabled: true,
    }),
  )
  const cluster = await ec.until(async () => {
    const found = await ec.cluster('mc')
    assert.equal(found.CacheClusterStatus, 'available')
    return found
  })
  assert.deepEqual([cluster.TransitEncryptionEnabled, cluster.TransitEncryptionMode], [true, 'required'])
})
