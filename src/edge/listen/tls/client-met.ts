//! Whether a connection may be used for a distribution, as far as the viewer's certificate goes: it may have been made for
//! another one, or under what the distribution asked for then.
import { X509Certificate } from 'node:crypto'
import type { ViewerClient, ViewerTls } from '../viewer.ts'
import { type ClientTerms, clientProblem } from './client-terms.ts'

interface Met {
  readonly terms: ClientTerms
  readonly meets: boolean
}

const MET = new WeakMap<ViewerClient, Met>()

/**
 * Whether what a viewer has shown is what these terms would have asked it for: its connection may have been made under
 * others, or under those that the distribution had then. Worked out once for a connection.
 */
export function meets(tls: ViewerTls | null, terms: ClientTerms | null, now: number): boolean {
  if (terms === null || tls?.terms?.client === terms) return true
  const client = tls?.client ?? null
  if (client === null || client.mode !== terms.mode) return false
  const before = MET.get(client)
  if (before?.terms === terms) return before.meets
  const certificates = client.certificates.map((der) => new X509Certificate(Buffer.from(der, 'base64')))
  const made: Met = { terms, meets: clientProblem(terms, certificates, now) === null }
  MET.set(client, made)
  return made.meets
}
