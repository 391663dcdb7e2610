//! Encryption in transit of redis and valkey: the directives, and changing from one mode to another at run time.
//! PURE but for `listen`. Facts: spec/elasticache.md 6.6, engine-notes (a port that is closed keeps its connections).
import type { Setting } from './engine.ts'
import { type Listening, portsBehindFront, type ServedCertificate, sameListening } from './transit.ts'

/** AWS's minimum since 2026-04-28. */
const PROTOCOLS = 'TLSv1.2 TLSv1.3'

/** What an engine serves TLS with. Key and chain are one file; clients show no certificates. */
export const certificateSettings = ({ file, authorityFile }: ServedCertificate): readonly Setting[] => [
  ['tls-cert-file', file],
  ['tls-key-file', file],
  ['tls-ca-cert-file', authorityFile],
]

/** Ports as directives for a start. Nothing of TLS for an engine without it: it may be built without, too. */
export function portSettings({ plain, tls }: Listening): readonly Setting[] {
  const own: Setting = ['port', String(plain)]
  if (tls === 0) return [own]
  return [own, ['tls-port', String(tls)], ['tls-auth-clients', 'no'], ['tls-protocols', PROTOCOLS]]
}

/** Sends one command to an engine. */
export type Ask = (...command: readonly [string, ...string[]]) => Promise<unknown>

/**
 * Makes an engine of a group at `port` that listens as `before` on `bound` listen as `wanted`. A port that is closed
 * keeps its connections, so clients whose kind is no longer taken are ended, before the port of the group opens for the
 * other kind: a keeper that dies in between is continued by the next, which sees that it has not come to its end. One
 * port is open at any time, or nobody could reach the engine any more.
 */
export async function listen(
  ask: Ask,
  change: {
    readonly before: Listening
    readonly wanted: Listening
    readonly port: number
  },
  certificate: ServedCertificate | null,
): Promise<void> {
  const { before, wanted, port } = change
  if (sameListening(before, wanted)) return
  const set = (settings: readonly Setting[]) => ask('CONFIG', 'SET', ...settings.flat())
  if (wanted.tls !== 0) {
    if (certificate === null) throw new Error('there is no certificate for TLS')
    await set([...certificateSettings(certificate), ['tls-auth-clients', 'no'], ['tls-protocols', PROTOCOLS]])
  }
  if (wanted.plain !== 0 && wanted.tls !== 0) {
    await set([
      ['port', String(wanted.plain)],
      ['tls-port', String(wanted.tls)],
    ])
    return
  }
  const hidden = portsBehindFront(port)
  const [stays, goes] = wanted.tls === 0 ? (['plain', 'tls'] as const) : (['tls', 'plain'] as const)
  if (before[stays] === 0) await set([[DIRECTIVE[stays], String(hidden[stays])]])
  if (before[goes] !== 0) await set([[DIRECTIVE[goes], '0']])
  const ports = new Set([before[goes] || port, hidden[goes], port])
  // Not by what is bound: a connection outlives its listener, as at an endpoint that a front has taken over since.
  for (const address of await addressesOfClients(ask)) {
    if (!ports.has(Number(address.slice(address.lastIndexOf(':') + 1)))) continue
    for (const type of ['normal', 'pubsub']) await ask('CLIENT', 'KILL', 'TYPE', type, 'LADDR', address)
  }
  await set([[DIRECTIVE[stays], String(wanted[stays])]])
}

/** Where clients are connected to: `127.16.0.2:6379`. */
async function addressesOfClients(ask: Ask): Promise<ReadonlySet<string>> {
  const list = String(await ask('CLIENT', 'LIST'))
  return new Set([...list.matchAll(/ laddr=(\S+)/g)].map(([, address]) => address!))
}

const DIRECTIVE = { plain: 'port', tls: 'tls-port' } as const
