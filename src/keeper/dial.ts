//! Opens a connection to an engine through its door: TCP, or TLS to exactly the engine that was given its certificate.
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { keeperAddress } from './addresses.ts'
import type { Door } from './door.ts'

/**
 * Resolves with a connection on which the engine can be spoken to; what it emits later is the caller's. Of TLS the
 * handshake is done. `allowHalfOpen`: the engine's end of its stream does not end ours.
 * @throws when nobody answers within `timeoutMs`, or somebody else than that engine
 */
export function dial(
  door: Pick<Door, 'address' | 'port' | 'tls'>,
  timeoutMs: number,
  { allowHalfOpen = false } = {},
): Promise<Socket> {
  const { address, port, tls } = door
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const localAddress = keeperAddress(address)
  const socket = connectTcp({ host: address, port, localAddress, noDelay: true, allowHalfOpen })
  let used = socket
  const fail = (why: Error): void => {
    clearTimeout(timer)
    used.destroy()
    socket.destroy()
    reject(why)
  }
  const timer = setTimeout(() => fail(new Error(`${address}:${port} does not answer`)), timeoutMs)
  const closed = (): void => fail(new Error(`${address}:${port} closed the connection`))
  const done = (): void => {
    clearTimeout(timer)
    used.removeListener('error', fail)
    used.removeListener('close', closed)
    // It may break before its new owner listens; then `destroyed` tells.
    used.on('error', () => {})
    resolve(used)
  }
  socket.once('error', fail)
  if (tls === null) {
    socket.once('connect', done)
    socket.once('close', closed)
    return promise
  }
  // Pinned to what the keeper itself handed out, dates aside: an expired certificate must not look like a dead engine.
  const secure = connectTls({ socket, rejectUnauthorized: false, minVersion: 'TLSv1.2' })
  used = secure
  secure.once('error', fail)
  secure.once('close', closed)
  secure.once('secureConnect', () => {
    const shown = secure.getPeerX509Certificate()?.fingerprint256
    if (shown !== undefined && tls.pins.includes(shown)) done()
    else fail(new Error(`${address}:${port} shows a certificate that is not its own`))
  })
  return promise
}
