//! How often the rules of web ACLs did what, at all live workers; those that do not answer in time are named.
import type { RuleCount } from '../domain/waf/seen.ts'
import type { FeedServer } from './feed-server.ts'

/** Of all workers together, the busiest rules first. */
export async function ruleCounts(
  feed: Pick<FeedServer, 'ask'>,
): Promise<{ readonly rules: readonly RuleCount[]; readonly missing: readonly string[] }> {
  const { answers, missing } = await feed.ask({ kind: 'waf-rules' })
  const all = new Map<string, RuleCount>()
  for (const { answer } of answers) {
    if (answer.kind !== 'waf-rules') continue
    for (const one of answer.rules) {
      const key = `${one.webAcl}\n${one.rule}`
      const before = all.get(key)
      all.set(key, before === undefined ? one : { ...one, counts: added(before.counts, one.counts) })
    }
  }
  const total = ({ counts }: RuleCount): number => Object.values(counts).reduce((sum, count) => sum + count, 0)
  return { rules: [...all.values()].sort((one, other) => total(other) - total(one)), missing }
}

const added = (one: RuleCount['counts'], other: RuleCount['counts']): RuleCount['counts'] => ({
  allow: one.allow + other.allow,
  block: one.block + other.block,
  count: one.count + other.count,
  captcha: one.captcha + other.captcha,
  challenge: one.challenge + other.challenge,
})
