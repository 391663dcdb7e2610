//! One JSON document a line over a socket: the framing of the snapshot feed and of the keeper's control socket.
import type { Socket } from 'node:net'

/** A peer that sends a longer line is cut off: the largest honest message is a full snapshot. */
const LINE_BYTES_MAX = 256 * 1024 * 1024

export interface JsonLines<Out> {
  /** Queues one message; false when the socket's buffer is full (the message is still sent). */
  send(message: Out): boolean
  close(): void
}

/**
 * Speaks JSON lines on `socket`. A line that is not JSON, or is too long, destroys the socket.
 * Handlers must not throw.
 */
export function jsonLines<In, Out>(socket: Socket, onMessage: (message: In) => void): JsonLines<Out> {
  let pieces: Buffer[] = []
  let held = 0
  socket.on('data', (chunk: Buffer) => {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const tail = chunk.subarray(from, end)
      const line = held === 0 ? tail : Buffer.concat([...pieces, tail])
      pieces = []
      held = 0
      from = end + 1
      let message: In
      try {
        message = JSON.parse(line.toString('utf8')) as In
      } catch {
        socket.destroy(new Error('a line that is not JSON'))
        return
      }
      onMessage(message)
    }
    if (from < chunk.length) {
      pieces.push(chunk.subarray(from))
      held += chunk.length - from
      if (held > LINE_BYTES_MAX) socket.destroy(new Error(`a line of over ${LINE_BYTES_MAX} bytes`))
    }
  })
  return {
    send: (message) => !socket.destroyed && socket.write(`${JSON.stringify(message)}\n`),
    close: () => socket.end(),
  }
}
