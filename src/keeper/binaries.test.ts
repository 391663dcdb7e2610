import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Binary, binariesMark, chooseBinary, findBinaries, parseVersion } from './binaries.ts'

test('servers are known by what they say, not by their file name', () => {
  assert.deepEqual(parseVersion('Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0'), {
    engine: 'redis',
    version: '7.0.15',
  })
  assert.deepEqual(parseVersion('Valkey server v=8.0.1 sha=0'), { engine: 'valkey', version: '8.0.1' })
  assert.deepEqual(parseVersion('memcached 1.6.18\n'), { engine: 'memcached', version: '1.6.18' })
  assert.equal(parseVersion('hello'), null)
})

const redis7: Binary = { engine: 'redis', version: '7.0.15', path: '/usr/bin/redis-server' }
const redis72: Binary = { engine: 'redis', version: '7.2.4', path: '/usr/bin/redis-server' }
const redis6: Binary = { engine: 'redis', version: '6.2.1', path: '/usr/bin/redis-server' }
const valkey8: Binary = { engine: 'valkey', version: '8.0.1', path: '/usr/bin/valkey-server' }
const memcached: Binary = { engine: 'memcached', version: '1.6.18', path: '/usr/bin/memcached' }

const rows: readonly [string, readonly Binary[], Binary['engine'], string, Binary | RegExp][] = [
  ['7.0 by 7.0', [redis7], 'redis', '7.0', redis7],
  ['7.1 by 7.0', [redis7], 'redis', '7.1', redis7],
  ['7.1 by 7.2', [redis72], 'redis', '7.1', redis72],
  ['6.2 is not served by 7', [redis7], 'redis', '6.2', /no installed redis serves version 6\.2: .* is 7\.0\.15/],
  ['7.0 is not served by 6', [redis6], 'redis', '7.0', /install a package redis-server/],
  ['redis is missing', [], 'redis', '7.1', /redis is not installed .* package redis-server/],
  ['valkey needs the same minor', [valkey8], 'valkey', '8.0', valkey8],
  ['valkey of another minor', [valkey8], 'valkey', '8.1', /no installed valkey/],
  ['valkey does not serve redis', [valkey8], 'redis', '7.1', /redis is not installed/],
  ['the newest of several', [redis7, redis72], 'redis', '7.0', redis72],
  ['the first of two alike', [redis7, { ...redis7, path: '/opt/redis/bin/redis-server' }], 'redis', '7.0', redis7],
  ['any 1.6', [memcached], 'memcached', '1.6.22', memcached],
  ['memcached 1.5', [memcached], 'memcached', '1.5.16', /no installed memcached/],
]
for (const [name, binaries, engine, wanted, expected] of rows) {
  test(`choice of a binary: ${name}`, () => {
    const choice = chooseBinary(binaries, engine, wanted)
    if (expected instanceof RegExp) assert.match('problem' in choice ? choice.problem : 'none', expected)
    else assert.deepEqual(choice, { binary: expected })
  })
}

test('every server along a path is found, each once; what was installed since changes the mark', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binaries-'))
  const write = (folder: string, version: string): void => {
    mkdirSync(join(dir, folder), { recursive: true })
    writeFileSync(join(dir, folder, 'redis-server'), `#!/bin/sh\necho "Redis server v=${version} sha=0"\n`)
    chmodSync(join(dir, folder, 'redis-server'), 0o755)
  }
  write('a', '7.0.15')
  symlinkSync(join(dir, 'a'), join(dir, 'same'))
  const path = ['same', 'a', 'b'].map((folder) => join(dir, folder))
  const versions = async () => (await findBinaries(path)).map((b) => b.version)
  const before = binariesMark(path)
  assert.deepEqual(await versions(), ['7.0.15'])
  assert.equal(binariesMark(path), before)
  write('b', '7.0.16')
  assert.notEqual(binariesMark(path), before)
  assert.deepEqual(await versions(), ['7.0.15', '7.0.16'])
  rmSync(dir, { recursive: true })
})

test('binaries are found along a path; what does not answer as a server is left out', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binaries-'))
  const write = (name: string, text: string): void => {
    writeFileSync(join(dir, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(dir, name), 0o755)
  }
  write('redis-server', 'echo "Redis server v=7.4.1 sha=0"')
  write('memcached', 'exit 3')
  assert.deepEqual(await findBinaries([join(dir, 'nowhere'), dir]), [
    { engine: 'redis', version: '7.4.1', path: join(dir, 'redis-server'), features: [] },
  ])
  rmSync(dir, { recursive: true })
})
