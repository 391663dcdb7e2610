//! A memcached cluster on real memcacheds: nodes direct, discovery through the configuration endpoint.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { KeeperHost, memcachedGroup } from '../../support/keeper-host.ts'

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

/** Sends `text` in one write, ends its side, and returns all that comes back. */
function say(address: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port: 11211 })
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
    })
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
    socket.write(`${text}quit\r\n`)
  })
}

const answerFor = (version: number, addresses: readonly string[]): string => {
  const payload = `${version}\n${addresses.map((a) => `${a}|${a}|11211`).join(' ')}\n`
  return `CONFIG cluster 0 ${payload.length}\r\n${payload}\r\nEND\r\n`
}

let version = 0

test('the configuration endpoint lists the nodes in the exact bytes, and passes everything else on in order', async () => {
  host.wish([memcachedGroup('mem', 2)])
  const group = await host.settled('mem')
  const addresses = group.nodes.map((n) => n.address)
  version = Number(/CONFIG cluster 0 \d+\r\n(\d+)\n/.exec(await say(group.endpoint, 'config get cluster\r\n'))![1])
  const config = answerFor(version, addresses)
  const tricky = 'config get cluster\r\n'
  const answer = await say(
    group.endpoint,
    `set k 0 0 ${tricky.length}\r\n${tricky}\r\nconfig get cluster\r\nget k\r\nconfig set cluster 0 0 1\r\nget none\r\n`,
  )
  assert.equal(answer, `STORED\r\n${config}VALUE k 0 ${tricky.length}\r\n${tricky}\r\nEND\r\nERROR\r\nEND\r\n`)
})

test('a line may arrive byte by byte; nodes answer at their own addresses and hold the fallback key', async () => {
  const group = await host.settled('mem')
  const socket = connect({ host: group.endpoint, port: 11211, noDelay: true })
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  const ended = new Promise((resolve) => socket.on('end', resolve))
  for (const letter of 'version\r\nconfig get cluster\r\nquit\r\n') {
    await new Promise<void>((resolve) => socket.write(letter, () => resolve()))
  }
  await ended
  const config = answerFor(
    version,
    group.nodes.map((n) => n.address),
  )
  assert.equal(answer, `VERSION ${group.nodes[0]!.binaryVersion}\r\n${config}`)
  for (const node of group.nodes) {
    const direct = await say(node.address, 'get AmazonElastiCache:cluster\r\n')
    assert.ok(direct.includes(config.split('\r\n')[1]!), direct)
  }
})

test('an added node is listed, a removed one is not, and the version rises each time', async () => {
  const two = await host.settled('mem')
  host.wish([memcachedGroup('mem', 3)])
  const three = await host.settled('mem', (g) => g.nodes.length === 3)
  const added = await say(three.endpoint, 'config get cluster\r\n')
  assert.equal(
    added,
    answerFor(
      version + 1,
      three.nodes.map((n) => n.address),
    ),
  )
  host.wish([memcachedGroup('mem', 2)])
  await host.settled('mem', (g) => g.nodes.length === 2)
  const removed = await say(two.endpoint, 'config get cluster\r\n')
  assert.equal(
    removed,
    answerFor(
      version + 2,
      two.nodes.map((n) => n.address),
    ),
  )
})

test('a killed node comes back at its address, empty; the list stays', async () => {
  const before = await host.settled('mem')
  const node = before.nodes[0]!
  await say(node.address, 'set k 0 0 1\r\nx\r\n')
  process.kill(node.pid!, 'SIGKILL')
  const after = await host.settled('mem', (g) => g.nodes[0]!.pid !== node.pid)
  assert.equal(after.nodes[0]!.address, node.address)
  assert.equal(await say(node.address, 'get k\r\n'), 'END\r\n')
  assert.deepEqual(host.eventWords(), [`node-lost 0001 exit`, 'recovering 0001', 'recovered 0001 true'])
})

test('a changed option waits for a restart of the node, and a wished restart applies it', async () => {
  const configuration = [['-m', '128']] as const
  host.wish([memcachedGroup('mem', 2, { configuration })])
  const pending = await host.settled('mem', (g) => g.nodes.every((n) => n.pendingReboot.length > 0))
  assert.deepEqual(pending.nodes[0]!.pendingReboot, ['-m'])
  host.wish([memcachedGroup('mem', 2, { configuration, restarts: { '0001': 1 } })])
  const group = await host.settled('mem', (g) => g.nodes[0]!.pendingReboot.length === 0)
  assert.deepEqual(group.nodes[1]!.pendingReboot, ['-m'])
  assert.match(await say(group.nodes[0]!.address, 'stats settings\r\n'), /STAT maxbytes 134217728/)
  assert.ok(host.eventWords().includes('restarted 0001'))
})
