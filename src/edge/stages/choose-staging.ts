//! Continuous deployment (spec/cloudfront.md 3.1 step 4): the primary distribution or its staging one, for a distribution
//! with a policy; staging-choice.ts decides. From here on the staging distribution is the request's own: its behaviors,
//! cache, origins and log lines.

import { firstCheck } from '../access/first-check.ts'
import { meets } from '../listen/tls/client-met.ts'
import { SESSION_COOKIE } from '../session-cookie.ts'
import { sessionCookies, withoutSession } from '../session-header.ts'
import type { DistributionPlan, StagingPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'
import { chooseStaging } from '../staging-choice.ts'

export const chooseStagingStage = stage({
  name: to.chooseStaging,
  next: [to.accessWaf, to.accessGeo, to.rootObject],
  run(x, edge) {
    const primary = x.distribution as DistributionPlan
    const policy = primary.staging as StagingPlan
    const { headers } = x.request
    const sessions = sessionCookies(headers)
    const facts = { headers, sessions, nowMs: edge.clock.now(), roll: edge.random }
    const { toStaging, field, value, session } = chooseStaging(policy, facts)
    const staging = x.snapshot.distributions.get(policy.stagingId)
    if (x.watcher !== null) {
      x.watcher.decided('ContinuousDeploymentPolicyId', policy.policyId)
      x.watcher.decided(field, value)
      x.watcher.note('primary', primary.id)
    }
    if (sessions.length > 0) x.request = { ...x.request, headers: withoutSession(headers) }
    if (session !== null) {
      const secure = x.request.connection.scheme === 'https' ? '; Secure' : ''
      x.setCookie = `\r\nSet-Cookie: ${SESSION_COOKIE}=${session.value}; Path=/; Max-Age=${session.maxAge}; HttpOnly${secure}`
    }
    if (!toStaging) return firstCheck(x)
    // What AWS does with a staging distribution that is disabled is unconfirmed: here the primary serves.
    // The handshake was the primary's: where the staging one asks for other certificates, nobody has been asked for them.
    const met = meets(x.request.connection.tls, staging?.tls.client ?? null, edge.clock.wall())
    if (staging?.enabled === true && met) {
      x.distribution = staging
      x.primary = primary
    } else {
      const why =
        staging === undefined ? 'not there' : staging.enabled ? 'asks for other client certificates' : 'disabled'
      x.watcher?.note('staging', why)
    }
    return firstCheck(x)
  },
})
