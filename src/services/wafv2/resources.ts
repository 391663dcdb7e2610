//! What web ACLs, rule groups, IP sets and regex pattern sets have in common: ARNs, lock tokens, names that are unique, quotas.
import type { Tag } from '@aws-sdk/client-wafv2'
import type { QuotaName } from '../../domain/quotas.ts'
import { wafFault } from '../../domain/waf/faults.ts'
import type { IpSetRecord, RegexPatternSetRecord, RuleGroupRecord, WebAclRecord } from '../../domain/waf/records.ts'
import { uuid } from '../../lib/ids.ts'
import type { Documents } from '../../state/kinds.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { type PageInput, page } from './paging.ts'
import { overLimit } from './refusals.ts'
import { requireScope } from './scope.ts'
import { tagsWith, writeTags } from './tagging.ts'

export type WafKind = 'web-acl' | 'ip-set' | 'regex-pattern-set' | 'rule-group'

/** By kind: how its ARN calls it, how many there may be, how people call it. */
const KINDS: Readonly<Record<WafKind, { readonly type: string; readonly quota: QuotaName; readonly noun: string }>> = {
  'web-acl': { type: 'webacl', quota: 'webAcls', noun: 'web ACL' },
  'ip-set': { type: 'ipset', quota: 'ipSets', noun: 'IP set' },
  'regex-pattern-set': { type: 'regexpatternset', quota: 'regexPatternSets', noun: 'regex pattern set' },
  'rule-group': { type: 'rulegroup', quota: 'wafRuleGroups', noun: 'rule group' },
}

/** Those of CloudFront are of us-east-1, and global. */
export const wafArn = (accountId: string, kind: WafKind, name: string, id: string): string =>
  `arn:aws:wafv2:us-east-1:${accountId}:global/${KINDS[kind].type}/${name}/${id}`

/** What labels of its rules begin with. */
export const labelNamespace = (accountId: string, kind: 'web-acl' | 'rule-group', name: string): string =>
  `awswaf:${accountId}:${KINDS[kind].type}:${name}:`

export const missing = (what: string): Error =>
  wafFault(
    'WAFNonexistentItemException',
    `AWS WAF couldn't perform the operation because your resource doesn't exist: ${what.slice(0, 300)}.`,
  )

interface Named {
  readonly Name?: string | undefined
  readonly Id?: string | undefined
  readonly ARN?: string | undefined
  readonly Scope?: string | undefined
}

/** @throws WAFNonexistentItemException; NotImplemented for another scope */
export async function find<K extends WafKind>(
  reader: Reader,
  kind: K,
  { Name: name = '', Id: id = '', ARN: given, Scope: scope }: Named,
  { accountId }: Pick<ServiceContext, 'accountId'>,
): Promise<Documents[K]> {
  if (given === undefined) requireScope(scope)
  const arn = given ?? wafArn(accountId, kind, name, id)
  const stored = await reader.get(kind, arn)
  if (stored === undefined) throw missing(`there is no ${KINDS[kind].noun} ${given ?? `${name} with the id ${id}`}`)
  return stored.doc
}

/** As find, and the caller has seen its newest version. @throws WAFOptimisticLockException */
export async function findLocked<K extends WafKind>(
  reader: Reader,
  kind: K,
  named: Named & { readonly LockToken?: string | undefined },
  context: Pick<ServiceContext, 'accountId'>,
): Promise<Documents[K]> {
  const record = await find(reader, kind, named, context)
  if (record.lockToken === named.LockToken) return record
  throw wafFault(
    'WAFOptimisticLockException',
    "AWS WAF couldn't save your changes because someone changed the resource after you started to edit it. Get it again for its new lock token, and reapply your changes.",
  )
}

/** What a new resource is known by. */
export interface Identity {
  readonly arn: string
  readonly id: string
  readonly name: string
  readonly lockToken: string
}

/** A new resource, and its tags. @throws WAFDuplicateItemException, WAFLimitsExceededException, WAFTagOperationException */
export async function add<K extends WafKind>(
  tx: Transaction,
  kind: K,
  { Name: name = '', Tags: tags }: { readonly Name?: string | undefined; readonly Tags?: readonly Tag[] | undefined },
  { accountId, quotas }: Pick<ServiceContext, 'accountId' | 'quotas'>,
  make: (identity: Identity) => Documents[K],
): Promise<Documents[K]> {
  const { noun, quota } = KINDS[kind]
  const others = await tx.list(kind)
  if (others.some(({ doc }) => doc.name === name)) {
    throw wafFault(
      'WAFDuplicateItemException',
      `AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an existing one: there is a ${noun} named ${name}.`,
    )
  }
  if (others.length >= quotas[quota]) throw overLimit(`${noun}s of the account`, quotas[quota])
  const id = uuid()
  const record = make({ arn: wafArn(accountId, kind, name, id), id, name, lockToken: uuid() })
  await tx.put(kind, record.arn, record)
  await writeTags(tx, record.arn, tagsWith({}, tags))
  return record
}

/** Writes another version. @returns its lock token */
export async function replace<K extends WafKind>(tx: Transaction, kind: K, record: Documents[K]): Promise<string> {
  const lockToken = uuid()
  await tx.put(kind, record.arn, { ...record, lockToken })
  return lockToken
}

export async function remove(tx: Transaction, kind: WafKind, arn: string): Promise<void> {
  await tx.delete(kind, arn)
  await tx.delete('tags', arn)
}

/** @param users for a person, e.g. ARNs. @throws WAFAssociatedItemException when there are any */
export function requireUnused(arn: string, users: readonly string[]): void {
  if (users.length === 0) return
  const shown = users.slice(0, 10).join(', ')
  throw wafFault(
    'WAFAssociatedItemException',
    `AWS WAF couldn't perform the operation because your resource is being used by another resource: ${arn} is named by ${shown}.`,
  )
}

export interface Summary {
  readonly Name: string
  readonly Id: string
  readonly Description: string
  readonly LockToken: string
  readonly ARN: string
}

export const summaryOf = (
  record: Identity,
  { Description = '' }: { readonly Description?: string | undefined },
): Summary => ({
  Name: record.name,
  Id: record.id,
  Description,
  LockToken: record.lockToken,
  ARN: record.arn,
})

/** A page of a kind's resources, by name. */
export async function pageOf<K extends WafKind>(
  reader: Reader,
  kind: K,
  input: PageInput & { readonly Scope?: string | undefined },
): Promise<{ readonly records: readonly Documents[K][]; readonly next: { readonly NextMarker?: string } }> {
  requireScope(input.Scope)
  const all = (await reader.list(kind)).map(({ doc }) => doc).sort((a, b) => (a.name < b.name ? -1 : 1))
  const { items, next } = page(all, ({ name }) => name, input)
  return { records: items, next }
}

export type WafRecord = WebAclRecord | IpSetRecord | RegexPatternSetRecord | RuleGroupRecord

/** The resource of any kind that an ARN names. @throws WAFNonexistentItemException */
export async function findByArn(reader: Reader, arn: string): Promise<WafRecord> {
  for (const kind of Object.keys(KINDS) as WafKind[]) {
    const stored = await reader.get(kind, arn)
    if (stored !== undefined) return stored.doc
  }
  throw missing(`nothing of WAF has the ARN ${arn}`)
}
