//! A lock that every process of this machine (of this network namespace) sees and that the kernel releases when its
//! holder dies: a listening socket in Linux's abstract namespace. No file is left behind, and no stale lock either.
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between two attempts to take a lock that another process holds. */
const RETRY_MS = 10

export interface MachineLock {
  release(): Promise<void>
}

/** Takes the lock `name` if it is free; null when another process, or this one, holds it. */
export function tryMachineLock(name: string): Promise<MachineLock | null> {
  // Names of sockets are at most 107 bytes long; a digest is always short enough.
  const path = `\0cachefront-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    server.listen({ path }, () => {
      server.unref()
      resolve({ release: () => new Promise((done) => server.close(() => done())) })
    })
  })
}

/** Takes the lock `name`, waiting for its holder. @throws when it is not free within `timeoutMs`. */
export async function machineLock(name: string, timeoutMs: number): Promise<MachineLock> {
  for (let waited = 0; waited <= timeoutMs; waited += RETRY_MS) {
    const lock = await tryMachineLock(name)
    if (lock !== null) return lock
    await sleep(RETRY_MS)
  }
  throw new Error(`another process has held the lock "${name}" for over ${timeoutMs} ms`)
}
