import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Of } from './door.ts'
import type { LaunchOrder } from './engine.ts'
import { configText, directive, holds, joinSettings } from './resp-config.ts'

const directives: readonly [string, string, string][] = [
  ['maxmemory', '1024', 'maxmemory 1024'],
  ['save', '', 'save ""'],
  ['client-output-buffer-limit', 'normal 0 0 0', 'client-output-buffer-limit normal 0 0 0'],
  ['notify-keyspace-events', 'Kg$', 'notify-keyspace-events "Kg$"'],
  ['requirepass', 'a "b"\\', 'requirepass "a \\"b\\"\\\\"'],
  ['x', 'one\nbind 0.0.0.0', 'x "one\\nbind 0.0.0.0"'],
]
for (const [name, value, expected] of directives) {
  test(`directive: ${JSON.stringify(value)}`, () => assert.equal(directive(name, value), expected))
}

const order: LaunchOrder = {
  binary: { engine: 'redis', version: '7.0.15', path: '/usr/bin/redis-server' },
  name: 'shop-001',
  door: { address: '127.16.0.3', port: 6379, username: 'cachefront-admin', password: 'p4ss', tls: null },
  defaultUser: { name: 'default', rules: ['reset', 'off'] },
  listening: { plain: 6379, tls: 0 },
  certificate: null,
  dir: '/home/nodes/shop/shop-001',
  settings: [
    ['maxmemory', '1024'],
    ['bind', '0.0.0.0'],
  ],
  replicaOf: { address: '127.16.0.4', port: 6379, tls: false },
}

test('the configuration binds the own address only, keeps nothing on disk, and follows the primary', () => {
  const lines = configText(order).split('\n')
  assert.deepEqual(
    lines.filter((line) => line.startsWith('bind ')),
    ['bind 127.16.0.3'],
  )
  for (const line of ['maxmemory 1024', 'save ""', 'replicaof 127.16.0.4 6379', 'replica-announce-ip 127.16.0.3']) {
    assert.ok(lines.includes(line), line)
  }
})

const limits = 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60'
const comparisons: readonly [string, string, string, boolean][] = [
  ['maxmemory', '100mb', '104857600', true],
  ['maxmemory', '1k', '1024', false],
  ['maxmemory-policy', 'allkeys-lru', 'noeviction', false],
  ['appendonly', 'NO', 'no', true],
  ['notify-keyspace-events', 'gK', 'Kg', true],
  ['notify-keyspace-events', 'KA', 'g$lshzxetdK', true],
  ['notify-keyspace-events', 'K', 'Kg', false],
  ['client-output-buffer-limit', 'pubsub 32mb 8mb 60', limits, true],
  ['client-output-buffer-limit', 'replica 256mb 64mb 60 normal 0 0 0', limits, true],
  ['client-output-buffer-limit', 'pubsub 32mb 8mb 61', limits, false],
]
for (const [name, wished, actual, expected] of comparisons) {
  test(`read back: ${name} ${wished} as ${actual}`, () => assert.equal(holds(name, wished, actual), expected))
}

test('buffer limits of several classes are one value', () => {
  const joined = joinSettings([
    ['client-output-buffer-limit', 'normal 0 0 0'],
    ['Client-Output-Buffer-Limit', 'pubsub 1 1 1'],
    ['maxmemory', '1'],
    ['maxmemory', '2'],
  ])
  assert.equal(joined.get('client-output-buffer-limit'), 'normal 0 0 0 pubsub 1 1 1')
  assert.equal(joined.get('maxmemory'), '2')
})

test("the keeper's user is made with a hash, and its password is in masterauth alone", () => {
  const text = configText({
    ...order,
    settings: [
      ['masterauth', 'other'],
      ['requirepass', 'x'],
    ],
  })
  const lines = text.split('\n')
  assert.deepEqual(
    lines.filter((line) => line.startsWith('user ')),
    [`user cachefront-admin reset on #${sha256Of('p4ss')} ~* &* +@all`, 'user default reset off'],
  )
  assert.deepEqual(
    lines.filter((line) => line.includes('p4ss')),
    ['masterauth p4ss'],
  )
  assert.ok(lines.includes('masteruser cachefront-admin'))
  assert.ok(!text.includes('requirepass'))
})
