//! A stored web ACL and what its rules name to the document that edges evaluate. PURE: values in, value out.
import type { IpSetRecord, RegexPatternSetRecord, RuleGroupRecord, WebAclRecord } from '../../domain/waf/records.ts'
import { type References, referencesOf } from '../../domain/waf/references.ts'
import type { RuleGroupDoc, StoredRule, WebAclDoc } from '../../domain/waf/web-acl.ts'

/** By ARN, what rules may name. */
export interface WebAclSources {
  ipSet(arn: string): IpSetRecord | undefined
  regexSet(arn: string): RegexPatternSetRecord | undefined
  ruleGroup(arn: string): RuleGroupRecord | undefined
}

/** All that the web ACL names, and what its rule groups name. */
export function reachOf(record: WebAclRecord, ruleGroup: (arn: string) => RuleGroupRecord | undefined): References {
  const own = record.acl.Rules ?? []
  const { ruleGroups } = referencesOf(own)
  const inGroups = [...ruleGroups].flatMap((arn): readonly StoredRule[] => ruleGroup(arn)?.group.Rules ?? [])
  return referencesOf([...own, ...inGroups])
}

/** What is not there is left out: an edge then refuses the requests of the web ACL (services let nothing go that is in use). */
export function webAclDoc(record: WebAclRecord, sources: WebAclSources): WebAclDoc {
  const { arn, id, name, acl, logging } = record
  const { ipSets, regexSets, ruleGroups } = reachOf(record, (group) => sources.ruleGroup(group))
  return {
    ...{ arn, id, name, acl },
    ipSets: each(ipSets, (set) => sources.ipSet(set)?.set.Addresses),
    regexSets: each(regexSets, (set) =>
      sources.regexSet(set)?.set.RegularExpressionList?.flatMap(({ RegexString }) => RegexString ?? []),
    ),
    ruleGroups: each(ruleGroups, (group) => ruleGroupDoc(sources.ruleGroup(group))),
    ...(logging === undefined ? {} : { logging }),
  }
}

const ruleGroupDoc = (record: RuleGroupRecord | undefined): RuleGroupDoc | undefined =>
  record === undefined
    ? undefined
    : {
        arn: record.arn,
        name: record.name,
        rules: record.group.Rules ?? [],
        customResponseBodies: record.group.CustomResponseBodies ?? {},
      }

function each<T>(arns: Iterable<string>, find: (arn: string) => T | undefined): Readonly<Record<string, T>> {
  const found: Record<string, T> = {}
  for (const arn of arns) {
    const one = find(arn)
    if (one !== undefined) found[arn] = one
  }
  return found
}
