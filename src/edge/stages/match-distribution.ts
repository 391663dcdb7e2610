//! Host to distribution (spec/cloudfront.md 3.1 step 3): alias, wildcard alias, own name. The port does not matter. Over TLS
//! it must be one that the connection was made for (misdirected.ts).
import { REASONS } from '../../http/error-page.ts'
import { firstCheck } from '../access/first-check.ts'
import type { Exchange } from '../exchange.ts'
import { isMisdirected } from '../misdirected.ts'
import { ownNames } from '../snapshot/assemble.ts'
import { type DistributionPlan, distributionOf } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const matchDistribution = stage({
  name: to.matchDistribution,
  next: [to.chooseStaging, to.accessWaf, to.accessGeo, to.rootObject, to.errorPage],
  run(x, edge) {
    const plan =
      x.foundBefore === ''
        ? distributionOf(x.snapshot, x.request.headers.host)
        : x.snapshot.distributions.get(x.foundBefore)
    if (plan === undefined || !plan.enabled) {
      if (plan !== undefined) x.watcher?.decided('Enabled', false)
      else if (x.watcher !== null && isNameOfStaging(x)) x.watcher.decided('Staging', true)
      x.fault = { status: 403, reason: REASONS.badRequest, detailed: 'InvalidRequest', origin: null }
      return to.errorPage
    }
    x.watcher?.decided(nameField(plan, x.request.headers.host), x.request.headers.host)
    const { connection, headers } = x.request
    const { tls } = connection
    const { host } = headers
    if (x.foundBefore === '' && isMisdirected(tls, host, plan, edge.clock.wall())) {
      x.watcher?.decided(
        'ViewerCertificate',
        'the connection has another certificate, security policy or client certificate',
      )
      x.fault = { status: 421, reason: REASONS.misdirected, detailed: 'InvalidRequestCertificate', origin: null }
      return to.errorPage
    }
    if (x.foundBefore === '' && tls === null && connection.scheme === 'https' && plan.tls.client?.mode === 'required') {
      // Another distribution of ours, which has this one as an origin, has no certificate to show.
      x.watcher?.decided('ViewerMtlsConfig.Mode', 'required')
      x.fault = { status: 403, reason: REASONS.badRequest, detailed: 'InvalidRequestCertificate', origin: null }
      return to.errorPage
    }
    x.distribution = plan
    // Of a peer's question it is decided already.
    return plan.staging === null || x.foundBefore !== '' ? firstCheck(x) : to.chooseStaging
  },
})

/** A staging distribution is reached through its primary one alone. */
const isNameOfStaging = ({ snapshot, request }: Exchange): boolean =>
  snapshot.distributions
    .values()
    .some(({ doc }) => doc.staging === true && ownNames(doc).includes(request.headers.host))

/** The field that holds the name: an alias as it is, one by its wildcard (the longest, as distributionOf has it), or neither. */
function nameField({ doc: { aliases } }: DistributionPlan, host: string): string {
  const exact = aliases.indexOf(host)
  if (exact >= 0) return `Aliases.Items[${exact}]`
  const wildcards = aliases.filter((alias) => alias.startsWith('*.') && host.endsWith(alias.slice(1)))
  const longest = wildcards.sort((one, other) => other.length - one.length)[0]
  return longest === undefined ? 'DomainName' : `Aliases.Items[${aliases.indexOf(longest)}]`
}
