//! What policies of all kinds have in common: create, read, replace, delete and list by name, beside AWS's managed ones
//! (spec/cloudfront.md 1.2, 1.5, 2.7). cache-policies.ts, origin-request-policies.ts and response-headers-policies.ts
//! give it their own words.
import { type CloudfrontCode, cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { PolicyRecord } from '../../domain/records.ts'
import { uuid } from '../../lib/ids.ts'
import type { Reader } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { newEtag, requireMatch } from './entity-tag.ts'
import type { Order } from './paging.ts'
import { distributionsNaming, type NamedKind } from './policy-references.ts'

/** What differs between the kinds. */
export interface PolicyKind<Config> {
  readonly kind: NamedKind
  readonly codes: {
    readonly missing: CloudfrontCode
    readonly exists: CloudfrontCode
    readonly inUse: CloudfrontCode
    readonly tooMany: CloudfrontCode
  }
  /** AWS's own. One whose settings are not `published` is listed by its name and cannot be used. */
  readonly managed: readonly {
    readonly id: string
    readonly name: string
    readonly config: Config
    readonly published: boolean
  }[]
  /** The configuration with every field; throws what is wrong with it. */
  accepted(given: Config, quotas: Quotas): Config
}

export interface Policy<Config> {
  readonly id: string
  readonly etag: string
  readonly lastModifiedTime: Date
  readonly config: Config
  readonly type: 'managed' | 'custom'
}

/** Managed policies never change here; what AWS says of theirs is of no use to anybody. */
const MANAGED_SINCE = new Date('2020-08-07T00:00:00Z')

const custom = <Config>(record: PolicyRecord): Policy<Config> => ({
  id: record.id,
  etag: record.etag,
  lastModifiedTime: new Date(record.lastModifiedTime),
  config: record.config as Config,
  type: 'custom',
})

/** A managed policy keeps one ETag: its id in the form of one. */
const managed = <Config>(id: string, config: Config): Policy<Config> => ({
  id,
  etag: `E${id.replaceAll('-', '').slice(0, 13).toUpperCase()}`,
  lastModifiedTime: MANAGED_SINCE,
  config,
  type: 'managed',
})

/** @throws the kind's "no such policy"; NotImplemented for a managed one whose settings AWS does not publish. */
export async function findPolicy<Config extends object>(
  kind: PolicyKind<Config>,
  reader: Reader,
  id: string | undefined,
): Promise<Policy<Config>> {
  const known = kind.managed.find((policy) => policy.id === id)
  if (known?.published === false) {
    throw notImplemented(`The managed policy ${known.name}, whose settings AWS does not publish,`)
  }
  if (known !== undefined) return managed(known.id, known.config)
  const stored = id ? await reader.get(kind.kind, id) : undefined
  if (stored === undefined) throw cloudfrontFault(kind.codes.missing, `The policy ${quoted(id ?? '')} does not exist.`)
  return custom(stored.doc)
}

export async function createPolicy<Config extends { Name?: string | undefined }>(
  kind: PolicyKind<Config>,
  given: Config | undefined,
  { state, clock, quotas }: ServiceContext,
): Promise<Policy<Config>> {
  if (given === undefined) throw cloudfrontFault('MissingBody', 'The request needs the configuration of a policy.')
  const config = kind.accepted(given, quotas)
  const record: PolicyRecord = {
    id: uuid(),
    etag: newEtag(),
    lastModifiedTime: new Date(clock.now()).toISOString(),
    config,
  }
  await state.transact(async (tx) => {
    const others = (await tx.list(kind.kind)).map(({ doc }) => doc)
    requireNewName(kind, others, config.Name)
    if (others.length >= quotas.policiesOfEachKind) {
      throw cloudfrontFault(
        kind.codes.tooMany,
        `An account has at most ${quotas.policiesOfEachKind} of these policies.`,
      )
    }
    await tx.put(kind.kind, record.id, record)
  })
  return custom(record)
}

/**
 * A full replacement. The distributions that name the policy are `InProgress` until every edge serves by the new one (what
 * AWS shows meanwhile is unconfirmed); their ETags stay, for their own configuration has not changed.
 */
export async function updatePolicy<Config extends { Name?: string | undefined }>(
  kind: PolicyKind<Config>,
  id: string | undefined,
  ifMatch: string | undefined,
  given: Config | undefined,
  { state, clock, quotas }: ServiceContext,
): Promise<Policy<Config>> {
  if (kind.managed.some((policy) => policy.id === id)) {
    throw cloudfrontFault('IllegalUpdate', 'A managed policy cannot be changed.')
  }
  return state.transact(async (tx) => {
    const old = await findPolicy(kind, tx, id)
    requireMatch(ifMatch, old.etag)
    if (given === undefined) throw cloudfrontFault('MissingBody', 'The request needs the configuration of a policy.')
    const config = kind.accepted(given, quotas)
    const others = (await tx.list(kind.kind)).map(({ doc }) => doc).filter((doc) => doc.id !== old.id)
    requireNewName(kind, others, config.Name)
    const record: PolicyRecord = {
      id: old.id,
      etag: newEtag(),
      lastModifiedTime: new Date(clock.now()).toISOString(),
      config,
    }
    await tx.put(kind.kind, old.id, record)
    const distributions = (await tx.list('distribution')).map(({ doc }) => doc)
    for (const user of distributionsNaming(distributions, kind.kind, old.id)) {
      await tx.put('distribution', user.id, { ...user, status: 'InProgress', changedRevision: tx.revision })
    }
    return custom<Config>(record)
  })
}

function requireNewName<Config>(
  kind: PolicyKind<Config>,
  others: readonly PolicyRecord[],
  name: string | undefined,
): void {
  if (others.some((other) => (other.config as { Name?: string }).Name === name)) {
    throw cloudfrontFault(kind.codes.exists, `A policy with the name ${quoted(name ?? '')} exists already.`)
  }
}

export async function deletePolicy<Config extends object>(
  kind: PolicyKind<Config>,
  id: string | undefined,
  ifMatch: string | undefined,
  { state }: ServiceContext,
): Promise<void> {
  if (kind.managed.some((policy) => policy.id === id)) {
    throw cloudfrontFault('IllegalDelete', 'A managed policy cannot be deleted.')
  }
  await state.transact(async (tx) => {
    const policy = await findPolicy(kind, tx, id)
    requireMatch(ifMatch, policy.etag)
    const distributions = (await tx.list('distribution')).map(({ doc }) => doc)
    const [user] = distributionsNaming(distributions, kind.kind, policy.id)
    if (user !== undefined) {
      throw cloudfrontFault(kind.codes.inUse, `The policy is attached to the distribution ${user.id}.`)
    }
    await tx.delete(kind.kind, policy.id)
  })
}

/** The order of allPolicies. Only a policy of the account can be gone, and only those follow it. */
export const POLICY_ORDER: Order<Policy<unknown>> = {
  idOf: (policy) => policy.id,
  follows: (policy, marker) => policy.type === 'custom' && policy.id > marker,
}

/** Managed ones first, then the account's own by id. */
export async function allPolicies<Config extends { Name?: string | undefined }>(
  kind: PolicyKind<Config>,
  reader: Reader,
  type: string | undefined,
): Promise<Policy<Config>[]> {
  if (type !== undefined && type !== 'managed' && type !== 'custom') {
    throw invalidArgument('Type', `${quoted(type)} is not one of managed, custom`)
  }
  const ours = type === 'managed' ? [] : await reader.list(kind.kind)
  const theirs = type === 'custom' ? [] : kind.managed
  return [...theirs.map(({ id, config }) => managed(id, config)), ...ours.map(({ doc }) => custom<Config>(doc))]
}
