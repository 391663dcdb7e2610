//! Waits for the PROXY header of a connection and leaves the socket, what follows the header in it, to whoever comes next.
import type { Socket } from 'node:net'
import { type ProxiedEnds, readProxyHeader } from './proxy-protocol.ts'

/**
 * Calls `done` once: with whom the proxy names (null: nobody); with 'malformed' for what is no header; with 'late' after
 * `timeoutMs`. A connection that ends before it is closed, and `done` not called.
 */
export function awaitProxyHeader(
  socket: Socket,
  timeoutMs: number,
  done: (told: ProxiedEnds | null | 'malformed' | 'late') => void,
): void {
  let held: Buffer = Buffer.alloc(0)
  const over = (outcome: ProxiedEnds | null | 'malformed' | 'late'): void => {
    clearTimeout(timer)
    socket.off('readable', onReadable)
    socket.off('end', onEnd)
    // The stream forgets on the next tick that somebody waited for `readable`: then the next reader may choose its way.
    process.nextTick(() => {
      if (!socket.destroyed) done(outcome)
    })
  }
  const onReadable = (): void => {
    for (let bytes = socket.read(); bytes !== null; bytes = socket.read()) {
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
      const header = readProxyHeader(held)
      if (header.kind === 'incomplete') continue
      if (header.kind === 'malformed') over('malformed')
      else {
        if (header.length < held.length) socket.unshift(held.subarray(header.length))
        over(header.ends)
      }
      return
    }
  }
  const onEnd = (): void => void socket.destroy()
  const timer = setTimeout(() => over('late'), timeoutMs)
  socket.once('close', () => clearTimeout(timer))
  socket.on('error', () => socket.destroy())
  socket.on('readable', onReadable)
  socket.on('end', onEnd)
}
