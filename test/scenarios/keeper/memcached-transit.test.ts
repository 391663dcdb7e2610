//! memcached over TLS: nodes and the configuration endpoint, discovery, a node that dies, a new certificate, verified by
//! the authority alone.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import type { GroupSeen, TransitWish } from '../../../src/keeper/protocol.ts'
import { KeeperHost, memcachedGroup } from '../../support/keeper-host.ts'

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

const transit = (renewal: number): TransitWish => ({ mode: 'required', names: [], renewal, imported: null })
const wish = (renewal: number): void => void host.wish([memcachedGroup('mc', 2, { transit: transit(renewal) })])

async function open(address: string): Promise<TLSSocket> {
  const ca = readFileSync(join(host.home, 'authority', 'ca', 'ca.pem'))
  const socket = connect({ host: address, port: 11211, ca })
  await once(socket, 'secureConnect')
  return socket
}

async function ask(socket: TLSSocket, command: string, end: string): Promise<string> {
  socket.write(command)
  let answer = ''
  while (!answer.endsWith(end)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    answer += chunk.toString('latin1')
  }
  return answer
}

async function serves(group: GroupSeen): Promise<void> {
  for (const address of [group.endpoint, ...group.nodes.map((n) => n.address)]) {
    const socket = await open(address)
    assert.equal(await ask(socket, 'set k 0 0 2\r\nhi\r\n', '\r\n'), 'STORED\r\n', address)
    assert.match(await ask(socket, 'get k\r\n', 'END\r\n'), /\r\nhi\r\n/)
    socket.destroy()
  }
}

test('nodes and the configuration endpoint take TLS alone, discovery included', async () => {
  wish(0)
  const group = await host.settled('mc', (g) => g.transit?.mode === 'required')
  await serves(group)
  const [first, second] = group.nodes.map((n) => n.address)
  const endpoint = await open(group.endpoint)
  const answer = await ask(endpoint, 'config get cluster\r\n', 'END\r\n')
  assert.ok(answer.includes(`${first}|${first}|11211 ${second}|${second}|11211\n`), answer)
  assert.match(await ask(endpoint, 'get AmazonElastiCache:cluster\r\n', 'END\r\n'), /VALUE/)
  endpoint.destroy()
  for (const address of [group.endpoint, first!]) {
    const plain = connectPlain({ host: address, port: 11211 })
    plain.on('error', () => {})
    plain.write('version\r\n')
    let said = ''
    plain.on('data', (chunk) => {
      said += chunk.toString('latin1')
    })
    await new Promise((resolve) => plain.on('close', resolve))
    assert.ok(!said.includes('VERSION'), address)
  }
})

test('a new certificate breaks no connection and is what new ones get; a node that died comes back with it', async () => {
  const before = await host.settled('mc')
  const kept = await Promise.all([open(before.endpoint), open(before.nodes[0]!.address)])
  wish(1)
  const after = await host.settled('mc', (g) => g.transit?.certificate?.renewal === 1)
  const { fingerprint256 } = after.transit!.certificate!
  assert.notEqual(fingerprint256, before.transit!.certificate!.fingerprint256)
  for (const socket of kept) assert.match(await ask(socket, 'version\r\n', '\r\n'), /^VERSION/)
  const shown = async (address: string): Promise<string> => {
    const socket = await open(address)
    const certificate = socket.getPeerX509Certificate()!.fingerprint256
    socket.destroy()
    return certificate
  }
  for (const address of [after.endpoint, ...after.nodes.map((n) => n.address)]) {
    assert.equal(await shown(address), fingerprint256, address)
  }
  process.kill(after.nodes[0]!.pid!, 'SIGKILL')
  const back = await host.settled('mc', (g) => g.nodes[0]!.pid !== after.nodes[0]!.pid && g.nodes[0]!.pid !== null)
  assert.equal(await shown(back.nodes[0]!.address), fingerprint256)
  await serves(back)
  for (const socket of kept) socket.destroy()
})

test('a deleted cluster leaves no key behind', async () => {
  const { nodes } = await host.settled('mc')
  const file = (id: string): string => join(host.home, 'nodes', 'mc', id, 'tls.pem')
  for (const { id } of nodes) assert.match(readFileSync(file(id), 'utf8'), /PRIVATE KEY/)
  host.wish([])
  await host.gone('nodes', 'mc')
})
