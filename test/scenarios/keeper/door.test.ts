//! SCENARIO: the keeper's own door to its engines: a hidden user, in every node, over restarts, with engines of a
//! keeper that had no such user, and with its secret where it belongs alone.
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ADMIN_USER } from '../../../src/keeper/door.ts'
import { adminAt, adminPasswordOf } from '../../support/keeper-door.ts'
import { KeeperHost, primaryOf, redisAt, redisGroup, replicasOf } from '../../support/keeper-host.ts'

let host: KeeperHost

before(async () => {
  host = await KeeperHost.start()
  host.wish([redisGroup('shop', 3), redisGroup('other', 1)])
})

after(() => host.end())

test('replicas log in to their primary as the hidden user, whose password each group has of its own', async () => {
  const group = await host.settled('shop')
  const admin = await adminAt(host.home, 'shop', primaryOf(group).address)
  const list = (await admin.client('LIST', 'TYPE', 'REPLICA')) as string
  assert.equal(list.match(/ user=cachefront-admin /g)?.length, 2)
  admin.disconnect()
  assert.notEqual(adminPasswordOf(host.home, 'shop'), adminPasswordOf(host.home, 'other'))
  await host.settled('other')
  const stranger = await redisAt(host.client.seen!.groups.find((g) => g.id === 'other')!.endpoint)
  await assert.rejects(stranger.auth(ADMIN_USER, adminPasswordOf(host.home, 'shop')), /WRONGPASS/)
  stranger.disconnect()
})

test("the password is in no process's arguments or environment, and in files of mode 0600 only", async () => {
  const group = await host.settled('shop')
  const password = adminPasswordOf(host.home, 'shop')
  for (const pid of [...group.nodes.map((n) => n.pid!), host.process.pid!]) {
    for (const name of ['cmdline', 'environ']) {
      assert.ok(!readFileSync(`/proc/${pid}/${name}`).includes(password), `${name} of process ${pid}`)
    }
  }
  for (const node of group.nodes) {
    assert.ok(!readFileSync(join(host.home, 'nodes', 'shop', node.id, 'log')).includes(password))
  }
  for (const file of ['keeper.db', 'keeper.db-wal', 'keeper.db-shm']) {
    assert.equal(statSync(join(host.home, file)).mode & 0o777, 0o600, file)
  }
})

test('the next keeper logs in with the same password, and a failover goes on with it', async () => {
  const before = await host.settled('shop')
  const password = adminPasswordOf(host.home, 'shop')
  await host.killKeeper()
  await host.startKeeper()
  await host.waitFor((seen) => host.client.hello?.pid === host.process.pid && seen.groups.every((g) => g.settled))
  assert.equal(adminPasswordOf(host.home, 'shop'), password)
  process.kill(primaryOf(before).pid!, 'SIGKILL')
  const after = await host.settled('shop', (g) => primaryOf(g).id !== primaryOf(before).id)
  assert.equal(replicasOf(after).length, 2)
})

test('engines that an older keeper started without the hidden user are given it, without a restart', async () => {
  const before = await host.settled('shop')
  const admins = await Promise.all(before.nodes.map((n) => adminAt(host.home, 'shop', n.address)))
  await host.killKeeper()
  for (const admin of admins) {
    // As that keeper left them: open, without the user, and replicating as nobody.
    await admin.acl('SETUSER', 'default', 'reset', 'on', 'nopass', '~*', '&*', '+@all')
    await admin.config('SET', 'masteruser', '')
    await admin.config('SET', 'masterauth', '')
    // Ends this connection, too.
    await admin.acl('DELUSER', ADMIN_USER).catch(() => {})
    admin.disconnect()
  }
  const { DatabaseSync } = await import('node:sqlite')
  const ledger = new DatabaseSync(join(host.home, 'keeper.db'))
  ledger.exec('drop table secret')
  ledger.close()
  await host.startKeeper()
  await host.waitFor((seen) => host.client.hello?.pid === host.process.pid && seen.groups.every((g) => g.settled))
  const after = await host.settled('shop')
  assert.deepEqual(
    after.nodes.map((n) => n.pid),
    before.nodes.map((n) => n.pid),
  )
  process.kill(primaryOf(after).pid!, 'SIGKILL')
  const later = await host.settled('shop', (g) => primaryOf(g).id !== primaryOf(after).id)
  const admin = await adminAt(host.home, 'shop', primaryOf(later).address)
  assert.equal(((await admin.client('LIST', 'TYPE', 'REPLICA')) as string).match(/ user=cachefront-admin /g)?.length, 2)
  admin.disconnect()
})
