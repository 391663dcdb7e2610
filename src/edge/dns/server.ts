//! The name server of the edge domain, over UDP and TCP (RFC 1035 4.2, 7766). Each worker answers: they share the port, so
//! that names are found as long as one of them lives, with or without control.
import { createSocket, type RemoteInfo } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import { type Answering, reply } from './message.ts'

export interface DnsListen {
  readonly host: string
  readonly port: number
}

export interface DnsServer {
  readonly address: DnsListen
  close(): Promise<void>
}

/** Connections over TCP at a time; a further one is refused. */
const CONNECTIONS_MAX = 128
/** Milliseconds without a byte after which a connection ends. */
const IDLE_MS = 10_000
/** Bytes of a query; there is no reason for a longer one. */
const QUERY_BYTES_MAX = 4_096

/** @throws the system's error when the address cannot be bound. */
export async function startDns(listen: DnsListen, reusePort: boolean, answering: Answering): Promise<DnsServer> {
  const tcp = createServer((socket) => serve(socket, answering))
  tcp.maxConnections = CONNECTIONS_MAX
  await bindTcp(tcp, listen, reusePort)
  const bound = tcp.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : listen.port
  const udp = createSocket({ type: listen.host.includes(':') ? 'udp6' : 'udp4', reusePort })
  udp.on('message', (bytes: Buffer, from: RemoteInfo) => {
    const answer = reply({ bytes, from: plain(from.address), overTcp: false }, answering)
    // Who cannot be reached asks again, or has gone.
    if (answer !== null) udp.send(answer, from.port, from.address, () => {})
  })
  await new Promise<void>((resolve, reject) => {
    udp.once('error', reject)
    udp.bind({ address: listen.host, port }, () => {
      udp.off('error', reject)
      udp.on('error', () => {})
      resolve()
    })
  }).catch((error: unknown) => {
    tcp.close()
    throw error
  })
  const sockets = new Set<Socket>()
  tcp.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return {
    address: { host: listen.host, port },
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ])
    },
  }
}

function bindTcp(server: Server, { host, port }: DnsListen, reusePort: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, reusePort }, () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve()
    })
  })
}

/** Queries one after the other, each behind its length in two bytes. */
function serve(socket: Socket, answering: Answering): void {
  let held: Buffer = Buffer.alloc(0)
  const from = plain(socket.remoteAddress ?? '')
  socket.setTimeout(IDLE_MS, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes: Buffer) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
    while (held.length >= 2) {
      const length = held.readUInt16BE(0)
      if (length > QUERY_BYTES_MAX) return void socket.destroy()
      if (held.length < 2 + length) break
      const answer = reply({ bytes: held.subarray(2, 2 + length), from, overTcp: true }, answering)
      held = held.subarray(2 + length)
      if (answer === null) return void socket.destroy()
      const size = Buffer.alloc(2)
      size.writeUInt16BE(answer.length)
      socket.write(Buffer.concat([size, answer]))
    }
    // Who asks on without reading gets nothing more.
    if (socket.writableNeedDrain) socket.destroy()
  })
}

const plain = (address: string): string => address.replace(/%.*/, '').replace(/^::ffff:(?=\d+\.)/, '')
