//! What control asks the keeper: answers of running engines, and words where there is none.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import type { KeeperSeen } from '../../../src/keeper/protocol.ts'
import { KeeperHost, memcachedGroup, primaryOf, redisGroup } from '../../support/keeper-host.ts'

/** Milliseconds; no test waits that long unless something is broken. */
const ANSWER_MS = 10_000

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
  host.wish([redisGroup('shop', 2), memcachedGroup('mem', 1)])
  await host.settled('shop')
  await host.settled('mem')
})
after(() => host.end())

test('an engine says of itself what INFO all and stats say', async () => {
  const { id, pid } = primaryOf(await host.settled('shop'))
  const redis = await host.client.ask({ kind: 'statistics', group: 'shop', node: id }, ANSWER_MS)
  assert.match(redis.text, new RegExp(`process_id:${pid}\\r?\\n`))
  assert.match(redis.text, /connected_slaves:1\r?\n/)
  assert.match(redis.text, /# Commandstats/)
  const memcached = await host.client.ask({ kind: 'statistics', group: 'mem', node: '0001' }, ANSWER_MS)
  assert.match(memcached.text, /STAT pid \d+\r?\n[\s\S]*END\r\n$/)
})

test('what cannot be answered is said in words', async () => {
  const ask = (group: string, node: string) => host.client.ask({ kind: 'statistics', group, node }, ANSWER_MS)
  await assert.rejects(ask('none', '0001'), /there is no group none on this host/)
  await assert.rejects(ask('shop', 'shop-009'), /no node shop-009 in group shop/)
  await assert.rejects(host.client.ask({ kind: 'tea' } as never, ANSWER_MS), /knows no question tea/)
})

test('a keeper that dies leaves no question open', async () => {
  const { id } = primaryOf(await host.settled('shop'))
  host.process.kill('SIGSTOP')
  const asked = assert.rejects(
    host.client.ask({ kind: 'statistics', group: 'shop', node: id }, ANSWER_MS),
    /connection to the keeper is lost/,
  )
  const ended = once(host.process, 'exit')
  host.process.kill('SIGKILL')
  await Promise.all([asked, ended])
  await assert.rejects(host.client.ask({ kind: 'statistics', group: 'shop', node: id }, ANSWER_MS), /not connected/)
  await host.startKeeper()
  const connected = (seen: KeeperSeen) => seen.groups.length === 2 && host.client.hello?.pid === host.process.pid
  await host.waitFor((seen) => connected(seen) && seen.groups.every((group) => group.settled))
  assert.match(
    (await host.client.ask({ kind: 'statistics', group: 'shop', node: id }, ANSWER_MS)).text,
    /redis_version/,
  )
})
