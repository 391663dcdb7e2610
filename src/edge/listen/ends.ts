//! Both ends of a viewer's connection: those of its socket, or those that a proxy in front tells (proxy-protocol.ts).
import type { Socket } from 'node:net'
import { plainAddress } from '../../lib/ip.ts'
import { isLoopback } from '../../lib/loopback.ts'
import type { ProxiedEnds } from './proxy-protocol.ts'

export interface ViewerEnds {
  /** Without brackets or zone; a mapped IPv4 address in its IPv4 form. */
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** Both ends are of this host, and no proxy spoke for the viewer. */
  readonly loopback: boolean
  /** A proxy in front began the connection with a PROXY header. */
  readonly proxied: boolean
}

export function endsOf(socket: Socket): ViewerEnds {
  const remoteAddress = plainAddress(socket.remoteAddress)
  const localAddress = plainAddress(socket.localAddress)
  return {
    remoteAddress,
    remotePort: socket.remotePort ?? 0,
    localAddress,
    localPort: socket.localPort ?? 0,
    loopback: isLoopback(remoteAddress) && isLoopback(localAddress),
    proxied: false,
  }
}

/** `told` is null for a header that names nobody (LOCAL, UNKNOWN): the proxy speaks for itself. */
export const proxiedEnds = (ends: ViewerEnds, told: ProxiedEnds | null): ViewerEnds => ({
  ...(told ?? ends),
  loopback: false,
  proxied: true,
})
