//! Opens one connection to an origin for undici: DNS, TCP, TLS, with CloudFront's own connection timeout over all three.
import { isIP, type Socket } from 'node:net'
import { systemClock } from '../../lib/clock.ts'
import { connected } from './connection-times.ts'
import { OriginFailure, originFailure } from './failure.ts'
import type { AddressGuard } from './guard.ts'
import { type Reached, reach } from './reach.ts'
import { familyOf, type IpAddressType, inTurn, type OriginNames } from './resolve.ts'
import type { OriginTlsSpeaker } from './tls.ts'

/** Where the connections of one pool go. */
export interface ConnectTarget {
  /** A host name or an address, without brackets. */
  readonly hostname: string
  readonly port: number
  readonly ipAddressType: IpAddressType
  /** Null for plain HTTP. */
  readonly tls: OriginTlsSpeaker | null
  readonly timeoutMs: number
}

export interface ConnectParts {
  readonly guard: AddressGuard
  readonly names: OriginNames
}

type ConnectCallback = (...result: [null, Socket] | [Error, null]) => void

export type OriginConnector = (options: unknown, callback: ConnectCallback) => void

/** A connector for `new Pool(url, { connect })`. Failures are OriginFailure. */
export function originConnector({ guard, names }: ConnectParts, target: ConnectTarget): OriginConnector {
  const { hostname, port, tls, timeoutMs } = target
  let turn = 0
  return (_options, callback) => {
    const askedAt = systemClock.monotonic()
    let lookedUpAt = askedAt
    let socket: Socket | null = null
    let breakOff: (() => void) | null = null
    let done = false
    const finish = (failure: OriginFailure | null): void => {
      if (done) return
      done = true
      clearTimeout(timer)
      breakOff?.()
      if (failure === null) {
        const open = socket as Socket
        connected(open, { dnsMs: lookedUpAt - askedAt, connectMs: systemClock.monotonic() - lookedUpAt })
        callback(null, open)
        return
      }
      // What it says of its end nobody needs to hear.
      socket?.on('error', () => {}).destroy()
      callback(failure, null)
    }
    const timer = setTimeout(() => {
      finish(new OriginFailure('connect-timeout', `no connection to ${hostname}:${port} within ${timeoutMs} ms`))
    }, timeoutMs)
    const onReached = (reached: Reached): void => {
      socket = reached.socket
      if (socket === null || tls === null) finish(named(hostname, reached.failure))
      else socket = tls.secure(socket, (failure) => finish(named(hostname, failure)))
    }
    const begin = (addresses: readonly string[]): void => {
      lookedUpAt = systemClock.monotonic()
      if (!done) breakOff = reach(inTurn(addresses, turn++), port, guard, onReached)
    }
    if (isIP(hostname) !== 0) begin([hostname])
    else {
      names
        .addresses(hostname, familyOf(hostname, target.ipAddressType))
        .then(begin, (error) => finish(new OriginFailure('dns', originFailure(error).message)))
    }
  }
}

/** With the name that was asked for: an address alone tells nobody which origin it is. */
const named = (hostname: string, failure: OriginFailure | null): OriginFailure | null =>
  failure === null ? null : new OriginFailure(failure.kind, `${hostname}: ${failure.message}`)
