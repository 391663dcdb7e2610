//! Certificates that somebody else issued, on caches of the real program: named by `--cache-certificate`, asked for by a
//! tag, shown by real engines, and followed while clients are connected; what cannot be served leaves the last good one.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import {
  type CreateReplicationGroupCommandInput,
  ElastiCache,
  InvalidParameterValueException,
  type Tag,
} from '@aws-sdk/client-elasticache'
import { Redis } from 'ioredis'
import type { Status } from '../../../src/services/cachefront/status.ts'
import { clientOptions } from '../../support/api-server.ts'
import { type ServerCertificate, TestAuthority } from '../../support/certificates.ts'
import {
  cachefront,
  endAll,
  FREE_PORTS,
  groupIs,
  type Installation,
  newHome,
  up,
} from '../../support/program-installation.ts'

/** A name that the operator gives the endpoint: an issued certificate cannot know the addresses beforehand. */
const NAME = 'shop.cache.example'
const tag = (name: string): Tag[] => [{ Key: 'cachefront:certificate', Value: name }]
const arn = (id: string) => `arn:aws:elasticache:us-east-1:123456789012:replicationgroup:${id}`

describe('imported certificates of the running program', { timeout: 180_000 }, () => {
  let home: string
  let running: Installation
  let authority: TestAuthority
  let elasticache: ElastiCache
  const directory = (name: string) => join(home, `imported-${name}`)

  before(async () => {
    home = await newHome()
    authority = await TestAuthority.make()
    await put('shop', await authority.issue({ names: [NAME] }))
    await put('old', await authority.issue({ names: [NAME], from: -20, to: -2 }))
    running = await up(
      home,
      ...['shop', 'old'].flatMap((name) => ['--cache-certificate', `${name}=${directory(name)}`]),
    )
    elasticache = new ElastiCache(clientOptions(running.api))
  })
  after(async () => {
    elasticache.destroy()
    assert.deepEqual(await endAll(home), [], 'nothing is left behind')
  })

  async function put(name: string, { cert, key }: ServerCertificate, ca = authority.pem): Promise<void> {
    await mkdir(directory(name), { recursive: true })
    await writeFile(join(directory(name), 'tls.key'), key, { mode: 0o600 })
    await writeFile(join(directory(name), 'tls.crt'), cert)
    await writeFile(join(directory(name), 'ca.crt'), ca)
  }

  const create = (ReplicationGroupId: string, changes: Partial<CreateReplicationGroupCommandInput> = {}) =>
    elasticache.createReplicationGroup({
      ...{ ReplicationGroupId, ReplicationGroupDescription: 'd', Engine: 'redis', NumCacheClusters: 2 },
      ...{ CacheNodeType: 'cache.t4g.micro', TransitEncryptionEnabled: true },
      ...changes,
    })

  const known = new Map<string, Promise<readonly string[]>>()
  /** Addresses of all that the group serves at: endpoints and nodes. They never change here. */
  function addresses(id: string): Promise<readonly string[]> {
    const found = known.get(id) ?? addressesOf(id)
    known.set(id, found)
    return found
  }

  async function addressesOf(id: string): Promise<readonly string[]> {
    const { ReplicationGroups } = await elasticache.describeReplicationGroups({ ReplicationGroupId: id })
    const { PrimaryEndpoint, ReaderEndpoint, NodeGroupMembers = [] } = ReplicationGroups?.[0]?.NodeGroups?.[0] ?? {}
    const nodes = NodeGroupMembers.map((member) => member.ReadEndpoint)
    return [PrimaryEndpoint, ReaderEndpoint, ...nodes].map((one) => one?.Address ?? assert.fail('no address'))
  }

  const client = async (ca: string): Promise<Redis> => {
    const [host] = await addresses('shop')
    const redis = new Redis({ host: host!, port: 6379, tls: { ca, servername: NAME } })
    redis.on('error', () => {})
    return redis
  }

  /** Until every address of the group shows this certificate to those who come anew. */
  async function shows(id: string, { cert }: ServerCertificate): Promise<void> {
    const expected = new X509Certificate(cert).fingerprint256
    for (const address of await addresses(id)) await until(async () => (await shown(address)) === expected)
  }

  /** What is wrong with the group, for a person; null for nothing. */
  async function problem(id: string): Promise<string | null> {
    const status = (await (await fetch(`${running.api}/_cachefront/status`)).json()) as Status
    return status.caches?.find((group) => group.id === id)?.problem ?? null
  }

  test('a tag names one at the creation, and every address serves it', async () => {
    await create('shop', { Tags: tag('shop') })
    await groupIs('available', running.api, 'shop')
    await shows('shop', await certificateIn('shop'))
    const redis = await client(authority.pem)
    assert.equal(await redis.set('price', '9.99'), 'OK')
    assert.equal(await redis.wait(1, 10_000), 1, 'the replica accepts its primary by ca.crt')
    redis.disconnect()
  })

  test('new files are taken up, of another authority too, and connections stay', async () => {
    const redis = await client(authority.pem)
    const id = await redis.client('ID')
    const next = await authority.issue({ names: [NAME] })
    await put('shop', next)
    await shows('shop', next)
    const other = await TestAuthority.make('Another authority')
    const moved = await other.issue({ names: [NAME] })
    await put('shop', moved, other.pem)
    await shows('shop', moved)
    assert.equal(await redis.client('ID'), id)
    redis.disconnect()
    const fresh = await client(other.pem)
    assert.equal(await fresh.get('price'), '9.99')
    assert.equal(await fresh.wait(1, 10_000), 1)
    fresh.disconnect()
    const source = { SourceType: 'replication-group', SourceIdentifier: 'shop' } as const
    const { Events = [] } = await elasticache.describeEvents(source)
    const renewed = Events.filter(({ Message = '' }) => /^Certificate renewal completed/.test(Message))
    assert.ok(renewed.length >= 2, `${renewed.length} renewals were told`)
    authority = other
  })

  test('what cannot be served is told, and the last good one goes on', async () => {
    const good = await certificateIn('shop')
    const redis = await client(authority.pem)
    const id = await redis.client('ID')
    const { key: strange } = await authority.issue({ names: [NAME] })
    const bad: readonly (readonly [ServerCertificate, RegExp])[] = [
      [{ ...good, key: strange }, /tls\.key is not the key of the certificate in \S+tls\.crt/],
      [await authority.issue({ names: [NAME], from: -20, to: -2 }), /tls\.crt expired on \d{4}-/],
      [{ ...good, cert: good.cert.replaceAll('M', 'x') }, /tls\.crt holds a certificate that is damaged/],
      [{ ...good, key: 'none' }, /tls\.key holds no private key/],
    ]
    for (const [files, what] of bad) {
      await put('shop', files)
      await until(async () => what.test((await problem('shop')) ?? ''))
      await shows('shop', good)
    }
    assert.match((await cachefront(home, 'cache', 'show', 'shop')).out, /^Problem: its certificate: .*no private key/m)
    assert.equal(await redis.client('ID'), id, 'no connection was lost over it')
    redis.disconnect()
    const { ReplicationGroups } = await elasticache.describeReplicationGroups({ ReplicationGroupId: 'shop' })
    assert.equal(ReplicationGroups?.[0]?.Status, 'available')
    const mended = await authority.issue({ names: [NAME] })
    await put('shop', mended)
    await shows('shop', mended)
    await until(async () => (await problem('shop')) === null)
  })

  test('a group of ours takes one by a tag and gives it back with it; a bad one is refused with its reason', async () => {
    await create('own')
    await groupIs('available', running.api, 'own')
    const [endpoint] = await addresses('own')
    const ours = await shown(endpoint!)
    const refused = (call: Promise<unknown>, what: RegExp) =>
      assert.rejects(call, (error) => error instanceof InvalidParameterValueException && what.test(error.message))
    const tagged = (name: string) => elasticache.addTagsToResource({ ResourceName: arn('own'), Tags: tag(name) })
    const expired = /"?old"? cannot be used: .*tls\.crt expired on/
    await refused(tagged('old'), expired)
    await refused(create('new', { Tags: tag('old') }), expired)
    await refused(tagged('nobody'), /--cache-certificate .*there are: shop, old/)
    assert.equal(await shown(endpoint!), ours)
    await tagged('shop')
    await shows('own', await certificateIn('shop'))
    await elasticache.removeTagsFromResource({ ResourceName: arn('own'), TagKeys: ['cachefront:certificate'] })
    const shop = new X509Certificate((await certificateIn('shop')).cert).fingerprint256
    for (const address of await addresses('own')) await until(async () => (await shown(address)) !== shop)
  })

  test('a name that is given twice is refused before anything starts', async () => {
    const twice = ['one', 'two'].flatMap((name) => ['--cache-certificate', `shop=${directory(name)}`])
    const other = await newHome()
    const { code, err } = await cachefront(other, 'up', '--bare', ...FREE_PORTS, ...twice)
    assert.deepEqual(await endAll(other), [])
    assert.notEqual(code, 0)
    assert.match(err, /cache-certificate.*shop.*twice/)
  })

  async function certificateIn(name: string): Promise<ServerCertificate> {
    const read = (file: string) => readFile(join(directory(name), file), 'utf8')
    return { cert: await read('tls.crt'), key: await read('tls.key') }
  }
})

/** Fingerprint of the certificate at an address, accepted or not; empty while nobody is there. */
function shown(host: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 6379, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      socket.destroy()
    })
    socket.on('error', () => resolve(''))
  })
}

/** The test's own timeout ends what never comes. */
async function until(accepts: () => Promise<boolean>): Promise<void> {
  while (!(await accepts())) await new Promise((resolve) => setTimeout(resolve, 50))
}
