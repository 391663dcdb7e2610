//! The tables of parameters: each default is one that the table itself allows, and the engines take what we make of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeType } from '../node-types.ts'
import { configurationOf, effectiveMaxmemory, existsIn, fixedNames } from './directives.ts'
import { FAMILIES } from './families.ts'
import { allows } from './parameter.ts'
import { canonicalEvents } from './resp-rows.ts'

const MICRO = nodeType('cache.t4g.micro')
const family = (name: string) => FAMILIES.get(name)!

test('every default is within its allowed values', () => {
  for (const { name, parameters } of FAMILIES.values()) {
    for (const p of parameters) {
      if (p.value === null || p.value === '') continue
      assert.ok(allows(p, p.value), `${name} ${p.name}: ${p.value} is not one of ${p.allowed}`)
    }
  }
})

test('names are unique in a family and sorted', () => {
  for (const { name, parameters } of FAMILIES.values()) {
    const names = parameters.map((p) => p.name)
    assert.deepEqual(names, [...new Set(names)].sort(), name)
  }
})

test('every parameter that can be changed reaches the engine or the memory it gets', () => {
  const joined =
    /^client-output-buffer-limit-|^reserved-memory(-percent)?$|^memcached_connections_overhead$|^cluster-enabled$|^rename-commands$/
  for (const { name, parameters } of FAMILIES.values()) {
    for (const p of parameters) {
      if (p.modifiable && p.mapping.to === 'none') assert.match(p.name, joined, name)
    }
  }
})

test('allowed values: enumerations, ranges, ranges with an island, negative bounds, wrong types', () => {
  const integer = (allowed: string, value: string) => allows({ allowed, type: 'integer' }, value)
  assert.equal(integer('0,20-', '0'), true)
  assert.equal(integer('0,20-', '19'), false)
  assert.equal(integer('0,20-', '20'), true)
  assert.equal(integer('-1-', '-1'), true)
  assert.equal(integer('-1-', '-2'), false)
  assert.equal(integer('-5-', '-5'), true)
  assert.equal(integer('1-75', '76'), false)
  for (const bad of ['', ' 1', '1.5', '1e3', '0x10', 'one', '99999999999999999999']) {
    assert.equal(integer('0-', bad), false, bad)
  }
  assert.equal(allows({ allowed: 'yes,no', type: 'string' }, 'yes'), true)
  assert.equal(allows({ allowed: 'yes,no', type: 'string' }, 'YES'), false)
  assert.equal(allows({ allowed: '1.01-1024', type: 'float' }, '1.25'), true)
  assert.equal(allows({ allowed: '1.01-1024', type: 'float' }, '1'), false)
})

test('flags of keyspace events are put in the order that the engine prints', () => {
  assert.equal(canonicalEvents('KEA'), 'AKE')
  assert.equal(canonicalEvents('mExtK'), 'xtKEm')
  assert.equal(canonicalEvents(''), '')
})

test('redis7: defaults that differ from stock, and memory of the node type less the reserved part', () => {
  const directives = new Map(configurationOf(family('redis7'), '7.0', {}, MICRO))
  assert.equal(directives.get('maxmemory'), '402653184')
  assert.equal(directives.get('maxmemory-policy'), 'volatile-lru')
  assert.equal(directives.get('maxmemory-samples'), '3')
  assert.equal(directives.get('latency-tracking'), 'no')
  assert.equal(
    directives.get('client-output-buffer-limit'),
    'normal 0 0 0 slave 53687091 53687091 60 pubsub 33554432 8388608 60',
  )
  assert.equal(directives.has('reserved-memory-percent'), false)
  assert.equal(directives.has('close-on-replica-write'), false)
})

test('overrides reach the directives; all memory reserved is not the same as no limit', () => {
  const directives = new Map(
    configurationOf(
      family('redis7'),
      '7.1',
      { 'maxmemory-policy': 'noeviction', 'reserved-memory-percent': '100' },
      MICRO,
    ),
  )
  assert.equal(directives.get('maxmemory-policy'), 'noeviction')
  assert.equal(directives.get('maxmemory'), '1')
  assert.equal(effectiveMaxmemory(MICRO, 50), 268435456)
})

test('a parameter that is newer than the version is left out', () => {
  const of = (version: string) => new Map(configurationOf(family('valkey8'), version, {}, MICRO))
  assert.equal(of('8.0').has('commandlog-request-larger-than'), false)
  assert.equal(of('8.1').has('commandlog-request-larger-than'), true)
  assert.equal(existsIn({ since: '7.2.6' } as never, '7.2'), true)
})

test('memcached: options of the stock server', () => {
  const options = configurationOf(family('memcached1.6'), '1.6.17', { cas_disabled: '1', modern: '1' }, MICRO)
  const byFlag = new Map(options)
  assert.equal(byFlag.get('-m'), '412')
  assert.equal(byFlag.get('-C'), '')
  assert.equal(byFlag.has('-F'), false)
  const extended = byFlag.get('-o')!.split(',')
  assert.deepEqual(extended.slice(0, 2), ['no_modern', 'modern'])
  assert.ok(extended.includes('slab_chunk_max=524288'))
  assert.ok(!extended.some((option) => option.startsWith('worker_logbuf_size')))
  assert.ok(extended.includes('no_lru_crawler'))
})

test('what no user can set is known by the name that the keeper reports', () => {
  assert.ok(fixedNames(family('redis7')).has('maxclients'))
  assert.ok(fixedNames(family('memcached1.6')).has('-c'))
  assert.equal(fixedNames(family('memcached1.6')).has('-I'), false)
})
