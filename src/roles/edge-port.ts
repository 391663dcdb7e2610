//! Which port the edge takes. The workers share it (SO_REUSEPORT), which would let them share it with another
//! installation of this user, too: so control first takes it alone for a moment. The port that stood for 0 is kept, so
//! that restarted and further workers have the same one.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { type ListenAddress, showAddress } from '../config-values.ts'
import { holderOf } from '../keeper/listeners.ts'

/** An address cannot be listened on: one line for a person. */
export class ListenError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ListenError'
  }
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'this user may not use it (ports below 1024 need a right)',
  EADDRNOTAVAIL: 'no interface of this machine has that address',
}

/**
 * The address that the workers are to listen on. While `held` the workers of an earlier control have it and keep it.
 * @throws ListenError when another program has it
 */
export async function chooseEdgeAddress(
  wanted: ListenAddress,
  portsFile: string,
  held: boolean,
): Promise<ListenAddress> {
  const kept = readKept(portsFile, wanted)
  if (held && kept !== null) return { host: wanted.host, port: kept }
  const host = wanted.host
  let port: number
  if (wanted.port !== 0) port = await probe(wanted)
  else port = await probe({ host, port: kept ?? 0 }).catch(() => probe({ host, port: 0 }))
  const next = `${portsFile}.new`
  writeFileSync(next, JSON.stringify({ wanted: showAddress(wanted), port }), { mode: 0o600 })
  renameSync(next, portsFile)
  return { host, port }
}

/** The port that was taken for the same wish before; null when there is none. */
function readKept(portsFile: string, wanted: ListenAddress): number | null {
  try {
    const kept = JSON.parse(readFileSync(portsFile, 'utf8')) as { wanted: string; port: number }
    return kept.wanted === showAddress(wanted) && Number.isInteger(kept.port) ? kept.port : null
  } catch {
    return null
  }
}

/** Listens alone for a moment and tells the port. @throws ListenError */
export function probe(address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(listenError('The edge', address, error, 'HTTP_LISTEN')))
    server.listen({ ...address, exclusive: true }, () => {
      const bound = server.address()
      const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
      server.close(() => resolve(port))
    })
  })
}

/** One line: what cannot listen where, who holds the port, how to choose another. */
export function listenError(who: string, address: ListenAddress, error: Error, variable: string): ListenError {
  const { code = '' } = error as NodeJS.ErrnoException
  const holder = code === 'EADDRINUSE' ? holderOf(address.host, address.port) : null
  const why = code === 'EADDRINUSE' ? `${holder?.text ?? 'another program'} has it` : (WHY[code] ?? error.message)
  const flag = `--${variable.toLowerCase().replaceAll('_', '-')}`
  return new ListenError(
    `${who} cannot listen on ${showAddress(address)}: ${why}. Choose another with ${flag} ADDRESS:PORT or ` +
      `CACHEFRONT_${variable} (port 0 takes a free one).`,
  )
}
