//! What edges tell of requests that web ACLs looked at.

export type ChallengeKind = 'CAPTCHA' | 'CHALLENGE'

export interface NameValue {
  readonly name: string
  readonly value: string
}

/** One request as GetSampledRequests tells it. */
export interface Sample {
  /** Milliseconds since the epoch, by the movable clock. */
  readonly at: number
  /** ALLOW, BLOCK, CAPTCHA, CHALLENGE, COUNT */
  readonly action: string
  readonly clientIp: string
  /** `-` where it is not known. */
  readonly country: string
  readonly uri: string
  readonly method: string
  /** `HTTP/1.1` */
  readonly httpVersion: string
  /** Values of credentials are masked. */
  readonly headers: readonly NameValue[]
  readonly ruleNameWithinRuleGroup: string | null
  readonly inserted: readonly NameValue[]
  readonly responseCodeSent: number | null
  readonly labels: readonly string[]
  /** What the rule would have done without an override; null without one. */
  readonly overriddenAction: string | null
  readonly captcha: ChallengeSeen | null
  readonly challenge: ChallengeSeen | null
}

export interface ChallengeSeen {
  /** 0 when it passed. */
  readonly responseCode: number
  /** Seconds since the epoch; 0 for never. */
  readonly solveTimestamp: number
  readonly failureReason: string | null
}

export interface SamplesFound {
  /** Requests of the time asked for. */
  readonly population: number
  /** `weight`: requests that each stands for. */
  readonly samples: readonly { readonly weight: number; readonly sample: Sample }[]
}

export type RuleOutcome = 'allow' | 'block' | 'count' | 'captcha' | 'challenge'

export interface RuleCount {
  /** ARN of the web ACL. */
  readonly webAcl: string
  /** `RULE`, `GROUP-RULE/RULE`; `Default_Action`. */
  readonly rule: string
  readonly counts: Readonly<Record<RuleOutcome, number>>
}
