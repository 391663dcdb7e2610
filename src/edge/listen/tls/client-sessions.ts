//! Viewers' certificates at the end of a handshake: verified, and remembered for sessions that are resumed. A session's
//! ticket brings the viewer's certificate back, without those behind it, and OpenSSL makes tickets also for viewers that
//! are refused here. So a resumed session counts only when its certificate was good before, in this process: tickets of
//! such sessions are sealed with a key that no other worker has (endpoints.ts).
import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ViewerClient } from '../viewer.ts'
import { type ClientProblem, type ClientTerms, clientProblem } from './client-terms.ts'

/** Whose sessions can be resumed; of more, those that came first are forgotten, and refused until they begin anew. */
const REMEMBERED_MAX = 50_000
/** Certificates that are looked at of one viewer, and their bytes: what is passed on must fit into a request's head. */
const SENT_MAX = 10
const SENT_BYTES_MAX = 16_384

export type ClientVerdict =
  | { readonly client: ViewerClient }
  | { readonly problem: ClientProblem | 'unknown-session' | 'too-much' | 'openssl' }

interface Sessions {
  /** What came behind a certificate, by its SHA-256; the one that was used last comes last. */
  readonly chains: Map<string, readonly X509Certificate[]>
}

const SESSIONS = new WeakMap<ClientTerms, Sessions>()

/** Of a connection whose handshake is over. `now` in milliseconds, wall clock. */
export function judgeClient(socket: TLSSocket, terms: ClientTerms, now: number): ClientVerdict {
  const leaf = socket.getPeerX509Certificate()
  if (leaf === undefined) {
    const problem = clientProblem(terms, [], now)
    return problem === null ? { client: { mode: terms.mode, certificates: [] } } : { problem }
  }
  const { chains } = sessionsOf(terms)
  const sent = socket.isSessionReused() ? chains.get(leaf.fingerprint256) : behind(leaf)
  if (sent === undefined) return { problem: 'unknown-session' }
  const all = [leaf, ...sent]
  if (all.length > SENT_MAX || bytesOf(all) > SENT_BYTES_MAX) return { problem: 'too-much' }
  const problem = clientProblem(terms, all, now)
  if (problem !== null) return { problem }
  // It can judge only what it knows the authorities of, and knows no other way to ignore dates than to ignore them all.
  const judges = terms.rules !== null && terms.advertised.length > 0 && !terms.rules.ignoreExpiry
  if (judges && !socket.authorized) return { problem: 'openssl' }
  chains.delete(leaf.fingerprint256)
  chains.set(leaf.fingerprint256, sent)
  if (chains.size > REMEMBERED_MAX) chains.delete(chains.keys().next().value ?? '')
  return { client: { mode: terms.mode, certificates: all.map(({ raw }) => raw.toString('base64')) } }
}

function sessionsOf(terms: ClientTerms): Sessions {
  const known = SESSIONS.get(terms)
  if (known !== undefined) return known
  const made: Sessions = { chains: new Map() }
  SESSIONS.set(terms, made)
  return made
}

/** In the order that the viewer sent them; one more than are looked at, when there are more. */
function behind(leaf: X509Certificate): X509Certificate[] {
  const sent: X509Certificate[] = []
  for (let next = leaf.issuerCertificate; next !== undefined && sent.length < SENT_MAX; next = next.issuerCertificate) {
    sent.push(next)
  }
  return sent
}

const bytesOf = (certificates: readonly X509Certificate[]): number =>
  certificates.reduce((bytes, { raw }) => bytes + raw.length, 0)
