//! Continuous deployment (spec/cloudfront.md 3.1 step 4, 15): whether a request of a primary distribution goes to its
//! staging distribution. PURE: the request's fields, the time and the dice are given.
import { readSession, type Session, writeSession } from './session-cookie.ts'
import type { StagingPlan } from './snapshot/snapshot.ts'

export interface StagingFacts {
  /** Values of a header, by its lower-case name. */
  readonly headers: { getAll(name: string): readonly string[] }
  /** Values of the session cookie in the order that they came. */
  readonly sessions: readonly string[]
  /** Milliseconds since 1970. */
  readonly nowMs: number
  /** From 0 to below 1; rolled once for a request that begins a session, or has none. */
  readonly roll: () => number
}

export interface StagingChoice {
  readonly toStaging: boolean
  /** What of the policy decided, and how. */
  readonly field: string
  readonly value: string | number
  /** To be set for the viewer, with its lifetime in seconds; null for no session. */
  readonly session: { readonly value: string; readonly maxAge: number } | null
}

const HEADER = 'TrafficConfig.SingleHeaderConfig'
const WEIGHT = 'TrafficConfig.SingleWeightConfig'

/** A clock may be this many seconds ahead of another worker's. */
const AHEAD_MAX = 60

export function chooseStaging({ traffic, sessionSecret }: StagingPlan, facts: StagingFacts): StagingChoice {
  if (traffic.kind === 'header') {
    // The value counts as it is; a header that came several times has several.
    const toStaging = facts.headers.getAll(traffic.header).includes(traffic.value)
    return {
      toStaging,
      field: HEADER,
      value: `${traffic.header}: ${toStaging ? 'matches' : 'does not match'}`,
      session: null,
    }
  }
  const { share, sticky } = traffic
  if (sticky === null || sessionSecret === null) {
    return { toStaging: facts.roll() < share, field: `${WEIGHT}.Weight`, value: share, session: null }
  }
  const now = Math.floor(facts.nowMs / 1000)
  const alive = sessionIn(facts.sessions, sessionSecret, now, sticky)
  const session: Session =
    alive === null
      ? { toStaging: facts.roll() < share, begunAt: now, usedAt: now }
      : { ...alive, usedAt: Math.max(now, alive.usedAt) }
  const left = sticky.maximumSeconds - (now - session.begunAt)
  return {
    toStaging: session.toStaging,
    field: alive === null ? `${WEIGHT}.Weight` : `${WEIGHT}.SessionStickinessConfig`,
    value: alive === null ? share : `session of ${now - session.begunAt} s`,
    session: { value: writeSession(session, sessionSecret), maxAge: Math.min(sticky.idleSeconds, left) },
  }
}

/** The first session that is ours and neither idle nor over. */
function sessionIn(
  values: readonly string[],
  secret: Uint8Array,
  now: number,
  { idleSeconds, maximumSeconds }: { readonly idleSeconds: number; readonly maximumSeconds: number },
): Session | null {
  for (const value of values) {
    const session = readSession(value, secret)
    if (session === null || session.usedAt > now + AHEAD_MAX) continue
    if (now - session.usedAt < idleSeconds && now - session.begunAt < maximumSeconds) return session
  }
  return null
}
