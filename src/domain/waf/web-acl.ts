//! A web ACL as edges evaluate it: the rules as AWS's model has them, with what they name by ARN beside them, so that nothing
//! is left to look up. It travels by itself: many distributions may name one, and its IP sets may be large.
import type { LoggingConfiguration, Rule, WebACL } from '@aws-sdk/client-wafv2'

/** A structure of the SDK as JSON holds it: bytes (SearchString) are base64 text. What the model requires is there. */
export type Stored<T> = T extends Uint8Array
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Stored<Item>[]
    : T extends object
      ? { readonly [Name in keyof T]: Stored<Exclude<T[Name], undefined>> }
      : T

export type StoredRule = Stored<Rule>

export interface WebAclDoc {
  readonly arn: string
  readonly id: string
  readonly name: string
  /** DefaultAction, Rules, CustomResponseBodies, CaptchaConfig, ChallengeConfig, TokenDomains, AssociationConfig ... */
  readonly acl: Stored<WebACL>
  /** Members of the IP sets that its rules name, by ARN: CIDRs. */
  readonly ipSets: Readonly<Record<string, readonly string[]>>
  /** Expressions of the regex pattern sets that its rules name, by ARN. */
  readonly regexSets: Readonly<Record<string, readonly string[]>>
  /** The account's own rule groups that its rules name, by ARN. */
  readonly ruleGroups: Readonly<Record<string, RuleGroupDoc>>
  /** Where each request that it has looked at is logged; absent for nowhere. */
  readonly logging?: WafLoggingDoc
}

export interface RuleGroupDoc {
  readonly arn: string
  readonly name: string
  readonly rules: readonly StoredRule[]
  readonly customResponseBodies: Stored<NonNullable<WebACL['CustomResponseBodies']>>
}

/** LoggingConfiguration (PutLoggingConfiguration). */
export type WafLoggingDoc = Stored<LoggingConfiguration>
