//! How long DNS and connecting took, told to the first request of a connection: every later one found it open (spec
//! cloudfront.md 4.9, cdn-upstream-dns and -connect). undici says which socket a request goes out on through its
//! diagnostics channel only, in the same turn in which it tells the request's handler that it begins.
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** Milliseconds. */
export interface ConnectionTimes {
  readonly dnsMs: number
  /** From the end of the look-up to the end of the handshakes, TLS included. */
  readonly connectMs: number
}

const unused = new WeakMap<object, ConnectionTimes>()
const OPEN_ALREADY: ConnectionTimes = { dnsMs: 0, connectMs: 0 }

export function connected(socket: Socket, times: ConnectionTimes): void {
  unused.set(socket, times)
}

let beginning: ((times: ConnectionTimes) => void) | null = null

/** To be called when a request's handler hears that it begins; `tell` is called at once, or not at all. */
export function requestBegins(tell: (times: ConnectionTimes) => void): void {
  beginning = tell
}

subscribe('undici:client:sendHeaders', (message) => {
  const tell = beginning
  beginning = null
  if (tell === null) return
  const { socket } = message as { readonly socket: object }
  tell(unused.get(socket) ?? OPEN_ALREADY)
  unused.delete(socket)
})
