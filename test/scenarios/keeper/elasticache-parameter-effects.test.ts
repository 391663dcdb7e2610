//! Every parameter that can be changed, set through the API, seen in the engine through the keeper's door, and reset; what
//! requires a reboot is seen after RebootCacheCluster. Values and directives are the table's: none is left out unnoticed.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-elasticache'
import { nodeType } from '../../../src/domain/node-types.ts'
import { type Configuration, configurationOf, type Overrides } from '../../../src/domain/parameters/directives.ts'
import { FAMILIES } from '../../../src/domain/parameters/families.ts'
import { isModifiable, type Parameter } from '../../../src/domain/parameters/parameter.ts'
import { holds } from '../../../src/keeper/resp-config.ts'
import { ElastiCacheScenario } from '../../support/elasticache-scenario.ts'
import { adminAt } from '../../support/keeper-door.ts'
import { say } from '../../support/memcached.ts'

const NODE = 'cache.t4g.micro'
/** Pairs of one ModifyCacheParameterGroup. */
const AT_ONCE = 20

/** Changeable, and without a trace in an engine of this installation, with why. */
const UNSEEN: Readonly<Record<string, string>> = {
  'cluster-enabled': 'a group in use may not change it',
  'rename-commands': 'it is held by the users, see rename-commands.test.ts',
  'cluster-preferred-endpoint-type': 'without cluster mode and TLS both values mean addresses',
}

/** Where the rule below finds none, or one that the engine refuses together with the other defaults. */
const VALUES: Readonly<Record<string, string>> = {
  'notify-keyspace-events': 'AKE',
  'list-max-listpack-size': '-1',
  chunk_size_growth_factor: '2',
  max_item_size: '2097152',
  slab_chunk_max: '262144',
}

/** An allowed value that is not the default: another word, the other end of a range, or one more. */
function another({ name, value, allowed }: Parameter): string {
  const given = VALUES[name]
  if (given !== undefined) return given
  const candidates = allowed.split(',').flatMap((item) => {
    const range = /^(-?\d+)-(-?\d+)?$/.exec(item)
    return range === null ? [item] : [range[1]!, range[2] ?? String(Number(value) + 1)]
  })
  const others = candidates.filter((text) => text !== value)
  const found = others.find((text) => text !== '0' && text !== '-1') ?? others[0]
  assert.ok(found !== undefined, `no other value for ${name}`)
  return found
}

let scenario: ElastiCacheScenario
before(async () => {
  scenario = await ElastiCacheScenario.start()
})
after(() => scenario.end())

async function changeable(family: string): Promise<readonly Parameter[]> {
  const { engine, parameters } = FAMILIES.get(family)!
  const binaries = scenario.control.link.binaries()
  return parameters.filter((p) => isModifiable(p, engine, binaries) && !(p.name in UNSEEN))
}

/** Sets and, after `check`, resets; each time a few at once, as the API takes them. */
async function setAll(group: string, values: Overrides): Promise<void> {
  const pairs = Object.entries(values).map(([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue }))
  for (let at = 0; at < pairs.length; at += AT_ONCE) {
    const ParameterNameValues = pairs.slice(at, at + AT_ONCE)
    await scenario.client.send(
      new sdk.ModifyCacheParameterGroupCommand({ CacheParameterGroupName: group, ParameterNameValues }),
    )
  }
}

const reset = (CacheParameterGroupName: string) =>
  scenario.client.send(new sdk.ResetCacheParameterGroupCommand({ CacheParameterGroupName, ResetAllParameters: true }))

async function makeCluster(id: string, family: string, more: object): Promise<void> {
  const CacheParameterGroupName = `pg-${id}`
  await scenario.client.send(
    new sdk.CreateCacheParameterGroupCommand({
      CacheParameterGroupName,
      CacheParameterGroupFamily: family,
      Description: 'every parameter',
    }),
  )
  await scenario.client.send(
    new sdk.CreateCacheClusterCommand({
      CacheClusterId: id,
      CacheNodeType: NODE,
      CacheParameterGroupName,
      ...more,
    } as sdk.CreateCacheClusterMessage),
  )
  await status(id, 'in-sync')
}

async function status(id: string, wanted: 'in-sync' | 'pending-reboot'): Promise<sdk.CacheCluster> {
  return scenario.until(async () => {
    const cluster = await scenario.cluster(id)
    assert.equal(cluster.CacheClusterStatus, 'available')
    assert.equal(cluster.CacheParameterGroup!.ParameterApplyStatus, wanted)
    return cluster
  })
}

async function reboot(id: string, CacheNodeIdsToReboot: string[]): Promise<void> {
  await scenario.client.send(new sdk.RebootCacheClusterCommand({ CacheClusterId: id, CacheNodeIdsToReboot }))
  await status(id, 'in-sync')
}

/** The settings that differ; every parameter must make one, or the row says nothing. */
function differing(family: string, version: string, values: Overrides): Configuration {
  const of = (overrides: Overrides) => configurationOf(FAMILIES.get(family)!, version, overrides, nodeType(NODE))
  const known = new Set(of({}).map((setting) => setting.join(' ')))
  for (const [name, value] of Object.entries(values)) {
    const changed = of({ [name]: value }).some((setting) => !known.has(setting.join(' ')))
    assert.ok(
      changed || of({ [name]: value }).length !== of({}).length,
      `${name}=${value} changes nothing in the engine`,
    )
  }
  return of(values).filter((setting) => !known.has(setting.join(' ')))
}

test('redis7: each one is in the engine, the others after a reboot, and back after a reset', async () => {
  await makeCluster('r', 'redis7', { Engine: 'redis', EngineVersion: '7.0' })
  const parameters = await changeable('redis7')
  assert.ok(parameters.length > 50, `${parameters.length} parameters`)
  const values = Object.fromEntries(parameters.map((p) => [p.name, another(p)]))
  const wished = differing('redis7', '7.0', values)
  const atReboot = parameters.filter((p) => p.changeType === 'requires-reboot').map((p) => p.name)
  const held = async (settings: Configuration): Promise<string[]> => {
    const { Address } = (await scenario.cluster('r')).CacheNodes![0]!.Endpoint!
    const admin = await adminAt(scenario.home, 'r', Address!)
    const pairs = await Promise.all(settings.map(([name]) => admin.config('GET', name) as Promise<string[]>))
    admin.disconnect()
    return settings.filter(([name, value], at) => !holds(name, value, pairs[at]![1]!)).map(([name]) => name)
  }
  await setAll('pg-r', values)
  await status('r', 'pending-reboot')
  assert.deepEqual(await held(wished), atReboot)
  await reboot('r', ['0001'])
  assert.deepEqual(await held(wished), [])
  await reset('pg-r')
  await status('r', 'pending-reboot')
  await reboot('r', ['0001'])
  const defaults = new Map(configurationOf(FAMILIES.get('redis7')!, '7.0', {}, nodeType(NODE)))
  assert.deepEqual(await held(wished.map(([name]) => [name, defaults.get(name)!])), [])
})

/** How `stats settings` names what an option sets, and what it shows for a value; the others are read as the option. */
const SHOWN: Readonly<Record<string, readonly [name: string, shown: (value: string) => string]>> = {
  binding_protocol: ['binding_protocol', (v) => (v === 'auto' ? 'auto-negotiate' : v)],
  cas_disabled: ['cas_enabled', (v) => (v === '1' ? 'no' : 'yes')],
  chunk_size: ['chunk_size', (v) => v],
  chunk_size_growth_factor: ['growth_factor', (v) => Number(v).toFixed(2)],
  disable_flush_all: ['flush_enabled', (v) => (v === '1' ? 'no' : 'yes')],
  error_on_memory_exhausted: ['evictions', (v) => (v === '1' ? 'off' : 'on')],
  hash_algorithm: ['hash_algorithm', (v) => v],
  idle_timeout: ['idle_timeout', (v) => v],
  lru_crawler: ['lru_crawler', (v) => (v === '1' ? 'yes' : 'no')],
  lru_maintainer: ['lru_maintainer_thread', (v) => (v === '1' ? 'yes' : 'no')],
  max_item_size: ['item_size_max', (v) => v],
  maxconns_fast: ['maxconns_fast', (v) => (v === '1' ? 'yes' : 'no')],
  memcached_connections_overhead: ['maxbytes', (v) => String((512 - Number(v)) * 2 ** 20)],
  slab_automove: ['slab_automove', (v) => v],
  slab_chunk_max: ['slab_chunk_max', (v) => v],
  slab_reassign: ['slab_reassign', (v) => (v === '1' ? 'yes' : 'no')],
  track_sizes: ['track_sizes', (v) => (v === '1' ? 'yes' : 'no')],
  watcher_logbuf_size: ['watcher_logbuf_size', (v) => String(Number(v) * 1024)],
}
/** Groups of options: what they set is set one by one besides, so that they leave no trace of their own. */
const GROUPS_OF_OPTIONS = ['modern', 'no_modern']

test('memcached1.6: each one is in the server after a reboot, and back after a reset and another', async () => {
  await makeCluster('m', 'memcached1.6', { Engine: 'memcached', NumCacheNodes: 1 })
  const parameters = await changeable('memcached1.6')
  const seen = parameters.filter((p) => !GROUPS_OF_OPTIONS.includes(p.name))
  const values = Object.fromEntries(parameters.map((p) => [p.name, p.name === 'modern' ? '1' : another(p)]))
  differing('memcached1.6', '1.6.22', Object.fromEntries(seen.map((p) => [p.name, values[p.name]!])))
  const check = async (of: (p: Parameter) => string): Promise<void> => {
    const { Address } = (await scenario.cluster('m')).CacheNodes![0]!.Endpoint!
    const settings = await statsSettings(Address!)
    for (const parameter of seen) {
      const [name, shown] = SHOWN[parameter.name] ?? [parameter.name, String]
      assert.equal(settings.get(name), shown(of(parameter)), parameter.name)
    }
  }
  await check((p) => p.value!)
  await setAll('pg-m', values)
  const pending = await status('m', 'pending-reboot')
  assert.deepEqual(pending.CacheParameterGroup!.CacheNodeIdsToReboot, ['0001'])
  await check((p) => p.value!)
  await reboot('m', ['0001'])
  await check((p) => values[p.name]!)
  await reset('pg-m')
  await status('m', 'pending-reboot')
  await reboot('m', ['0001'])
  await check((p) => p.value!)
})

test('memcached: values that the server does not start with together are refused, and change nothing', async () => {
  const refused = (values: Overrides, words: RegExp) =>
    assert.rejects(setAll('pg-m', values), (error: Error) => {
      assert.equal(error.name, 'InvalidParameterCombinationException')
      assert.match(error.message, words)
      return true
    })
  await refused({ max_item_size: '536870912' }, /more than half/)
  await refused({ max_item_size: '1048577' }, /multiple of slab_chunk_max/)
  await refused({ slab_chunk_max: '300000' }, /does not divide/)
  await refused({ memcached_connections_overhead: '511' }, /more than half/)
  await status('m', 'in-sync')
})

test('memcached: with the default group a small item takes a small chunk', async () => {
  const { Address } = (await scenario.cluster('m')).CacheNodes![0]!.Endpoint!
  const text = await say(Address!, `set k 0 0 100\r\n${'x'.repeat(100)}\r\nstats slabs\r\n`)
  const sizes = [...text.matchAll(/:chunk_size (\d+)/g)].map((m) => Number(m[1]))
  assert.ok(Math.min(...sizes) < 256 && sizes.every((size) => size < 1024), `chunks of ${sizes.join(', ')} bytes`)
})

async function statsSettings(host: string): Promise<Map<string, string>> {
  const text = await say(host, 'stats settings\r\n')
  return new Map([...text.matchAll(/^STAT (\S+) (.*)\r$/gm)].map((m) => [m[1]!, m[2]!]))
}
