//! Origin access controls: how requests to a bucket are signed (spec/cloudfront.md 1.5, 2.7, 7.2). Unique by name, without
//! a caller reference. A change of one is deployed to the distributions that name it.
import type {
  CreateOriginAccessControlRequest,
  CreateOriginAccessControlResult,
  DeleteOriginAccessControlRequest,
  GetOriginAccessControlConfigRequest,
  GetOriginAccessControlConfigResult,
  GetOriginAccessControlRequest,
  GetOriginAccessControlResult,
  ListOriginAccessControlsRequest,
  ListOriginAccessControlsResult,
  OriginAccessControl,
  OriginAccessControlConfig,
  OriginAccessControlSummary,
  UpdateOriginAccessControlRequest,
  UpdateOriginAccessControlResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { QUOTAS } from '../../domain/quotas.ts'
import type { OriginAccessControlRecord } from '../../domain/records.ts'
import { upperId } from '../../lib/ids.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { locationOf, newEtag, requireMatch } from './entity-tag.ts'
import { distributionsWithControl } from './origin-access.ts'
import { byId, markedPage } from './paging.ts'

const configOf = (record: OriginAccessControlRecord): OriginAccessControlConfig =>
  record.config as OriginAccessControlConfig

const view = (record: OriginAccessControlRecord): OriginAccessControl => ({
  Id: record.id,
  OriginAccessControlConfig: configOf(record),
})

/** Values of the enumerations, and which of them are built. */
const WORDS = {
  SigningProtocol: { all: ['sigv4', 'sigv4a'], built: ['sigv4'] },
  SigningBehavior: {
    all: ['always', 'never', 'no-override', 'always-amz-auth'],
    built: ['always', 'never', 'no-override'],
  },
  OriginAccessControlOriginType: { all: ['s3', 'mediastore', 'mediapackagev2', 'lambda'], built: ['s3'] },
} as const

/** The configuration with every field. @throws InvalidArgument; NotImplemented for what is AWS's and not built. */
function accepted(given: OriginAccessControlConfig | undefined): OriginAccessControlConfig {
  if (given === undefined) throw cloudfrontFault('MissingBody', 'The request needs an OriginAccessControlConfig.')
  const { Name = '', Description = '' } = given
  if (Name === '' || Name.length > QUOTAS.originAccessControlNameChars) {
    throw invalidArgument('Name', `it has 1 to ${QUOTAS.originAccessControlNameChars} characters`)
  }
  if (Description.length > QUOTAS.originAccessControlDescriptionChars) {
    throw invalidArgument('Description', `it has at most ${QUOTAS.originAccessControlDescriptionChars} characters`)
  }
  const words = Object.entries(WORDS) as [keyof typeof WORDS, (typeof WORDS)[keyof typeof WORDS]][]
  for (const [field, { all }] of words) {
    if (!isOneOf(all, given[field])) {
      throw invalidArgument(field, `${quoted(given[field] ?? '')} is not one of ${all.join(', ')}`)
    }
  }
  for (const [field, { built }] of words) {
    if (!isOneOf(built, given[field])) {
      throw notImplemented(
        `What OriginAccessControlConfig sets in ${field}, ${given[field]} (accepted: ${built.join(', ')}),`,
      )
    }
  }
  const { SigningProtocol, SigningBehavior, OriginAccessControlOriginType } = given
  return { Name, Description, SigningProtocol, SigningBehavior, OriginAccessControlOriginType }
}

const isOneOf = (words: readonly string[], word: string | undefined): boolean => words.includes(word ?? '')

/** @throws NoSuchOriginAccessControl */
async function find(reader: Reader, id: string | undefined): Promise<OriginAccessControlRecord> {
  const stored = id ? await reader.get('origin-access-control', id) : undefined
  if (stored === undefined) {
    throw cloudfrontFault('NoSuchOriginAccessControl', `The origin access control does not exist: ${quoted(id ?? '')}.`)
  }
  return stored.doc
}

function requireNewName(others: readonly OriginAccessControlRecord[], { Name = '' }: OriginAccessControlConfig): void {
  if (others.some((other) => configOf(other).Name === Name)) {
    throw cloudfrontFault(
      'OriginAccessControlAlreadyExists',
      `An origin access control with the name ${quoted(Name)} exists already.`,
    )
  }
}

export const createOriginAccessControl: Operation<
  CreateOriginAccessControlRequest,
  CreateOriginAccessControlResult
> = async (input, { state, quotas }) => {
  const config = accepted(input.OriginAccessControlConfig)
  const record: OriginAccessControlRecord = { id: `E${upperId(13)}`, etag: newEtag(), config }
  await state.transact(async (tx) => {
    const others = (await tx.list('origin-access-control')).map(({ doc }) => doc)
    requireNewName(others, config)
    if (others.length >= quotas.originAccessControls) {
      throw cloudfrontFault(
        'TooManyOriginAccessControls',
        `An account has at most ${quotas.originAccessControls} origin access controls.`,
      )
    }
    await tx.put('origin-access-control', record.id, record)
  })
  return {
    OriginAccessControl: view(record),
    Location: locationOf(`origin-access-control/${record.id}`),
    ETag: record.etag,
  }
}

export const getOriginAccessControl: Operation<GetOriginAccessControlRequest, GetOriginAccessControlResult> = async (
  input,
  { state },
) => {
  const record = await find(state, input.Id)
  return { OriginAccessControl: view(record), ETag: record.etag }
}

export const getOriginAccessControlConfig: Operation<
  GetOriginAccessControlConfigRequest,
  GetOriginAccessControlConfigResult
> = async (input, { state }) => {
  const record = await find(state, input.Id)
  return { OriginAccessControlConfig: configOf(record), ETag: record.etag }
}

/** A full replacement; the distributions that name it are `InProgress` until every edge signs by the new one. */
export const updateOriginAccessControl: Operation<
  UpdateOriginAccessControlRequest,
  UpdateOriginAccessControlResult
> = async (input, { state }) => {
  const record = await state.transact(async (tx) => {
    const old = await find(tx, input.Id)
    requireMatch(input.IfMatch, old.etag)
    const config = accepted(input.OriginAccessControlConfig)
    const others = (await tx.list('origin-access-control')).map(({ doc }) => doc).filter((doc) => doc.id !== old.id)
    requireNewName(others, config)
    const updated: OriginAccessControlRecord = { ...old, etag: newEtag(), config }
    await tx.put('origin-access-control', old.id, updated)
    const distributions = (await tx.list('distribution')).map(({ doc }) => doc)
    for (const user of distributionsWithControl(distributions, old.id)) {
      await tx.put('distribution', user.id, { ...user, status: 'InProgress', changedRevision: tx.revision })
    }
    return updated
  })
  return { OriginAccessControl: view(record), ETag: record.etag }
}

export const deleteOriginAccessControl: Operation<DeleteOriginAccessControlRequest, object> = async (
  input,
  { state },
) => {
  await state.transact(async (tx) => {
    const record = await find(tx, input.Id)
    requireMatch(input.IfMatch, record.etag)
    const distributions = (await tx.list('distribution')).map(({ doc }) => doc)
    const [user] = distributionsWithControl(distributions, record.id)
    if (user !== undefined) {
      throw cloudfrontFault(
        'OriginAccessControlInUse',
        `The origin access control is attached to an origin of the distribution ${user.id}.`,
      )
    }
    await tx.delete('origin-access-control', record.id)
  })
  return {}
}

const BY_ID = byId((record: OriginAccessControlRecord) => record.id)

const summary = (record: OriginAccessControlRecord): OriginAccessControlSummary => {
  const { Name, Description, SigningProtocol, SigningBehavior, OriginAccessControlOriginType } = configOf(record)
  return {
    Id: record.id,
    Description: Description ?? '',
    Name,
    SigningProtocol,
    SigningBehavior,
    OriginAccessControlOriginType,
  }
}

export const listOriginAccessControls: Operation<
  ListOriginAccessControlsRequest,
  ListOriginAccessControlsResult
> = async (input, { state }) => {
  const records = (await state.list('origin-access-control')).map(({ doc }) => doc)
  return { OriginAccessControlList: markedPage(records, BY_ID, summary, input) }
}
