//! Snapshots of the running program by its own commands, the AWS CLI and boto3; and what becomes of one when the keeper,
//! the node that is read, or control is killed in its middle: it ends whole, or failed with a reason.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ElastiCache } from '@aws-sdk/client-elasticache'
import { Redis } from 'ioredis'
import type { SnapshotState } from '../../../src/services/cachefront/snapshot-routes.ts'
import { awsJson, runAwsProgram } from '../../support/api-programs.ts'
import {
  cachefront,
  endAll,
  type Installation,
  killed,
  newHome,
  pidOf,
  up,
} from '../../support/program-installation.ts'

/** Patience, and between two looks. Milliseconds. */
const PATIENCE_MS = 60_000
const LOOK_MS = 20
/** Keys of a group whose capture takes a moment: values that do not compress, about 25 MB of RDB. */
const KEYS = 80_000
const VALUE_HASHES = 7
const FILL = `for i = 1, ${KEYS} do
  local value = ''
  for j = 1, ${VALUE_HASHES} do value = value .. redis.sha1hex(i .. ':' .. j) end
  redis.call('SET', 'k' .. i, value)
end`
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')
const contentOf = (key: number): string =>
  Array.from({ length: VALUE_HASHES }, (_, at) => sha1(`${key}:${at + 1}`)).join('')

describe('snapshots of the running program', { timeout: 300_000 }, () => {
  let home: string
  let running: Installation
  let directory: string

  before(async () => {
    home = await newHome()
    directory = await mkdtemp(join(tmpdir(), 'cachefront-rdb-'))
    running = await up(home, '--movable-clock', '--folder', `exports=${directory}`)
    await cli(
      'create-replication-group',
      ...['--replication-group-id', 'shop', '--replication-group-description', 'x', '--engine', 'redis'],
      ...['--cache-node-type', 'cache.t3.micro', '--num-cache-clusters', '2', '--automatic-failover-enabled'],
    )
    await groupAvailable('shop')
    const redis = await primaryOf('shop')
    await redis.eval(FILL, 0)
    await redis.wait(1, 20_000)
    redis.disconnect()
  })
  after(async () => {
    await endAll(home)
    await rm(directory, { recursive: true, force: true })
  })

  /** Of the installation as it runs now. */
  const client = () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    return new ElastiCache({ endpoint: running.api, region: 'us-east-1', credentials })
  }
  const cli = (...args: string[]) => awsJson(running.api, 'elasticache', ...args)

  async function command(...args: string[]): Promise<string> {
    const { code, out, err } = await cachefront(home, 'cache', 'snapshots', ...args)
    assert.equal(code, 0, `${args[0]}: ${err}`)
    return out
  }

  async function until<T>(look: () => Promise<T | null>): Promise<T> {
    for (let waited = 0; ; waited += LOOK_MS) {
      const found = await look().catch((error) => {
        if (waited > PATIENCE_MS) throw error
        return null
      })
      if (found !== null) return found
      assert.ok(waited <= PATIENCE_MS, 'it does not come')
      await sleep(LOOK_MS)
    }
  }

  const groupOf = async (id: string) =>
    (await client().describeReplicationGroups({ ReplicationGroupId: id })).ReplicationGroups![0]!
  const groupAvailable = (id: string) => until(async () => ((await groupOf(id)).Status === 'available' ? true : null))

  async function primaryOf(id: string): Promise<Redis> {
    const { Address, Port } = (await groupOf(id)).NodeGroups![0]!.PrimaryEndpoint!
    return new Redis(Port!, Address!, { maxRetriesPerRequest: 3 })
  }

  const states = async (): Promise<SnapshotState[]> => {
    const { snapshots } = (await (await fetch(`${running.api}/_cachefront/snapshots`)).json()) as {
      snapshots: SnapshotState[]
    }
    return snapshots
  }

  /** How a snapshot ends: never half. */
  const ended = (name: string) =>
    until(async () => {
      const one = (await states()).find((found) => found.name === name)
      return one?.status === 'available' || one?.status === 'failed' ? one : null
    })

  /** What is called available has everything: it is restored and looked at. */
  async function mustBeWhole(name: string): Promise<void> {
    const one = await ended(name)
    if (one.status === 'failed') {
      assert.ok(one.problem, 'a failed one says why')
      return
    }
    await command('restore', name, `from-${name}`, '--node-type', 'cache.t3.micro')
    const redis = await primaryOf(`from-${name}`)
    try {
      assert.equal(await redis.dbsize(), KEYS)
      assert.equal(await redis.get(`k${KEYS}`), contentOf(KEYS))
    } finally {
      redis.disconnect()
    }
    await client().deleteReplicationGroup({ ReplicationGroupId: `from-${name}` })
    await client().deleteSnapshot({ SnapshotName: name })
    await until(async () => ((await states()).some((found) => found.name === name) ? null : true))
  }

  /** Begins a snapshot and returns once bytes of it have come, or it has ended already. */
  async function begun(name: string): Promise<void> {
    await groupAvailable('shop')
    await client().createSnapshot({ SnapshotName: name, ReplicationGroupId: 'shop' })
    await until(async () => {
      const one = (await states()).find((found) => found.name === name)
      return one !== undefined && (one.status !== 'creating' || (one.progress?.bytes ?? 0) > 0) ? true : null
    })
  }

  test('the commands: made, listed, exported to a directory, imported, restored, deleted', async () => {
    assert.match(await command('create', 'shop', 'first'), /^Snapshot first is available: \d+\.\d MiB\.$/m)
    assert.match(await command('list'), /^first +shop +available +manual +\d+\.\d MiB/m)
    assert.match(await command('export', 'first', directory), /is exported to .*first-0001\.rdb\.$/m)
    const file = join(directory, 'first-0001.rdb')
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.equal((await stat(file)).size, (await states())[0]!.rdbBytes)
    const nowhere = await cachefront(home, 'cache', 'snapshots', 'export', 'first', join(directory, 'none'))
    assert.match(nowhere.err, /The directory .*none: there is no such file or directory\./)
    const again = await cachefront(home, 'cache', 'snapshots', 'export', 'first', directory)
    assert.equal(again.code, 1)
    assert.match(again.err, /first-0001\.rdb: there is such a file already\.$/m)
    assert.match(await command('import', file, 'moved-in'), /^Snapshot moved-in is available\.$/m)
    await mustBeWhole('moved-in')
    const none = join(directory, 'none.rdb')
    await writeFile(none, 'REDIS0010 and nothing more of it')
    const refused = await cachefront(home, 'cache', 'snapshots', 'import', none, 'half')
    assert.equal(refused.code, 1)
    assert.match(refused.err, /It was not imported: /)
    assert.deepEqual(
      (await states()).map((one) => one.name),
      ['first'],
    )
    assert.match(await command('watch'), /^first: available\nNothing is under way\.$/m)
    assert.match(await command('delete', 'first'), /^Snapshot first is deleted\.$/m)
    assert.match(await command('list'), /^No snapshots\.$/m)
  })

  test('the AWS CLI: a snapshot, its copy in a folder, its pages', async () => {
    const made = await cli('create-snapshot', '--snapshot-name', 'by-cli', '--replication-group-id', 'shop')
    assert.equal(made.Snapshot.SnapshotStatus, 'creating')
    await ended('by-cli')
    const target = ['--target-snapshot-name', 'by-cli', '--target-bucket', 'exports.folder.cachefront']
    const copied = await cli('copy-snapshot', '--source-snapshot-name', 'by-cli', ...target)
    assert.equal(copied.Snapshot.SnapshotStatus, 'exporting')
    await ended('by-cli')
    assert.ok((await readdir(directory)).includes('by-cli-0001.rdb'))
    const { Snapshots } = await cli('describe-snapshots', '--snapshot-source', 'user', '--page-size', '20')
    assert.deepEqual(Snapshots[0].NodeSnapshots[0].NodeGroupId, '0001')
    assert.equal(Snapshots[0].ReplicationGroupId, 'shop')
  })

  test('boto3: describes and deletes it', async () => {
    const program = `
import boto3, os, json
client = boto3.client('elasticache', endpoint_url=os.environ['ENDPOINT'])
found = client.describe_snapshots(SnapshotName='by-cli')['Snapshots'][0]
gone = client.delete_snapshot(SnapshotName='by-cli')['Snapshot']
try:
    client.describe_snapshots(SnapshotName='never')
except client.exceptions.SnapshotNotFoundFault as error:
    code = error.response['Error']['Code']
print(json.dumps([found['SnapshotStatus'], found['SnapshotSource'], gone['SnapshotStatus'], code]))
`
    const { code, stdout, stderr } = await runAwsProgram('/usr/bin/python3', ['-c', program], running.api)
    assert.equal(code, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), ['available', 'manual', 'deleting', 'SnapshotNotFoundFault'])
  })

  test('the keeper is killed in the middle', async () => {
    await begun('keeper-killed')
    process.kill(await pidOf(running, 'keeper'), 'SIGKILL')
    await mustBeWhole('keeper-killed')
  })

  test('the node that is read is killed in the middle', async () => {
    await begun('node-killed')
    const { caches } = (await (await fetch(`${running.api}/_cachefront/status`)).json()) as {
      caches: { id: string; nodes: { role: string; pid: number | null }[] }[]
    }
    const replica = caches.find(({ id }) => id === 'shop')!.nodes.find(({ role }) => role === 'replica')!
    process.kill(replica.pid!, 'SIGKILL')
    await mustBeWhole('node-killed')
  })

  test('control is killed in the middle; the next one goes on with it', async () => {
    await begun('control-killed')
    await killed(running.control)
    running = await up(home, '--movable-clock')
    await mustBeWhole('control-killed')
    await groupAvailable('shop')
  })
})
