//! The front of the reader endpoint against servers on loopback addresses.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { readerFront } from './front.ts'

/** Says its own address to whoever connects. */
async function backend(host: string, port: number): Promise<Server> {
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {})
    socket.write(host)
  }).listen(port, host)
  await once(server, 'listening')
  return server
}

test('connections to an address that is no longer kept are ended, others stay', async (t) => {
  const first = await backend('127.0.0.2', 0)
  const { port } = first.address() as AddressInfo
  const second = await backend('127.0.0.3', port)
  const front = readerFront('127.0.0.4', port, () => ['127.0.0.2', '127.0.0.3'])
  await front.open()
  t.after(async () => {
    await front.close()
    first.close()
    second.close()
  })
  const viaFront = async () => {
    const socket = connect({ host: '127.0.0.4', port })
    const [greeting] = (await once(socket, 'data')) as [Buffer]
    return { socket, host: greeting.toString() }
  }
  const [a, b] = [await viaFront(), await viaFront()]
  assert.deepEqual([a.host, b.host], ['127.0.0.2', '127.0.0.3'])
  front.keepOnly(['127.0.0.3'])
  await once(a.socket, 'close')
  assert.equal(b.socket.destroyed, false)
  b.socket.destroy()
  await once(b.socket, 'close')
})
