//! What an edge at revision `from` must hear to be at the revision of the reader: a list of changes, or everything.
//! A change of a policy becomes changes of the distributions that name it. Status changes are commits too, but no news.
import type {
  CachePolicyConfig,
  DistributionConfig,
  OriginAccessControlConfig,
  OriginRequestPolicyConfig,
  ResponseHeadersPolicyConfig,
} from '@aws-sdk/client-cloudfront'
import type { ChallengeDoc, ChallengeRecord } from '../../domain/challenge.ts'
import type { DistributionDoc } from '../../domain/distribution.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Tags } from '../../domain/tags.ts'
import type { FeedChange } from '../../edge/feed-protocol.ts'
import type { Change, Reader } from '../../state/state.ts'
import { distributionDoc, policiesNamed } from './distribution-doc.ts'
import type { FieldEncryptionSources } from './field-encryption-doc.ts'
import type { FollowedKind, Policies } from './policy-docs.ts'
import type { Signers } from './signers-doc.ts'
import { webAclChanges } from './web-acl-changes.ts'

/** Every distribution as the edge serves it; one that cannot be served holds up no other: edges keep the one they have. */
export async function allDistributions(
  reader: Reader,
): Promise<{ readonly docs: readonly DistributionDoc[]; readonly kept: readonly string[] }> {
  const { docs, broken } = await compileAll(reader)
  return { docs, kept: [...broken.keys()] }
}

/** Distributions that no edge can be given, of these or of all, by id, with what is wrong, for a person. */
export async function brokenDistributions(
  reader: Reader,
  ids: ReadonlySet<string> | null = null,
): Promise<ReadonlyMap<string, string>> {
  return (await compileAll(reader, ids)).broken
}

async function compileAll(
  reader: Reader,
  ids: ReadonlySet<string> | null = null,
): Promise<{ docs: DistributionDoc[]; broken: Map<string, string> }> {
  const [all, tags] = await Promise.all([reader.list('distribution'), reader.list('tags')])
  const stored = ids === null ? all : all.filter(({ id }) => ids.has(id))
  const policies = await readPolicies(
    reader,
    stored.map(({ doc }) => doc),
  )
  const tagsOf = new Map(tags.map(({ id, doc }) => [id, doc.tags]))
  const docs: DistributionDoc[] = []
  const broken = new Map<string, string>()
  for (const { id, doc } of stored) {
    const compiled = compile(doc, policies, tagsOf.get(doc.arn))
    if (compiled instanceof Error) broken.set(id, compiled.message)
    else docs.push(compiled)
  }
  return { docs, broken }
}

function compile(record: DistributionRecord, policies: Policies, tags: Tags | undefined): DistributionDoc | Error {
  try {
    return distributionDoc(record, policies, tags)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/**
 * The news in `changes`, which are all that happened after `from`: web ACLs, distributions, then invalidations in order. Edges
 * take all of them at once.
 */
export async function feedChanges(reader: Reader, changes: readonly Change[], from: number): Promise<FeedChange[]> {
  const ids = (kind: Change['kind']) => new Set(changes.filter((c) => c.kind === kind).map((c) => c.id))
  const distributions = await changedDistributions(reader, ids('distribution'), from, {
    cache: ids('cache-policy'),
    originRequest: ids('origin-request-policy'),
    originAccess: ids('origin-access-control'),
    responseHeaders: ids('response-headers-policy'),
  })
  const invalidations = await newInvalidations(reader, ids('invalidation'), from)
  const challenges = await changedChallenges(reader, ids('challenge'))
  const webAcls = await webAclChanges(reader, changes, from)
  return [...webAcls, ...distributions, ...invalidations, ...switches(changes), ...challenges]
}

/** Of several switches of one place the last counts. */
const switches = (changes: readonly Change[]): FeedChange[] =>
  changes.flatMap(({ kind, id, deleted }) => (kind === 'place' ? [{ kind, name: id, down: !deleted }] : []))

async function changedChallenges(reader: Reader, ids: ReadonlySet<string>): Promise<FeedChange[]> {
  const news: FeedChange[] = []
  for (const id of ids) {
    const stored = await reader.get('challenge', id)
    news.push({ kind: 'challenge', id, challenge: stored === undefined ? null : challengeDoc(stored.doc) })
  }
  return news
}

/** What edges get of it. */
export const challengeDoc = ({ kind, name, token, content }: ChallengeRecord): ChallengeDoc => ({
  ...{ kind, name, token, content },
})

async function changedDistributions(
  reader: Reader,
  ids: ReadonlySet<string>,
  from: number,
  changed: Readonly<Record<FollowedKind, ReadonlySet<string>>>,
): Promise<FeedChange[]> {
  const kinds = (Object.keys(changed) as FollowedKind[]).filter((kind) => changed[kind].size > 0)
  const policyChanged = kinds.length > 0
  if (ids.size === 0 && !policyChanged) return []
  const news: FeedChange[] = []
  const wanted = new Map<string, Awaited<ReturnType<typeof reader.get<'distribution'>>>>()
  for (const id of ids) {
    const stored = await reader.get('distribution', id)
    if (stored === undefined) news.push({ kind: 'distribution', id, distribution: null })
    else if (stored.doc.changedRevision > from) wanted.set(id, stored)
  }
  if (policyChanged) {
    for (const stored of await reader.list('distribution')) {
      const named = policiesNamed(stored.doc.config as DistributionConfig)
      if (kinds.some((kind) => [...named[kind]].some((id) => changed[kind].has(id)))) wanted.set(stored.id, stored)
    }
  }
  if (wanted.size === 0) return news
  const policies = await readPolicies(
    reader,
    [...wanted.values()].flatMap((stored) => stored?.doc ?? []),
  )
  for (const [id, stored] of wanted) {
    if (stored === undefined) continue
    // A broken one is no news: edges go on with the version they have, and health names it (tasks/deploy.ts).
    const distribution = compile(stored.doc, policies, (await reader.get('tags', stored.doc.arn))?.doc.tags)
    if (!(distribution instanceof Error)) news.push({ kind: 'distribution', id, distribution })
  }
  return news
}

async function newInvalidations(reader: Reader, ids: ReadonlySet<string>, from: number): Promise<FeedChange[]> {
  const news: Extract<FeedChange, { kind: 'invalidation' }>[] = []
  const forgetful = new Set<string>()
  for (const key of ids) {
    const stored = await reader.get('invalidation', key)
    if (stored === undefined) forgetful.add(key.slice(0, key.indexOf('/')))
    // Known already: only its status has changed since.
    if (stored === undefined || stored.doc.createdRevision <= from) continue
    const { id, distributionId, paths, tagHeader, soft, createdRevision } = stored.doc
    const tagged = tagHeader === undefined ? {} : { tagHeader }
    const invalidation = { id, distributionId, paths, ...tagged, ...(soft ? { soft } : {}) }
    news.push({ kind: 'invalidation', revision: createdRevision, invalidation })
  }
  for (const distributionId of forgetful) {
    // Gone with its distribution; or no longer kept, and from before this edge went away or not.
    const revision = (await reader.get('distribution', distributionId))?.doc.invalidationsForgotten ?? 0
    if (revision <= from) continue
    news.push({ kind: 'invalidation', revision, invalidation: { id: 'forgotten', distributionId, paths: ['/*'] } })
  }
  return news.sort((a, b) => a.revision - b.revision)
}

/** What `distributions` name. */
async function readPolicies(reader: Reader, distributions: readonly DistributionRecord[]): Promise<Policies> {
  const [cache, originRequest, responseHeaders, originAccess, deployment, trustStores, certificates, signers] =
    await Promise.all([
      reader.list('cache-policy'),
      reader.list('origin-request-policy'),
      reader.list('response-headers-policy'),
      reader.list('origin-access-control'),
      reader.list('continuous-deployment-policy'),
      reader.list('trust-store'),
      reader.list('certificate'),
      readSigners(reader),
    ])
  return {
    cache: new Map(cache.map(({ id, doc }) => [id, doc.config as CachePolicyConfig])),
    originRequest: new Map(originRequest.map(({ id, doc }) => [id, doc.config as OriginRequestPolicyConfig])),
    responseHeaders: new Map(responseHeaders.map(({ id, doc }) => [id, doc.config as ResponseHeadersPolicyConfig])),
    originAccess: new Map(originAccess.map(({ id, doc }) => [id, doc.config as OriginAccessControlConfig])),
    deployment: new Map(deployment.map(({ id, doc }) => [id, doc])),
    trustStores: new Map(trustStores.map(({ id, doc }) => [id, doc])),
    certificates: new Map(certificates.map(({ id, doc }) => [id, doc])),
    fieldEncryption: await readFieldEncryption(reader),
    signers,
    webAcls: await webAclsThere(reader, distributions),
  }
}

/** Which of the web ACLs that the distributions name are there. */
async function webAclsThere(reader: Reader, distributions: readonly DistributionRecord[]): Promise<Set<string>> {
  const there = new Set<string>()
  for (const arn of new Set(distributions.flatMap(({ config }) => (config as DistributionConfig).WebACLId || []))) {
    if ((await reader.get('web-acl', arn)) !== undefined) there.add(arn)
  }
  return there
}

async function readFieldEncryption(reader: Reader): Promise<FieldEncryptionSources> {
  const [configs, profiles, publicKeys] = await Promise.all([
    reader.list('field-encryption-config'),
    reader.list('field-encryption-profile'),
    reader.list('public-key'),
  ])
  return {
    configs: new Map(configs.map(({ id, doc }) => [id, doc])),
    profiles: new Map(profiles.map(({ id, doc }) => [id, doc])),
    publicKeys: new Map(publicKeys.map(({ id, doc }) => [id, doc])),
  }
}

async function readSigners(reader: Reader): Promise<Signers> {
  const [keyGroups, publicKeys, keyPairs] = await Promise.all([
    reader.list('key-group'),
    reader.list('public-key'),
    reader.list('signer-key-pair'),
  ])
  return {
    keyGroups: new Map(keyGroups.map(({ id, doc }) => [id, doc])),
    publicKeys: new Map(publicKeys.map(({ id, doc }) => [id, doc])),
    keyPairs: keyPairs.map(({ doc }) => doc),
  }
}
