//! A real origin for edge scenarios: an HTTP server whose answers a test writes, and which remembers what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'

export interface Asked {
  readonly method: string
  readonly url: string
  /** By lower-case name. */
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: string
}

export interface TestOrigin {
  readonly port: number
  readonly asked: Asked[]
  /** That were opened so far. */
  readonly connections: number
  /** How often a path (with query) was asked for. */
  count(url: string): number
  close(): Promise<void>
}

/** What it returns is awaited and not looked at. */
export type OriginHandler = (asked: Asked, response: ServerResponse) => unknown

export async function startOrigin(handler: OriginHandler): Promise<TestOrigin> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('latin1')) body += chunk
    const { method = '', url = '', headers, rawHeaders } = request
    const entry = { method, url, headers, rawHeaders, body }
    asked.push(entry)
    await handler(entry, response)
  })
  let connections = 0
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    get connections() {
      return connections
    },
    count: (url) => asked.filter((entry) => entry.url === url).length,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** An origin that speaks in bytes, for faults that a real server does not make. */
export async function startRawOrigin(
  onRequest: (socket: Socket, head: string) => void,
): Promise<{ readonly port: number; readonly requests: string[]; close(): Promise<void> }> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end)
        text = text.slice(end + 4)
        requests.push(head)
        onRequest(socket, head)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
