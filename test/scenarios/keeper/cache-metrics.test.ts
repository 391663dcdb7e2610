//! Every CloudWatch metric of a node changes with what it counts, on real engines: for each row of the table an act of a
//! client and what two samples around it say.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { COMMANDS } from '../../../src/domain/metrics/command-groups.ts'
import type { NodeSample } from '../../../src/domain/metrics/metric.ts'
import { metricsOf, valuesOf } from '../../../src/domain/metrics/metric-table.ts'
import { readInfoText, readStatsText } from '../../../src/domain/metrics/read-statistics.ts'
import { Ledger } from '../../../src/keeper/ledger.ts'
import type { NodeSeen } from '../../../src/keeper/protocol.ts'
import { KeeperHost, memcachedGroup, primaryOf, redisAt, redisGroup, replicasOf } from '../../support/keeper-host.ts'

/** Milliseconds; no test waits that long unless something is broken. */
const ANSWER_MS = 20_000

let host: KeeperHost
let primary: NodeSeen
let replica: NodeSeen
let admin: Redis
let client: Redis

before(async () => {
  host = await KeeperHost.start()
  const configuration = [['maxmemory', '6mb'] as const, ['maxmemory-policy', 'volatile-lru'] as const]
  host.wish([redisGroup('shop', 2, { configuration, automaticFailover: false }), memcachedGroup('mem', 1)])
  const group = await host.settled('shop')
  await host.settled('mem')
  primary = primaryOf(group)
  replica = replicasOf(group)[0]!
  client = await redisAt(primary.address)
  const ledger = new Ledger(join(host.home, 'keeper.db'))
  const password = ledger.secret('shop', 'admin')!
  ledger.close()
  admin = new Redis({ host: primary.address, port: 6379, username: 'cachefront-admin', password })
  admin.on('error', () => {})
})
after(async () => {
  client?.disconnect()
  admin?.disconnect()
  await host?.end()
})

async function sample(group: string, node: string, at: number): Promise<NodeSample> {
  const answer = await host.client.ask({ kind: 'statistics', group, node }, ANSWER_MS)
  const engine = group === 'mem' ? 'memcached' : 'redis'
  const read = engine === 'memcached' ? readStatsText(answer.text) : readInfoText(answer.text)
  return { at, engine, ...answer, ...read }
}

/** Values of two samples with the act between them, said to be a minute apart. */
async function around(group: string, node: string, act: () => Promise<unknown>): Promise<ReadonlyMap<string, number>> {
  const first = await sample(group, node, 0)
  await act()
  return valuesOf({ now: await sample(group, node, 60), before: first })
}

type Check = (value: number) => boolean
const exactly =
  (wanted: number): Check =>
  (value) =>
    value === wanted
const atLeast =
  (least: number): Check =>
  (value) =>
    value >= least

interface Row {
  readonly act: () => Promise<unknown>
  readonly expects: Readonly<Record<string, Check>>
}

/** Commands of one family, and the metric with its latency. */
const family = (name: string, ...commands: readonly (readonly string[])[]): Row => ({
  act: async () => {
    // An engine without cluster mode counts what it refuses, too.
    for (const [command, ...args] of commands) await client.call(command!, ...args).catch(() => {})
  },
  expects: { [`${name}Cmds`]: atLeast(commands.length), [`${name}CmdsLatency`]: atLeast(0) },
})

const failing = (work: () => Promise<unknown>) => async (): Promise<void> => {
  await assert.rejects(work)
}

/** A client of a user that may do little. */
async function asLittle(work: (redis: Redis) => Promise<unknown>): Promise<void> {
  await admin.call('ACL', 'SETUSER', 'little', 'on', 'nopass', '~own:*', '&own', '+get', '+publish', '+set')
  const redis = new Redis({
    host: primary.address,
    port: 6379,
    username: 'little',
    password: 'x',
    enableReadyCheck: false,
  })
  redis.on('error', () => {})
  try {
    await assert.rejects(work(redis), /NOPERM/)
  } finally {
    redis.disconnect()
  }
}

const RESP: readonly Row[] = [
  family('StringBased', ['SET', 's', '1'], ['GET', 's'], ['SETBIT', 'b', '1', '1']),
  family('HashBased', ['HSET', 'h', 'f', '1'], ['HGETALL', 'h']),
  family('ListBased', ['RPUSH', 'l', '1'], ['LRANGE', 'l', '0', '-1']),
  family('SetBased', ['SADD', 'set', '1'], ['SMEMBERS', 'set']),
  family('SortedSetBased', ['ZADD', 'z', '1', 'a'], ['ZRANGE', 'z', '0', '-1']),
  family('StreamBased', ['XADD', 'x', '*', 'a', '1'], ['XLEN', 'x']),
  family('HyperLogLogBased', ['PFADD', 'p', 'a'], ['PFCOUNT', 'p']),
  family('GeoSpatialBased', ['GEOADD', 'g', '13.3', '38.1', 'a'], ['GEOPOS', 'g', 'a']),
  family('KeyBased', ['EXISTS', 's'], ['TYPE', 's']),
  family('EvalBased', ['EVAL', 'return 1', '0']),
  family('PubSubBased', ['PUBLISH', 'c', 'm']),
  family('NonKeyType', ['DBSIZE'], ['PING']),
  family('ClusterBased', ['READONLY'], ['READWRITE']),
  {
    act: async () => {
      await client.set('seen', '1')
      await client.get('seen')
      await client.get('unseen')
    },
    expects: {
      CacheHits: exactly(1),
      CacheMisses: exactly(1),
      CacheHitRate: exactly(50),
      GetTypeCmds: exactly(2),
      GetTypeCmdsLatency: atLeast(0),
      SetTypeCmds: exactly(1),
      SetTypeCmdsLatency: atLeast(0),
      SuccessfulReadRequestLatency: atLeast(0),
      SuccessfulWriteRequestLatency: atLeast(0),
      ProcessedCommands: atLeast(3),
      ReplicationBytes: atLeast(10),
      NetworkBytesIn: atLeast(20),
      NetworkBytesOut: atLeast(20),
      CurrItems: atLeast(1),
      IsMaster: exactly(1),
      MasterLinkHealthStatus: exactly(1),
      SaveInProgress: exactly(0),
      MemoryFragmentationRatio: atLeast(0.1),
      AllocatorFragmentationBytes: atLeast(0),
      AllocatorFragmentationRatio: atLeast(0.1),
      UsedMemoryDataset: atLeast(1),
      BytesUsedForCache: atLeast(100_000),
      DatabaseMemoryUsagePercentage: atLeast(1),
      DatabaseMemoryUsageCountedForEvictPercentage: atLeast(1),
      DatabaseCapacityUsagePercentage: atLeast(1),
      DatabaseCapacityUsageCountedForEvictPercentage: atLeast(1),
      ActiveDefragHits: exactly(0),
      PubSubShardChannels: exactly(0),
      RejectedConnections: exactly(0),
    },
  },
  {
    act: async () => {
      await client.set('brief', '1', 'PX', 1)
      while ((await client.exists('brief')) === 1);
    },
    expects: { Reclaimed: exactly(1) },
  },
  {
    act: async () => {
      await client.set('long', '1', 'EX', 100_000)
      // The engine estimates it with its own clock.
      await until(async () => /avg_ttl=[1-9]/.test((await sample('shop', primary.id, 0)).fields.get('db0') ?? ''))
    },
    expects: { CurrVolatileItems: atLeast(1), DB0AverageTTL: atLeast(1) },
  },
  {
    act: async () => {
      const value = 'x'.repeat(100_000)
      for (let at = 0; at < 80; at++) await client.set(`evicted:${at}`, value, 'EX', 100_000)
    },
    expects: { Evictions: atLeast(1) },
  },
  {
    act: async () => {
      const one = await redisAt(primary.address)
      const two = await redisAt(primary.address)
      await one.subscribe('news')
      void two.blpop('nothing', 0).catch(() => {})
      await until(async () => (await sample('shop', primary.id, 0)).fields.get('blocked_clients') === '1')
      after(() => {
        one.disconnect()
        two.disconnect()
      })
    },
    expects: {
      NewConnections: exactly(2),
      CurrConnections: atLeast(3),
      BlockedConnections: exactly(1),
      PubSubChannels: exactly(1),
    },
  },
  {
    act: async () => {
      await client.call('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'none:')
      await client.call('CLIENT', 'TRACKING', 'OFF')
      const tracking = await redisAt(primary.address)
      after(() => tracking.disconnect())
      await tracking.call('HELLO', '3')
      await tracking.call('CLIENT', 'TRACKING', 'ON')
      await tracking.get('s')
    },
    expects: { KeysTracked: exactly(1) },
  },
  {
    act: failing(() => client.call('LPUSH', 's', '1')),
    expects: { ErrorCount: exactly(1) },
  },
  {
    act: failing(async () => {
      const wrong = await redisAt(primary.address)
      try {
        await wrong.call('AUTH', 'nobody', 'wrong')
      } finally {
        wrong.disconnect()
      }
    }),
    expects: { AuthenticationFailures: exactly(1) },
  },
  { act: () => asLittle((redis) => redis.call('DEL', 'own:1')), expects: { CommandAuthorizationFailures: atLeast(1) } },
  { act: () => asLittle((redis) => redis.get('foreign')), expects: { KeyAuthorizationFailures: atLeast(1) } },
  {
    act: () => asLittle((redis) => redis.publish('foreign', '1')),
    expects: { ChannelAuthorizationFailures: atLeast(1) },
  },
  {
    act: async () => {
      for (let at = 0; at < 200; at++) await client.eval('for i = 1, 20000 do end', 0)
    },
    expects: { EngineCPUUtilization: (value) => value > 0 && value <= 100, CPUUtilization: (value) => value > 0 },
  },
]

/** No node can be brought to show these here: their engines have no such field, or it takes another machine. */
const RESP_UNPROVOKED = new Map([
  ['CurrItemsWithVolatileFields', 'fields of Valkey 9'],
  ['ReclaimedFields', 'fields of Valkey 9'],
  ['DatabaseAuthorizationFailures', 'a field of Valkey 9.1'],
  ['ReplicationLag', 'a metric of replicas, which has a test of its own'],
  ['IamAuthenticationExpirations', 'it takes 12 hours; iam.test.ts has a shorter session'],
])

async function until(accepts: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + ANSWER_MS
  while (!(await accepts())) assert.ok(performance.now() < deadline, 'it did not come about')
}

function check(values: ReadonlyMap<string, number>, expects: Row['expects']): void {
  for (const [name, accepts] of Object.entries(expects)) {
    const value = values.get(name)
    assert.ok(value !== undefined, `${name} has no value`)
    assert.ok(accepts(value), `${name} is ${value}`)
  }
}

const constants = (engine: 'redis' | 'memcached'): string[] =>
  metricsOf(engine)
    .filter(({ source }) => source.startsWith('constant 0'))
    .map(({ name }) => name)
const OF_THE_HOST = ['FreeableMemory', 'SwapUsage']

describe('redis', () => {
  for (const { act, expects } of RESP) {
    test(Object.keys(expects).slice(0, 3).join(', '), async () => check(await around('shop', primary.id, act), expects))
  }

  test('each metric of the table was provoked, or it is said why not', () => {
    const provoked = new Set([...RESP.flatMap(({ expects }) => Object.keys(expects)), ...RESP_UNPROVOKED.keys()])
    const rest = metricsOf('redis').map(({ name }) => name)
    const left = rest.filter((name) => !provoked.has(name) && !constants('redis').includes(name))
    assert.deepEqual(left, OF_THE_HOST)
  })

  test('a replica has its role, its lag and no bytes of replication', async () => {
    const values = await around('shop', replica.id, () => client.set('lag', '1'))
    check(values, { IsMaster: exactly(0), MasterLinkHealthStatus: exactly(1), ReplicationLag: atLeast(0) })
    assert.equal(values.get('ReplicationBytes'), undefined)
    assert.equal(values.get('DB0AverageTTL'), undefined)
  })

  test('what this engine has no number for has no value, and counts need a sample before', async () => {
    const now = await sample('shop', primary.id, 0)
    const values = valuesOf({ now, before: null })
    for (const name of RESP_UNPROVOKED.keys()) assert.equal(values.get(name), undefined)
    for (const name of ['Evictions', 'ProcessedCommands', 'CacheHitRate', 'EngineCPUUtilization']) {
      assert.equal(values.get(name), undefined, name)
    }
    check(values, { FreeableMemory: atLeast(1_000_000), SwapUsage: atLeast(0) })
    for (const name of constants('redis')) assert.equal(values.get(name), 0, name)
  })

  test('the table of commands is what the engine itself says of them', async () => {
    const docs = (await admin.call('COMMAND', 'DOCS')) as readonly (string | readonly string[])[]
    const infos = (await admin.call('COMMAND')) as readonly (readonly [string, number, readonly string[], number])[]
    const groups = new Map<string, string>()
    for (let at = 0; at + 1 < docs.length; at += 2) {
      const fields = docs[at + 1] as readonly string[]
      groups.set(docs[at] as string, fields[fields.indexOf('group') + 1]!)
    }
    for (const [name, , flags, firstKey] of infos) {
      assert.deepEqual(
        { name, ...COMMANDS.get(name) },
        {
          name,
          group: groups.get(name),
          kind: flags.includes('write') ? 'write' : flags.includes('readonly') ? 'read' : 'other',
          takesKey: firstKey !== 0 || flags.includes('movablekeys'),
        },
      )
    }
  })
})

/** Sends lines to memcached and waits for that many lines of answers. */
async function memcached(port: number, address: string, lines: readonly string[], answers: number): Promise<string> {
  const socket = connect(port, address)
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no more than ${text}`)))
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
  })
  socket.write(`${lines.join('\r\n')}\r\n`)
  while (text.split('\r\n').length <= answers) await once(socket, 'data')
  socket.destroy()
  return text
}

const toMemcached =
  (answers: number, ...lines: readonly string[]) =>
  async (): Promise<void> => {
    await memcached(11_211, host.client.seen!.groups.find(({ id }) => id === 'mem')!.nodes[0]!.address, lines, answers)
  }

const MEMCACHED: readonly Row[] = [
  {
    act: toMemcached(1, 'set a 0 0 1', '1'),
    expects: {
      CmdSet: exactly(1),
      NewItems: exactly(1),
      NewConnections: exactly(1),
      BytesReadIntoMemcached: atLeast(10),
      BytesWrittenOutFromMemcached: atLeast(5),
      NetworkBytesIn: atLeast(10),
      NetworkBytesOut: atLeast(5),
      CurrItems: atLeast(1),
      BytesUsedForCacheItems: atLeast(1),
      BytesUsedForHash: atLeast(1),
      UnusedMemory: atLeast(1),
      CurrConnections: atLeast(1),
      CurrConfig: exactly(1),
      SlabsMoved: exactly(0),
    },
  },
  {
    act: toMemcached(4, 'get a', 'get none'),
    expects: { CmdGets: exactly(2), GetHits: exactly(1), GetMisses: exactly(1) },
  },
  {
    act: toMemcached(4, 'incr a 1', 'incr none 1', 'decr a 1', 'decr none 1'),
    expects: { IncrHits: exactly(1), IncrMisses: exactly(1), DecrHits: exactly(1), DecrMisses: exactly(1) },
  },
  {
    act: toMemcached(2, 'touch a 100', 'touch none 100'),
    expects: { CmdTouch: exactly(2), TouchHits: exactly(1), TouchMisses: exactly(1) },
  },
  {
    act: async () => {
      const { address } = host.client.seen!.groups.find(({ id }) => id === 'mem')!.nodes[0]!
      const found = await memcached(11_211, address, ['gets a'], 3)
      const unique = /VALUE a 0 1 (\d+)/.exec(found)![1]
      const lines = ['cas a 0 0 1 99999', '2', `cas a 0 0 1 ${unique}`, '2', 'cas none 0 0 1 1', '2']
      await memcached(11_211, address, lines, 3)
    },
    expects: { CasBadval: exactly(1), CasHits: exactly(1), CasMisses: exactly(1) },
  },
  {
    act: toMemcached(2, 'delete a', 'delete a'),
    expects: { DeleteHits: exactly(1), DeleteMisses: exactly(1) },
  },
  {
    act: async () => {
      const { address } = host.client.seen!.groups.find(({ id }) => id === 'mem')!.nodes[0]!
      const value = 'x'.repeat(500_000)
      // One that is expired and was never read lies at the end of its class when room is needed.
      const lines = ['set old 0 -1 500000', value]
      for (let at = 0; at < 200; at++) lines.push(`set full:${at} 0 0 500000`, value)
      await memcached(11_211, address, lines, 201)
    },
    expects: { Evictions: atLeast(1), EvictedUnfetched: atLeast(1) },
  },
  {
    act: async () => {
      const { endpoint } = host.client.seen!.groups.find(({ id }) => id === 'mem')!
      await memcached(11_211, endpoint, ['config get cluster'], 3)
    },
    expects: { CmdConfigGet: exactly(1) },
  },
  { act: toMemcached(1, 'flush_all'), expects: { CmdFlush: exactly(1) } },
]

/** They need items that expire while they are in memory, which takes memcached's clock of whole seconds. */
const MEMCACHED_UNPROVOKED = ['ExpiredUnfetched', 'Reclaimed', 'CPUUtilization']

describe('memcached', () => {
  for (const { act, expects } of MEMCACHED) {
    test(Object.keys(expects).slice(0, 3).join(', '), async () => check(await around('mem', '0001', act), expects))
  }

  test('what expires unread is reclaimed by the crawler', async () => {
    const first = await sample('mem', '0001', 0)
    await toMemcached(1, 'set brief 0 1 1', '1')()
    await until(async () => {
      const values = valuesOf({ now: await sample('mem', '0001', 60), before: first })
      await toMemcached(1, 'lru_crawler crawl all')().catch(() => {})
      return (values.get('Reclaimed') ?? 0) + (values.get('ExpiredUnfetched') ?? 0) >= 1
    })
  })

  test('each metric of the table was provoked, or it is said why not', () => {
    const provoked = new Set([...MEMCACHED.flatMap(({ expects }) => Object.keys(expects)), ...MEMCACHED_UNPROVOKED])
    const rest = metricsOf('memcached').map(({ name }) => name)
    const left = rest.filter((name) => !provoked.has(name) && !constants('memcached').includes(name))
    assert.deepEqual(left, OF_THE_HOST)
  })
})
