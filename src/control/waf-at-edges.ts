//! What WAFv2 asks of all edges: samples, and whom rate-based rules refuse (services/service.ts: WafAtEdges).
import type { SamplesFound } from '../domain/waf/seen.ts'
import { rateRulePrefix } from '../edge/waf/statements/rate-based.ts'
import type { WafAtEdges } from '../services/service.ts'
import type { FeedServer } from './feed-server.ts'

/** Addresses that AWS tells of one rule, at most. */
const KEYS_MAX = 10_000

export function wafAtEdges(feed: Pick<FeedServer, 'ask'>): WafAtEdges {
  return {
    async samples({ webAcl, metric, from, to, max }) {
      const { answers } = await feed.ask({ kind: 'waf-samples', webAcl, metric, from, to, max })
      return merged(
        answers.flatMap(({ answer }) => (answer.kind === 'waf-samples' ? [answer.found] : [])),
        max,
      )
    },
    async rateLimited({ webAcl, group, rule }) {
      const { answers } = await feed.ask({
        ...{ kind: 'waf-rate-keys', ids: rateRulePrefix(webAcl, group, rule), max: KEYS_MAX },
      })
      const keys = answers.flatMap(({ answer }) => (answer.kind === 'waf-rate-keys' ? answer.keys : []))
      return [...new Set(keys)].slice(0, KEYS_MAX)
    },
  }
}

/** Newest first; what is too many leaves, and the others stand for it. */
function merged(found: readonly SamplesFound[], max: number): SamplesFound {
  const samples = found.flatMap((one) => one.samples).sort((a, b) => b.sample.at - a.sample.at)
  const population = found.reduce((sum, one) => sum + one.population, 0)
  if (samples.length <= max) return { population, samples }
  const share = samples.length / max
  const kept = Array.from({ length: max }, (_, at) => samples[Math.floor(at * share)]).filter(
    (one) => one !== undefined,
  )
  return { population, samples: kept.map(({ weight, sample }) => ({ weight: Math.round(weight * share), sample })) }
}
