//! What a worker shakes hands with: its certificates, the keys of its session tickets, and the acceptor that uses both.
import { join } from 'node:path'
import { stapleDirectory } from '../lib/ca/staple-file.ts'
import type { Clock } from '../lib/clock.ts'
import { type OwnCertificates, ViewerCertificates } from './certificates.ts'
import { TlsAcceptor } from './listen/tls/acceptor.ts'
import { SharedTicketKeys } from './listen/tls/ticket-keys.ts'
import type { PopListen } from './listeners.ts'
import type { Snapshot } from './snapshot/snapshot.ts'

export interface HandshakeOptions {
  readonly pops: readonly PopListen[]
  /** May be absent where no POP has an HTTPS address. */
  readonly certificates?: OwnCertificates
  readonly clock: Clock
  /** One line for the operator. */
  readonly problem: (message: string) => void
}

export interface Handshakes {
  readonly acceptor: TlsAcceptor
  close(): Promise<void>
}

/** `snapshot`: the configuration of the moment. Never fails: without shared keys each worker resumes its own sessions. */
export async function openHandshakes(options: HandshakeOptions, snapshot: () => Snapshot): Promise<Handshakes> {
  const { certificates: given = { directory: '', names: [] }, clock, pops, problem } = options
  const wall = (): number => clock.wall()
  const ticketKeys = new SharedTicketKeys({ directory: join(given.directory, 'tickets'), wall, problem })
  if (pops.some(({ https }) => https !== null)) await ticketKeys.start()
  const certificates = new ViewerCertificates({ ...given, snapshot, wall, problem })
  return {
    acceptor: new TlsAcceptor({
      identify: (hello, from) => certificates.identify(hello, from),
      ticketKeys: () => ticketKeys.keys,
      staples: { directory: stapleDirectory(given.directory), wall },
      wall,
      problem,
    }),
    async close() {
      ticketKeys.close()
      await certificates.close()
    },
  }
}
