//! The parameter tables against real engines: every directive is taken at start and at run time and reads back as wished,
//! and every value at the edge of what a parameter allows is one that the engine takes.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import { nodeType } from '../../../src/domain/node-types.ts'
import { configurationOf } from '../../../src/domain/parameters/directives.ts'
import { FAMILIES } from '../../../src/domain/parameters/families.ts'
import { isModifiable } from '../../../src/domain/parameters/parameter.ts'
import { type Binary, findBinaries, SEARCH_PATH } from '../../../src/keeper/binaries.ts'
import { configText, holds } from '../../../src/keeper/resp-config.ts'

const MICRO = nodeType('cache.t4g.micro')
/** The file limit of a test machine does not allow 65000 clients; the keeper gives what it allows. */
const HOST_LIMITED = 'maxclients'

async function installed(engine: string): Promise<Binary> {
  const binary = (await findBinaries(SEARCH_PATH)).find((found) => found.engine === engine)
  assert.ok(binary !== undefined, `this test needs ${engine}`)
  return binary
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  server.close()
  await once(server, 'close')
  return address.port
}

/** Ends a process that this test started, and waits for it. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

let dir: string
let port: number
let server: ChildProcess
let redis: Redis

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cachefront-parameters-'))
  port = await freePort()
  const settings = configurationOf(FAMILIES.get('redis7')!, '7.0', {}, MICRO)
  const binary = await installed('redis')
  server = spawn(binary.path, ['-'], { stdio: ['pipe', 'ignore', 'inherit'], cwd: dir })
  const door = { address: '127.0.0.1', port, username: null, password: null, tls: null }
  const now = { defaultUser: null, listening: { plain: port, tls: 0 }, certificate: null }
  server.stdin!.end(configText({ binary, name: 'one', door, ...now, dir, settings, replicaOf: null }))
  redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  await redis.ping()
})

after(async () => {
  redis.disconnect()
  await end(server)
  await rm(dir, { recursive: true })
})

const read = async (name: string): Promise<string> => ((await redis.config('GET', name)) as string[])[1] ?? ''

test('redis7 starts with every directive and holds it as wished', async () => {
  for (const [name, value] of configurationOf(FAMILIES.get('redis7')!, '7.0', {}, MICRO)) {
    if (name === HOST_LIMITED) continue
    const actual = await read(name)
    assert.ok(holds(name, value, actual), `${name}: wished ${value}, the engine holds ${actual}`)
  }
})

test('every immediate parameter is taken by CONFIG SET at its default and at the ends of its range', async () => {
  const family = FAMILIES.get('redis7')!
  for (const parameter of family.parameters) {
    if (!isModifiable(parameter, 'redis', await findBinaries(SEARCH_PATH))) continue
    if (parameter.changeType !== 'immediate') continue
    for (const value of samples(parameter.allowed, parameter.value ?? '')) {
      const before = new Map(configurationOf(family, '7.0', {}, MICRO))
      const wished = configurationOf(family, '7.0', { [parameter.name]: value }, MICRO)
      const changed = wished.filter(([name, text]) => before.get(name) !== text || name === parameter.name)
      for (const [name, text] of changed) {
        await redis.config('SET', name, text)
        assert.ok(holds(name, text, await read(name)), `${parameter.name} = ${value}: ${name} is ${await read(name)}`)
        // Put back, so that one parameter's extreme does not decide another's case.
        await redis.config('SET', name, before.get(name) ?? text)
      }
    }
  }
})

/** The default, each word of an enumeration, and the finite ends of ranges. */
function samples(allowed: string, value: string): string[] {
  const items = allowed.split(',').flatMap((item) => {
    const range = /^(-?\d+)-(-?\d+)?$/.exec(item)
    if (range === null) return /^[\w-]+$/.test(item) ? [item] : []
    return [range[1]!, ...(range[2] === undefined ? [] : [range[2]])]
  })
  return [...new Set([value, ...items])]
}

test('a parameter that says requires-reboot is refused by CONFIG SET', async () => {
  await assert.rejects(redis.config('SET', 'databases', '4'), /immutable/)
})

test('memcached starts with the options of its family and reports them', async () => {
  const family = FAMILIES.get('memcached1.6')!
  const overrides = { max_item_size: '2097152', hash_algorithm: 'murmur3', cas_disabled: '1', idle_timeout: '60' }
  const mcPort = await freePort()
  const args = configurationOf(family, '1.6.17', overrides, MICRO)
    .map(([flag, argument]) => (flag === '-c' ? [flag, '1000'] : [flag, argument]))
    .flatMap(([flag, argument]) => (argument === '' ? [flag!] : [flag!, argument!]))
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : []
  const child = spawn(
    (await installed('memcached')).path,
    ['-l', '127.0.0.1', '-p', String(mcPort), '-U', '0', ...user, ...args],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  try {
    const settings = await statsSettings(mcPort, child)
    assert.equal(settings.get('maxbytes'), String(412 * 1024 * 1024))
    assert.equal(settings.get('item_size_max'), '2097152')
    assert.equal(settings.get('hash_algorithm'), 'murmur3')
    assert.equal(settings.get('cas_enabled'), 'no')
    assert.equal(settings.get('idle_timeout'), '60')
    assert.equal(settings.get('lru_crawler'), 'no')
    assert.equal(settings.get('lru_maintainer_thread'), 'no')
    assert.equal(settings.get('slab_reassign'), 'no')
    assert.equal(settings.get('slab_automove'), '0')
    assert.equal(settings.get('slab_chunk_max'), '524288')
    assert.equal(settings.get('hashpower_init'), '16')
    assert.equal(settings.get('maxconns_fast'), 'no')
    assert.equal(settings.get('num_threads'), '2')
    assert.equal(settings.get('reqs_per_event'), '20')
  } finally {
    await end(child)
  }
})

async function statsSettings(mcPort: number, child: ChildProcess): Promise<Map<string, string>> {
  for (;;) {
    assert.equal(child.exitCode, null, 'memcached refused its options')
    const socket = connect(mcPort, '127.0.0.1')
    try {
      await once(socket, 'connect')
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10))
      continue
    }
    socket.write('stats settings\r\n')
    let text = ''
    for await (const chunk of socket) {
      text += chunk
      if (text.endsWith('END\r\n')) break
    }
    return new Map([...text.matchAll(/^STAT (\S+) (.*)\r$/gm)].map((m) => [m[1]!, m[2]!]))
  }
}
