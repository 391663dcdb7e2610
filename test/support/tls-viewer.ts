//! Viewers over TLS as tests need them: a handshake that may fail, and one request on the connection.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

/** The secured connection, or the code of the error that ended it. */
export async function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket | string> {
  const socket = connect({ host: '127.0.0.1', port, ...options })
  // From the beginning: tickets of a resumed session may come with the end of the handshake.
  socket.on('session', (session: Buffer) => SESSIONS.set(socket, session))
  try {
    await once(socket, 'secureConnect')
    socket.on('error', () => {})
    const session = socket.getSession()
    if (session !== undefined && !SESSIONS.has(socket)) SESSIONS.set(socket, session)
    return socket
  } catch (error) {
    socket.destroy()
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

const SESSIONS = new WeakMap<TLSSocket, Buffer>()

/** The newest session that a viewer has been given so far. */
export const sessionOf = (socket: TLSSocket): Buffer => SESSIONS.get(socket) ?? Buffer.alloc(0)

/** @throws Error when the handshake fails */
export async function secured(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const outcome = await handshake(port, options)
  if (typeof outcome === 'string') throw new Error(`${options.servername ?? 'without a name'}: ${outcome}`)
  return outcome
}

/** One answer, head and body, on a connection that stays open. */
export async function ask(socket: Socket, host: string, path = '/'): Promise<string> {
  const answer = Promise.withResolvers<string>()
  let got = ''
  const read = (bytes: Buffer): void => {
    got += bytes.toString('latin1')
    const bodyAt = got.indexOf('\r\n\r\n') + 4
    const length = /^content-length: (\d+)\r$/im.exec(got.slice(0, bodyAt))?.[1]
    if (bodyAt > 3 && got.length >= bodyAt + Number(length)) answer.resolve(got)
  }
  const lost = (): void => answer.reject(new Error(`the connection ended after ${JSON.stringify(got)}`))
  socket.on('data', read)
  socket.once('close', lost)
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 'latin1')
  await answer.promise.finally(() => {
    socket.off('data', read)
    socket.off('close', lost)
  })
  return got
}

export const statusOf = (answer: string): string => answer.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)
