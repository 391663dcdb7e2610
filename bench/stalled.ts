//! Readers that ask for a large object and then read nothing: how much memory does a server hold for them?
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { type BenchObject, EDGE_BENCH } from './edge.config.ts'
import type { BenchServer } from './servers/server.ts'

/** Until then the kernel's buffers are full, and the server has what it is going to hold. Milliseconds. */
const SETTLE_MS = 2_000

export interface Stalled {
  readonly server: string
  readonly readers: number
  /** Bytes by which the resident memory of its processes grew. */
  readonly grewBytes: number
}

const resident = (pids: readonly number[]): number =>
  pids.reduce(
    (sum, pid) => sum + 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
    0,
  )

export async function stallReaders(server: BenchServer, object: BenchObject): Promise<Stalled> {
  const readers = EDGE_BENCH.stalledReaders
  const before = resident(server.pids)
  const sockets = Array.from({ length: readers }, () => connect({ host: '127.0.0.1', port: server.port }))
  try {
    for (const socket of sockets) {
      await once(socket, 'connect')
      socket.on('error', () => {})
      socket.write(`GET ${object.path} HTTP/1.1\r\nHost: ${EDGE_BENCH.host}\r\n\r\n`)
    }
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    return { server: server.name, readers, grewBytes: resident(server.pids) - before }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}
