//! Opens one connection to an origin for undici: DNS, TCP, TLS, with CloudFront's own connection timeout, and asks the
//! guard about the address that was really reached before a single byte is sent.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { systemClock } from '../../lib/clock.ts'
import { connected } from './connection-times.ts'
import { OriginFailure, originFailure } from './failure.ts'
import type { AddressGuard } from './guard.ts'

/** What undici asks a connector for. */
interface ConnectOptions {
  readonly hostname: string
  readonly port: string
  readonly protocol: string
  readonly servername?: string | null | undefined
}

type ConnectCallback = (...result: [null, Socket] | [Error, null]) => void

/** A connector for `new Pool(url, { connect })`. Failures are OriginFailure; the timeout covers DNS, TCP and TLS. */
export function originConnector(guard: AddressGuard, timeoutMs: number) {
  return (options: ConnectOptions, callback: ConnectCallback): void => {
    const secure = options.protocol === 'https:'
    const hostname = options.hostname.replace(/^\[|\]$/g, '')
    const port = Number(options.port) || (secure ? 443 : 80)
    const askedAt = systemClock.monotonic()
    let lookedUpAt = askedAt
    let socket: Socket = connectTcp({
      host: hostname,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    })
    // Not emitted for an address.
    socket.once('lookup', () => {
      lookedUpAt = systemClock.monotonic()
    })
    let done = false
    const finish = (failure: OriginFailure | null): void => {
      if (done) return
      done = true
      clearTimeout(timer)
      if (failure === null) {
        connected(socket, { dnsMs: lookedUpAt - askedAt, connectMs: systemClock.monotonic() - lookedUpAt })
        callback(null, socket)
        return
      }
      socket.destroy()
      callback(failure, null)
    }
    const timer = setTimeout(() => {
      finish(new OriginFailure('connect-timeout', `no connection to ${hostname}:${port} within ${timeoutMs} ms`))
    }, timeoutMs)
    const onError = (error: Error): void => finish(originFailure(error))
    socket.once('error', onError)
    socket.once('connect', () => {
      const refusal = guard.refusal(socket.remoteAddress ?? '', port)
      if (refusal !== null) {
        return finish(new OriginFailure('forbidden-address', `${hostname}:${port} may not be an origin: ${refusal}`))
      }
      if (!secure) {
        socket.off('error', onError)
        return finish(null)
      }
      socket.off('error', onError)
      try {
        socket = secured(socket, options.servername ?? hostname)
      } catch (error) {
        // A name that TLS cannot send: nobody listens for what is thrown here.
        return finish(originFailure(error))
      }
      socket.once('error', onError)
      socket.once('secureConnect', () => {
        socket.off('error', onError)
        finish(null)
      })
    })
  }
}

/** TLS over the connection. An address is no SNI (RFC 6066 3); the certificate must be for it all the same. */
function secured(socket: Socket, name: string): Socket {
  const address = name.replace(/^\[|\]$/g, '')
  const named = isIP(address) === 0 ? { servername: name } : { host: address }
  return connectTls({ socket, ...named, ALPNProtocols: ['http/1.1'] })
}
