//! WAF's resources as they are stored, by ARN: what the user gave in AWS's own shape, bytes as base64 text, and the lock
//! token that the next change must name. Times are ISO 8601 strings.
import type { IPSet, RegexPatternSet, RuleGroup, WebACL } from '@aws-sdk/client-wafv2'
import type { Stored, WafLoggingDoc } from './web-acl.ts'

interface Locked {
  readonly arn: string
  /** UUID. */
  readonly id: string
  readonly name: string
  /** UUID; another after each change. */
  readonly lockToken: string
}

export interface WebAclRecord extends Locked {
  /** With Capacity and LabelNamespace. */
  readonly acl: Stored<WebACL>
  /** PutLoggingConfiguration; absent for none. It has no part in the lock token. */
  readonly logging?: WafLoggingDoc
}

export interface IpSetRecord extends Locked {
  readonly set: Stored<IPSet>
}

export interface RegexPatternSetRecord extends Locked {
  readonly set: Stored<RegexPatternSet>
}

export interface RuleGroupRecord extends Locked {
  /** Capacity is what was reserved when it was made, however much its rules take. */
  readonly group: Stored<RuleGroup>
}
