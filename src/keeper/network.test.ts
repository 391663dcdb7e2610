import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { holderOf, parseListeners } from './listeners.ts'
import { claimNetwork } from './network.ts'

test('listening sockets are read from /proc/net/tcp; others are not', () => {
  const text = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0300107F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1135 1 0 100 0 0 10 0',
    '   1: 0100637F:18EB 0100007F:C076 01 00000000:00000000 03:000016A8 00000000     0        0 77 3 0',
  ].join('\n')
  assert.deepEqual(parseListeners(text), [{ address: '127.16.0.3', port: 6379, inode: '1135' }])
})

test('the holder of an address is named', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  assert.equal(holderOf('127.0.0.1', port)?.pid, process.pid)
  server.close()
  await new Promise((resolve) => server.once('close', resolve))
  assert.equal(holderOf('127.0.0.1', port), null)
})

test('networks: one each, kept while the home exists, free again after it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'networks-'))
  const claimsDir = join(root, 'claims')
  const home = (name: string): string => {
    mkdirSync(join(root, name), { recursive: true })
    return join(root, name)
  }
  const claim = (name: string, remembered: number | null = null, demanded: number | null = null): Promise<number> =>
    claimNetwork({ home: home(name), remembered, demanded, claimsDir })
  const given = await Promise.all(['a', 'b', 'c', 'd'].map((name) => claim(name)))
  assert.equal(new Set(given).size, 4, 'claimed at the same time, yet none twice')
  const [a, b] = given as [number, number]
  assert.equal(await claim('a'), a, 'a home keeps its network')
  assert.equal(await claim('a', a), a)
  await assert.rejects(claim('a', null, b), /belongs to the installation in .*b; choose another/)
  rmSync(join(root, 'b'), { recursive: true })
  assert.equal(await claim('e', null, b), b, 'the claim of a home that is gone is void')
  rmSync(root, { recursive: true })
})
