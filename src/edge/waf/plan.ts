//! A web ACL compiled: what is evaluated for each request of its distributions. Immutable; made once of a document.
import type { WebAclDoc } from '../../domain/waf/web-acl.ts'
import type { Matcher } from './matcher.ts'

export interface WebAclPlan {
  readonly doc: WebAclDoc
  readonly arn: string
  /** Why it cannot be evaluated: the requests of its distributions are refused. Null when it can. */
  readonly broken: string | null
  /** In order of priority. */
  readonly rules: readonly RulePlan[]
  /** Allow or Block. */
  readonly defaultAction: ActionPlan
  /** Bytes of a body that its rules look at. */
  readonly bodyLimit: number
  /** A rule asks where an address is. */
  readonly locates: boolean
}

export interface RulePlan {
  readonly name: string
  readonly priority: number
  readonly metricName: string
  /** VisibilityConfig.SampledRequestsEnabled */
  readonly sampled: boolean
  /** Fully qualified names of the labels that a match adds. */
  readonly labels: readonly string[]
  /** It cannot be evaluated before the body has been read. */
  readonly needsBody: boolean
  /** Of a rule that refers to a group: the group's scope-down statement. */
  readonly matches: Matcher
  /** What a match does; of a rule that refers to a group, Count when the group's result only counts, otherwise null. */
  readonly action: ActionPlan | null
  readonly group: GroupPlan | null
  /** Its statement is a RateBasedStatement. */
  readonly rateBased: boolean
  /** Seconds that a token of the CAPTCHA and of the challenge is good for; null where only the web ACL says so. */
  readonly captchaSeconds: number | null
  readonly challengeSeconds: number | null
}

export interface GroupPlan {
  /** ARN of a rule group; `VENDOR#NAME` of a managed one, as WAF logs have it. */
  readonly id: string
  /** In order of priority, overrides put in. */
  readonly rules: readonly RulePlan[]
  /** Null for a group that looks at every request. */
  readonly scopeDown: Matcher | null
  readonly needsBody: boolean
}

export type HeaderPair = readonly [name: string, value: string]

export type ActionKind = 'ALLOW' | 'BLOCK' | 'COUNT' | 'CAPTCHA' | 'CHALLENGE'

export interface ActionPlan {
  readonly kind: ActionKind
  /** CustomRequestHandling.InsertHeaders, names with their prefix. */
  readonly inserts: readonly HeaderPair[]
  /** Of a block: what is answered; null for the edge's page. */
  readonly response: CustomResponsePlan | null
  /** The rule's own action is another one: an override of the group's reference, or its ExcludedRules. */
  readonly overridden: 'override' | 'excluded' | null
  /** The rule's own action, then. */
  readonly replaces?: ActionKind
}

export interface CustomResponsePlan {
  readonly status: number
  readonly contentType: string
  /** One character a byte. */
  readonly body: string
  readonly headers: readonly HeaderPair[]
}

/** A rule that matched and let the evaluation go on. */
export interface CountedRule {
  readonly rule: RulePlan
  /** Rule of the web ACL that refers to the group that `rule` is in; null for a rule of the web ACL itself. */
  readonly within: RulePlan | null
  /** What it would have done without an override; COUNT, and CAPTCHA or CHALLENGE of a request that has its token. */
  readonly kind: ActionKind
}

/** What the web ACL says of a request. */
export interface Verdict {
  readonly action: Exclude<ActionKind, 'COUNT'>
  /** The rule that ended the evaluation; null for the default action. */
  readonly rule: RulePlan | null
  /** Rule of the web ACL that refers to the group that `rule` is in. */
  readonly within: RulePlan | null
  readonly response: CustomResponsePlan | null
  /** Name, value, name, value ...: fields that go to the origin with the request. */
  readonly inserts: readonly HeaderPair[]
  /** `rule` could not be evaluated, which counts as a match. */
  readonly failed: boolean
}
