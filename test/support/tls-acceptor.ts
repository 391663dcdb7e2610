//! A TLS acceptor of a test: one certificate for whoever comes.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type AcceptorOptions, TlsAcceptor } from '../../src/edge/listen/tls/acceptor.ts'
import type { ViewerProtocol } from '../../src/edge/listen/tls/endpoints.ts'
import { tlsTerms } from '../../src/edge/listen/tls/terms.ts'

export function acceptorOf(
  { key, certificate }: { readonly key: string; readonly certificate: string },
  { policy = 'TLSv1.2_2021', protocols = ['http/1.1'], ...changes }: Changes = {},
): TlsAcceptor {
  const identity = {
    certificate: { id: 'test', pairs: [{ key, chain: certificate }] },
    terms: tlsTerms(policy),
    protocols,
  }
  const keys = { current: randomBytes(48), previous: null }
  return new TlsAcceptor({
    identify: () => identity,
    ticketKeys: () => keys,
    wall: Date.now,
    problem: assert.fail,
    ...changes,
  })
}

interface Changes extends Partial<AcceptorOptions> {
  readonly policy?: string
  readonly protocols?: readonly ViewerProtocol[]
}
