//! Memcached as applications have it: clients that discover the nodes at the configuration endpoint, one that speaks the
//! binary protocol, one of Python; many nodes; a node that dies.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import * as sdk from '@aws-sdk/client-elasticache'
import { Client as BinaryClient } from 'memjs'
import { ElastiCacheScenario } from '../../support/elasticache-scenario.ts'
import { say } from '../../support/memcached.ts'

let scenario: ElastiCacheScenario
before(async () => {
  scenario = await ElastiCacheScenario.start()
  await create('mem', 3)
})
after(() => scenario.end())

async function create(CacheClusterId: string, NumCacheNodes: number): Promise<void> {
  await scenario.client.send(
    new sdk.CreateCacheClusterCommand({
      CacheClusterId,
      NumCacheNodes,
      Engine: 'memcached',
      CacheNodeType: 'cache.t4g.micro',
    }),
  )
}

const available = (id: string): Promise<sdk.CacheCluster> =>
  scenario.until(async () => {
    const cluster = await scenario.cluster(id)
    assert.equal(cluster.CacheClusterStatus, 'available')
    return cluster
  })

const hostPort = ({ Address, Port }: sdk.Endpoint): string => `${Address}:${Port}`

/** Version and nodes as the configuration endpoint lists them. */
async function listed(
  endpoint: sdk.Endpoint,
): Promise<{ readonly version: number; readonly nodes: readonly string[] }> {
  const answer = await say(endpoint.Address!, 'config get cluster\r\n')
  const [, version = '', nodes = ''] = /^CONFIG cluster 0 \d+\r\n(\d+)\n(.*)\n\r\nEND/.exec(answer) ?? []
  return { version: Number(version), nodes: nodes.split(' ').map((node) => node.split('|')[0]!) }
}

/** The nodes that a client found which was given that endpoint alone, and spread its keys over. */
async function discover(endpoint: sdk.Endpoint): Promise<string[]> {
  const program = join(import.meta.dirname, '../../support/memcached-discoverer.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [program, hostPort(endpoint)], { timeout: 30_000 })
  return JSON.parse(stdout) as string[]
}

test('a client that is given the configuration endpoint alone finds the nodes and spreads its keys over them', async () => {
  const cluster = await available('mem')
  const nodes = cluster.CacheNodes!.map((node) => node.Endpoint!)
  assert.deepEqual(await discover(cluster.ConfigurationEndpoint!), nodes.map(hostPort).sort())
  for (const node of nodes) {
    const items = /STAT curr_items (\d+)/.exec(await say(node.Address!, 'stats\r\n'))?.[1]
    assert.ok(Number(items) > 1, `${hostPort(node)} holds ${items} items`)
  }
})

test('the binary protocol passes through the configuration endpoint, and to the nodes', async () => {
  const cluster = await available('mem')
  const endpoints = [cluster.ConfigurationEndpoint!, ...cluster.CacheNodes!.map((node) => node.Endpoint!)]
  for (const endpoint of endpoints) {
    const client = BinaryClient.create(hostPort(endpoint))
    assert.equal(await client.set('binary', 'value', {}), true)
    assert.equal(String((await client.get('binary')).value), 'value')
    client.close()
  }
})

/** Reads `config get cluster`, then spreads keys over the nodes as an application in Python would. */
const PYTHON = `
import socket, sys
from pymemcache.client.hash import HashClient
with socket.create_connection((sys.argv[1], 11211), 10) as s:
    s.sendall(b"config get cluster\\r\\n")
    answer = b""
    while not answer.endswith(b"END\\r\\n"):
        answer += s.recv(65536)
nodes = [n.split("|") for n in answer.decode().split("\\n")[2].strip().split(" ")]
client = HashClient([(n[1], int(n[2])) for n in nodes])
keys = ["py-%d" % i for i in range(40)]
for key in keys:
    client.set(key, key)
assert client.get_many(keys) == {key: key.encode() for key in keys}
print(len(nodes))
`

test('pymemcache over the nodes that the endpoint lists', async () => {
  const { ConfigurationEndpoint } = await available('mem')
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-c', PYTHON, ConfigurationEndpoint!.Address!])
  assert.equal(stdout.trim(), '3')
})

test('a node that dies: the endpoint goes on, the node comes back under its name, and the version tells', async () => {
  const cluster = await available('mem')
  const endpoint = cluster.ConfigurationEndpoint!
  const before = await listed(endpoint)
  const node = scenario.control.link.seen()!.groups.find(({ id }) => id === 'mem')!.nodes[1]!
  // Frozen at first: it would take connections and never answer.
  process.kill(node.pid!, 'SIGSTOP')
  await scenario.until(async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => say(endpoint.Address!, 'version\r\n')))
    for (const answer of answers) assert.match(answer, /^VERSION /)
    const seen = scenario.control.link.seen()!.groups.find(({ id }) => id === 'mem')!.nodes[1]!
    assert.ok(seen.pid !== null && seen.pid !== node.pid, 'the frozen node was not replaced yet')
  })
  await scenario.until(async () => {
    assert.equal((await listed(endpoint)).version, before.version + 1)
  })
  assert.deepEqual((await listed(endpoint)).nodes, before.nodes)
  await available('mem')
  assert.equal((await discover(endpoint)).length, 3)
})

test('sixty nodes, the most a cluster may have', async () => {
  await create('sixty', 60)
  const cluster = await available('sixty')
  assert.equal(cluster.CacheNodes!.length, 60)
  const { nodes } = await listed(cluster.ConfigurationEndpoint!)
  assert.equal(nodes.length, 60)
  assert.equal((await discover(cluster.ConfigurationEndpoint!)).length, 60)
})
