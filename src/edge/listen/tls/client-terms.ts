//! What a distribution asks of viewers' certificates (spec/cloudfront.md 15), and what is wrong with one.
import { createHash, X509Certificate } from 'node:crypto'
import type { ViewerMtlsDoc } from '../../../domain/distribution.ts'
import { QUOTAS } from '../../../domain/quotas.ts'
import { type ChainProblem, type ChainRules, verifyClient } from '../../../lib/ca/client-chain.ts'

/** One object for each distinct set of terms, as of TlsTerms. */
export interface ClientTerms {
  /** The same text for the same terms; other authorities of a trust store make another. */
  readonly key: string
  readonly mode: ViewerMtlsDoc['mode']
  /** PEM of authorities whose names viewers are told; none where that is not wanted. */
  readonly advertised: readonly string[]
  /** What certificates are verified by; null in passthrough mode. */
  readonly rules: ChainRules | null
}

export type ClientProblem = ChainProblem | 'missing'

/** By the document, then by what is in it: who has changed a document back has the terms of before. */
const OF_DOCUMENT = new WeakMap<ViewerMtlsDoc, ClientTerms>()
const BY_KEY = new Map<string, WeakRef<ClientTerms>>()
/** Forgotten terms of which a key is left. */
const KEYS_MAX = 1_000

/** @throws Error when an authority is no certificate */
export function clientTerms(document: ViewerMtlsDoc): ClientTerms {
  const before = OF_DOCUMENT.get(document)
  if (before !== undefined) return before
  const { mode, trust } = document
  const key = createHash('sha256')
    .update(JSON.stringify([mode, trust]))
    .digest('hex')
  const terms = BY_KEY.get(key)?.deref() ?? {
    key,
    mode,
    advertised: trust?.advertiseNames ? trust.authorities : [],
    rules:
      trust === null
        ? null
        : {
            authorities: trust.authorities.map((pem) => new X509Certificate(pem)),
            ignoreExpiry: trust.ignoreExpiry,
            depth: QUOTAS.clientChainDepth,
          },
  }
  if (BY_KEY.size >= KEYS_MAX) for (const [old, reference] of BY_KEY) if (!reference.deref()) BY_KEY.delete(old)
  BY_KEY.set(key, new WeakRef(terms))
  OF_DOCUMENT.set(document, terms)
  return terms
}

/** `certificates`: the viewer's own, then what it sent behind it. `now` in milliseconds, wall clock. */
export function clientProblem(
  { mode, rules }: ClientTerms,
  [leaf, ...sent]: readonly X509Certificate[],
  now: number,
): ClientProblem | null {
  if (leaf === undefined) return mode === 'required' ? 'missing' : null
  return rules === null ? null : verifyClient(leaf, sent, rules, now)
}
