//! Signed URLs and signed cookies (spec/cloudfront.md 3.1 step 10, 9): a private behavior serves nobody without. What signs
//! is taken off the request here: no key and no origin sees it.
import {
  checkSigned,
  type SignedPass,
  type SignedVerdict,
  signedRefusalXml,
  stillGood,
} from '../access/check-signed.ts'
import type { AskedUrl } from '../access/resource-pattern.ts'
import { type SignedMaterial, signedQuery } from '../access/signed-material.ts'
import type { SignersPlan } from '../access/signer-keys.ts'
import { signingCookies, withoutSigning } from '../access/signing-header.ts'
import { afterMethod } from '../after-method.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const accessSigned = stage({
  name: to.accessSigned,
  next: [to.cacheKey, to.admitMiss, to.errorPage],
  run(x, edge) {
    const { signers, field, readsCookies } = x.behavior as BehaviorPlan
    const plan = signers as SignersPlan
    const { query, headers } = x.request
    const signed = signedQuery(query)
    const material = signed === null ? signingCookies(headers) : signed.material
    const rest = signed === null ? query : signed.rest
    const verdict = verdictOn(x, edge, plan, material, rest)
    // Where nobody reads cookies a hit need not be another request.
    const kept = readsCookies ? withoutSigning(headers) : headers
    if (rest !== query || kept !== headers) x.request = { ...x.request, query: rest, headers: kept }
    if (x.watcher !== null) explain(x, material, verdict, field)
    if (verdict.code === null) return afterMethod(x)
    x.fault = {
      status: 403,
      reason: 'Access denied.',
      detailed: 'Error',
      origin: null,
      answer: { contentType: 'text/xml', body: signedRefusalXml(verdict.code), headers: [] },
    }
    return to.errorPage
  },
})

function verdictOn(
  x: Exchange,
  edge: Edge,
  plan: SignersPlan,
  material: SignedMaterial | null,
  query: string | null,
): SignedVerdict {
  const { headers, connection, path } = x.request
  const url: AskedUrl = { scheme: connection.scheme, host: headers.get('host') ?? headers.host, path, query }
  const request = { url, viewerAddress: x.viewerAddress, now: edge.clock.now() }
  // A custom policy in cookies is the same for all requests of a connection that repeat its header block.
  const repeats = material?.from === 'cookies' && material.values.Policy !== undefined
  const known = repeats ? (headers.derived.get(plan) as SignedPass | undefined) : undefined
  if (known !== undefined) return stillGood(known.policy, request) ?? known
  const verdict = checkSigned(plan, material, request, edge.verified)
  if (repeats && verdict.code === null) headers.derived.set(plan, { ...verdict, remembered: true })
  return verdict
}

/** Which check decided; nothing of what was sent is told. */
function explain({ watcher }: Exchange, material: SignedMaterial | null, verdict: SignedVerdict, field: string): void {
  const by =
    material === null
      ? 'nothing'
      : `${material.from}, ${material.values.Policy === undefined ? 'canned' : 'custom'} policy`
  watcher?.note('signed by', by)
  if (verdict.code !== null) {
    watcher?.note('refused', `${verdict.code}: ${verdict.check}`)
    watcher?.decided(`${field}.TrustedKeyGroups, TrustedSigners`, 'a signature is needed')
    return
  }
  const { signer, remembered } = verdict
  watcher?.decided(`${field}.${signer.field}`, signer.of)
  watcher?.note('signature', remembered ? 'verified before' : 'verified now')
}
