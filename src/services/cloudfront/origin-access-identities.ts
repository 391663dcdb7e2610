//! Origin access identities, the older way to a private bucket (spec/cloudfront.md 1.7, 2.7, 7.3). A caller reference that
//! was used before brings the identity of that time, if the rest is the same.
import { createHash } from 'node:crypto'
import type {
  CloudFrontOriginAccessIdentity,
  CloudFrontOriginAccessIdentityConfig,
  CloudFrontOriginAccessIdentitySummary,
  CreateCloudFrontOriginAccessIdentityRequest,
  CreateCloudFrontOriginAccessIdentityResult,
  DeleteCloudFrontOriginAccessIdentityRequest,
  GetCloudFrontOriginAccessIdentityConfigRequest,
  GetCloudFrontOriginAccessIdentityConfigResult,
  GetCloudFrontOriginAccessIdentityRequest,
  GetCloudFrontOriginAccessIdentityResult,
  ListCloudFrontOriginAccessIdentitiesRequest,
  ListCloudFrontOriginAccessIdentitiesResult,
  UpdateCloudFrontOriginAccessIdentityRequest,
  UpdateCloudFrontOriginAccessIdentityResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { QUOTAS } from '../../domain/quotas.ts'
import type { OriginAccessIdentityRecord } from '../../domain/records.ts'
import { upperId } from '../../lib/ids.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { locationOf, newEtag, requireMatch } from './entity-tag.ts'
import { distributionsWithIdentity } from './origin-access.ts'
import { byId, markedPage } from './paging.ts'

const configOf = ({ callerReference, comment }: OriginAccessIdentityRecord): CloudFrontOriginAccessIdentityConfig => ({
  CallerReference: callerReference,
  Comment: comment,
})

/** AWS's is the canonical id of an account that each identity has; ours follows from its own id. */
const canonicalUser = (id: string): string => createHash('sha384').update(id).digest('hex')

const view = (record: OriginAccessIdentityRecord): CloudFrontOriginAccessIdentity => ({
  Id: record.id,
  S3CanonicalUserId: canonicalUser(record.id),
  CloudFrontOriginAccessIdentityConfig: configOf(record),
})

/** @throws MissingBody, InvalidArgument */
function accepted(given: CloudFrontOriginAccessIdentityConfig | undefined): {
  readonly callerReference: string
  readonly comment: string
} {
  if (given === undefined) {
    throw cloudfrontFault('MissingBody', 'The request needs a CloudFrontOriginAccessIdentityConfig.')
  }
  const { CallerReference: callerReference = '', Comment: comment = '' } = given
  if (callerReference === '') throw invalidArgument('CallerReference', 'it is required')
  if (comment.length > QUOTAS.commentChars) {
    throw invalidArgument('Comment', `it has at most ${QUOTAS.commentChars} characters`)
  }
  return { callerReference, comment }
}

/** @throws NoSuchCloudFrontOriginAccessIdentity */
async function find(reader: Reader, id: string | undefined): Promise<OriginAccessIdentityRecord> {
  const stored = id ? await reader.get('origin-access-identity', id) : undefined
  if (stored === undefined) {
    throw cloudfrontFault(
      'NoSuchCloudFrontOriginAccessIdentity',
      `The specified origin access identity does not exist: ${quoted(id ?? '')}.`,
    )
  }
  return stored.doc
}

export const createCloudFrontOriginAccessIdentity: Operation<
  CreateCloudFrontOriginAccessIdentityRequest,
  CreateCloudFrontOriginAccessIdentityResult
> = async (input, { state, quotas }) => {
  const config = accepted(input.CloudFrontOriginAccessIdentityConfig)
  const record = await state.transact(async (tx) => {
    const others = (await tx.list('origin-access-identity')).map(({ doc }) => doc)
    const same = others.find(({ callerReference }) => callerReference === config.callerReference)
    if (same?.comment === config.comment) return same
    if (same !== undefined) {
      throw cloudfrontFault(
        'CloudFrontOriginAccessIdentityAlreadyExists',
        `The caller reference is that of the origin access identity ${same.id}, which has another comment.`,
      )
    }
    if (others.length >= quotas.originAccessIdentities) {
      throw cloudfrontFault(
        'TooManyCloudFrontOriginAccessIdentities',
        `An account has at most ${quotas.originAccessIdentities} origin access identities.`,
      )
    }
    const made: OriginAccessIdentityRecord = { id: `E${upperId(13)}`, etag: newEtag(), ...config }
    await tx.put('origin-access-identity', made.id, made)
    return made
  })
  return {
    CloudFrontOriginAccessIdentity: view(record),
    Location: locationOf(`origin-access-identity/cloudfront/${record.id}`),
    ETag: record.etag,
  }
}

export const getCloudFrontOriginAccessIdentity: Operation<
  GetCloudFrontOriginAccessIdentityRequest,
  GetCloudFrontOriginAccessIdentityResult
> = async (input, { state }) => {
  const record = await find(state, input.Id)
  return { CloudFrontOriginAccessIdentity: view(record), ETag: record.etag }
}

export const getCloudFrontOriginAccessIdentityConfig: Operation<
  GetCloudFrontOriginAccessIdentityConfigRequest,
  GetCloudFrontOriginAccessIdentityConfigResult
> = async (input, { state }) => {
  const record = await find(state, input.Id)
  return { CloudFrontOriginAccessIdentityConfig: configOf(record), ETag: record.etag }
}

/** The comment is all that can change. */
export const updateCloudFrontOriginAccessIdentity: Operation<
  UpdateCloudFrontOriginAccessIdentityRequest,
  UpdateCloudFrontOriginAccessIdentityResult
> = async (input, { state }) => {
  const record = await state.transact(async (tx) => {
    const old = await find(tx, input.Id)
    requireMatch(input.IfMatch, old.etag)
    const config = accepted(input.CloudFrontOriginAccessIdentityConfig)
    if (config.callerReference !== old.callerReference) {
      throw cloudfrontFault('IllegalUpdate', 'The CallerReference of an origin access identity cannot be changed.')
    }
    const updated: OriginAccessIdentityRecord = { ...old, ...config, etag: newEtag() }
    await tx.put('origin-access-identity', old.id, updated)
    return updated
  })
  return { CloudFrontOriginAccessIdentity: view(record), ETag: record.etag }
}

export const deleteCloudFrontOriginAccessIdentity: Operation<
  DeleteCloudFrontOriginAccessIdentityRequest,
  object
> = async (input, { state }) => {
  await state.transact(async (tx) => {
    const record = await find(tx, input.Id)
    requireMatch(input.IfMatch, record.etag)
    const distributions = (await tx.list('distribution')).map(({ doc }) => doc)
    const [user] = distributionsWithIdentity(distributions, record.id)
    if (user !== undefined) {
      throw cloudfrontFault(
        'CloudFrontOriginAccessIdentityInUse',
        `The origin access identity is attached to an origin of the distribution ${user.id}.`,
      )
    }
    await tx.delete('origin-access-identity', record.id)
  })
  return {}
}

const BY_ID = byId((record: OriginAccessIdentityRecord) => record.id)

const summary = (record: OriginAccessIdentityRecord): CloudFrontOriginAccessIdentitySummary => ({
  Id: record.id,
  S3CanonicalUserId: canonicalUser(record.id),
  Comment: record.comment,
})

export const listCloudFrontOriginAccessIdentities: Operation<
  ListCloudFrontOriginAccessIdentitiesRequest,
  ListCloudFrontOriginAccessIdentitiesResult
> = async (input, { state }) => {
  const records = (await state.list('origin-access-identity')).map(({ doc }) => doc)
  return { CloudFrontOriginAccessIdentityList: markedPage(records, BY_ID, summary, input) }
}
