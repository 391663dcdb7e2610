//! Web ACLs for edges: those that distributions name, whole or as news. A change of a set or of a rule group is one of the
//! web ACLs that name it.
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import type { RuleGroupRecord, WebAclRecord } from '../../domain/waf/records.ts'
import type { WebAclDoc } from '../../domain/waf/web-acl.ts'
import type { FeedChange } from '../../edge/feed-protocol.ts'
import type { Change, Reader } from '../../state/state.ts'
import { reachOf, webAclDoc } from './web-acl-doc.ts'

/** Kinds of documents whose changes are news of web ACLs. */
export const WEB_ACL_KINDS = ['web-acl', 'ip-set', 'regex-pattern-set', 'rule-group'] as const

const isWebAclKind = (kind: string): boolean => (WEB_ACL_KINDS as readonly string[]).includes(kind)

/** Every web ACL that a distribution names. */
export async function allWebAcls(reader: Reader): Promise<WebAclDoc[]> {
  const docs: WebAclDoc[] = []
  for (const arn of await namedWebAcls(reader)) {
    const record = (await reader.get('web-acl', arn))?.doc
    if (record !== undefined) docs.push(await docOf(reader, record))
  }
  return docs
}

/** ARNs of the web ACLs that distributions name, there or not. */
async function namedWebAcls(reader: Reader): Promise<Set<string>> {
  const all = await reader.list('distribution')
  return new Set(all.flatMap(({ doc }) => (doc.config as DistributionConfig).WebACLId || []))
}

/** News of web ACLs in `changes`, which are all that happened after `from`. */
export async function webAclChanges(reader: Reader, changes: readonly Change[], from: number): Promise<FeedChange[]> {
  const changed = new Set(changes.flatMap(({ kind, id }) => (isWebAclKind(kind) ? id : [])))
  const renamed = await newlyNamed(reader, changes, from)
  if (changed.size === 0 && renamed === null) return []
  const named = await namedWebAcls(reader)
  const news: FeedChange[] = []
  for (const arn of named) {
    const record = (await reader.get('web-acl', arn))?.doc
    if (record === undefined) continue
    if (renamed?.has(arn) === true || changed.has(arn) || (await reaches(reader, record, changed))) {
      news.push({ kind: 'web-acl', arn, webAcl: await docOf(reader, record) })
    }
  }
  const gone = changes.filter(({ kind, deleted }) => kind === 'web-acl' && deleted).map(({ id }) => id)
  // Which one a distribution named before nobody remembers: of all that none names now, edges forget what they had.
  const unnamed = renamed === null ? [] : (await reader.list('web-acl')).map(({ id }) => id)
  for (const arn of new Set([...gone, ...unnamed])) {
    if (!named.has(arn)) news.push({ kind: 'web-acl', arn, webAcl: null })
  }
  return news
}

/** Web ACLs that distributions name which have changed since `from`; null when no distribution has changed. */
async function newlyNamed(reader: Reader, changes: readonly Change[], from: number): Promise<Set<string> | null> {
  const ids = new Set(changes.flatMap(({ kind, id }) => (kind === 'distribution' ? id : [])))
  let named: Set<string> | null = null
  for (const id of ids) {
    const record = (await reader.get('distribution', id))?.doc
    // Known already: only its status has changed since.
    if (record !== undefined && record.changedRevision <= from) continue
    named ??= new Set()
    const { WebACLId: arn } = (record?.config ?? {}) as DistributionConfig
    if (arn) named.add(arn)
  }
  return named
}

/** Whether the web ACL names one of `changed`, itself or through a rule group. */
async function reaches(reader: Reader, record: WebAclRecord, changed: ReadonlySet<string>): Promise<boolean> {
  const groups = await groupsOf(reader, record)
  const { ipSets, regexSets, ruleGroups } = reachOf(record, (arn) => groups.get(arn))
  return [...ipSets, ...regexSets, ...ruleGroups].some((arn) => changed.has(arn))
}

async function groupsOf(reader: Reader, record: WebAclRecord): Promise<ReadonlyMap<string, RuleGroupRecord>> {
  return read(reader, 'rule-group', reachOf(record, () => undefined).ruleGroups)
}

async function docOf(reader: Reader, record: WebAclRecord): Promise<WebAclDoc> {
  const groups = await groupsOf(reader, record)
  const reach = reachOf(record, (arn) => groups.get(arn))
  const ipSets = await read(reader, 'ip-set', reach.ipSets)
  const regexSets = await read(reader, 'regex-pattern-set', reach.regexSets)
  return webAclDoc(record, {
    ipSet: (arn) => ipSets.get(arn),
    regexSet: (arn) => regexSets.get(arn),
    ruleGroup: (arn) => groups.get(arn),
  })
}

async function read<K extends 'ip-set' | 'regex-pattern-set' | 'rule-group'>(
  reader: Reader,
  kind: K,
  arns: Iterable<string>,
) {
  const found = new Map<string, NonNullable<Awaited<ReturnType<typeof reader.get<K>>>>['doc']>()
  for (const arn of arns) {
    const stored = await reader.get(kind, arn)
    if (stored !== undefined) found.set(arn, stored.doc)
  }
  return found
}
