//! Distributions: create, read, replace, delete, list (spec/cloudfront.md 1.2, 1.7, 1.8). An operation writes the wish
//! and returns with `InProgress`; control/tasks/deploy.ts says when it is `Deployed`.
import type {
  CreateDistributionRequest,
  CreateDistributionResult,
  CreateDistributionWithTagsRequest,
  DeleteDistributionRequest,
  DistributionConfig,
  GetDistributionConfigRequest,
  GetDistributionConfigResult,
  GetDistributionRequest,
  GetDistributionResult,
  ListDistributionsRequest,
  ListDistributionsResult,
  UpdateDistributionRequest,
  UpdateDistributionResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontArn } from '../../domain/arn.ts'
import { cloudfrontFault, quoted } from '../../domain/cloudfront-faults.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Tags } from '../../domain/tags.ts'
import { lowerId, upperId } from '../../lib/ids.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { checkSecondCertificate, checkViewerCertificate } from './certificate-checks.ts'
import { dedicatedAddress } from './dedicated-address.ts'
import { checkDeployment, checkDeploymentChange, checkDeploymentEnd } from './deployment-rules.ts'
import { checkDistribution } from './distribution-checks.ts'
import { missingForUpdate, withDefaults } from './distribution-defaults.ts'
import { configOf, distributionSummary, distributionView } from './distribution-view.ts'
import { locationOf, newEtag, requireMatch } from './entity-tag.ts'
import { checkFieldEncryption } from './field-encryption-checks.ts'
import { refuseNotBuilt } from './not-built.ts'
import { checkOriginAccess } from './origin-access.ts'
import { checkOriginCertificates } from './origin-certificate-checks.ts'
import { byId, markedPage } from './paging.ts'
import { checkPolicies } from './policy-references.ts'
import { checkTags, readTags, writeTags } from './tag-rules.ts'
import { activeSigners, checkTrustedKeys } from './trusted-keys.ts'
import { checkViewerMtls } from './viewer-mtls.ts'
import { checkWebAcl } from './web-acl-checks.ts'

/** @throws NoSuchDistribution */
export async function findDistribution(reader: Reader, id: string | undefined): Promise<DistributionRecord> {
  const stored = id ? await reader.get('distribution', id) : undefined
  if (stored === undefined) {
    throw cloudfrontFault('NoSuchDistribution', `The specified distribution does not exist: ${quoted(id ?? '')}.`)
  }
  return stored.doc
}

export async function invalidationsInProgress(reader: Reader, id: string): Promise<number> {
  const stored = await reader.list('invalidation', { prefix: `${id}/` })
  return stored.filter(({ doc }) => doc.status === 'InProgress').length
}

/** All but that one. */
export const otherDistributions = async (reader: Reader, id: string): Promise<DistributionRecord[]> =>
  (await reader.list('distribution')).map(({ doc }) => doc).filter((doc) => doc.id !== id)

/** The configuration with every default, checked against AWS's rules and against what is built. */
export async function acceptedConfig(
  reader: Reader,
  given: DistributionConfig | undefined,
  others: readonly DistributionRecord[],
  context: Pick<ServiceContext, 'edgeDomain' | 'quotas'> & Partial<Pick<ServiceContext, 'clock'>>,
): Promise<DistributionConfig> {
  if (given === undefined) throw cloudfrontFault('MissingBody', 'The request needs a DistributionConfig.')
  const config = withDefaults(given)
  checkDistribution(config, context)
  for (const alias of config.Aliases?.Items ?? []) {
    const holder = others.find((other) => configOf(other).Aliases?.Items?.includes(alias))
    if (holder !== undefined) {
      throw cloudfrontFault(
        'CNAMEAlreadyExists',
        `The alias ${quoted(alias)} belongs to the distribution ${holder.id}.`,
      )
    }
  }
  await checkViewerCertificate(reader, config, context.clock)
  await checkOriginCertificates(reader, config, context.clock)
  await checkDeployment(reader, config, others)
  await checkPolicies(reader, config, others, context.quotas)
  await checkOriginAccess(reader, config, others, context.quotas)
  await checkTrustedKeys(reader, config, others, context.quotas)
  await checkViewerMtls(reader, config)
  await checkWebAcl(reader, config)
  await checkFieldEncryption(reader, config, others, context.quotas)
  refuseNotBuilt(config)
  return config
}

/** Writes a new distribution. @throws what its configuration has wrong, DistributionAlreadyExists, TooManyDistributions */
export async function addDistribution(
  tx: Transaction,
  given: DistributionConfig | undefined,
  tags: Tags,
  context: ServiceContext,
): Promise<DistributionRecord> {
  const others = (await tx.list('distribution')).map(({ doc }) => doc)
  const same = others.find((other) => other.callerReference === given?.CallerReference)
  if (same !== undefined) {
    throw cloudfrontFault(
      'DistributionAlreadyExists',
      `The caller reference is that of the distribution ${same.id}; each new distribution needs a new one.`,
    )
  }
  const config = await acceptedConfig(tx, given, others, context)
  await checkSecondCertificate(tx, config, tags, context.clock, 'InvalidTagging')
  if (others.length >= context.quotas.distributions) {
    throw cloudfrontFault(
      'TooManyDistributions',
      `An account has at most ${context.quotas.distributions} distributions.`,
    )
  }
  if (config.Staging === true) checkStagingCount(others, context.quotas)
  const id = `E${upperId(13)}`
  const now = new Date(context.clock.now()).toISOString()
  const made: DistributionRecord = {
    id,
    arn: cloudfrontArn(context.accountId, 'distribution', id),
    domainName: `d${lowerId(13)}.${context.edgeDomain}`,
    etag: newEtag(),
    callerReference: config.CallerReference ?? '',
    status: 'InProgress',
    changedRevision: tx.revision,
    createdAt: now,
    lastModifiedTime: now,
    ...(await dedicatedAddress(tx, config, {}, context)),
    config,
  }
  await tx.put('distribution', id, made)
  await writeTags(tx, made.arn, tags, context.quotas)
  return made
}

function checkStagingCount(others: readonly DistributionRecord[], quotas: Quotas): void {
  if (others.filter((other) => configOf(other).Staging === true).length < quotas.stagingDistributions) return
  throw cloudfrontFault(
    'TooManyDistributions',
    `An account has at most ${quotas.stagingDistributions} staging distributions.`,
  )
}

/** `Staging` may be set here too: Terraform's provider makes staging distributions so, and not by CopyDistribution. */
async function create(
  given: DistributionConfig | undefined,
  tags: Tags,
  context: ServiceContext,
): Promise<CreateDistributionResult> {
  const record = await context.state.transact((tx) => addDistribution(tx, given, tags, context))
  return {
    Distribution: distributionView(record, 0, await activeSigners(context.state, record)),
    Location: locationOf(`distribution/${record.id}`),
    ETag: record.etag,
  }
}

export const createDistribution: Operation<CreateDistributionRequest, CreateDistributionResult> = (input, context) =>
  create(input.DistributionConfig, {}, context)

export const createDistributionWithTags: Operation<CreateDistributionWithTagsRequest, CreateDistributionResult> = (
  input,
  context,
) => {
  const { DistributionConfig: config, Tags: tags } = input.DistributionConfigWithTags ?? {}
  return create(config, checkTags(tags?.Items ?? []), context)
}

export const getDistribution: Operation<GetDistributionRequest, GetDistributionResult> = async (input, { state }) => {
  const record = await findDistribution(state, input.Id)
  return {
    Distribution: distributionView(
      record,
      await invalidationsInProgress(state, record.id),
      await activeSigners(state, record),
    ),
    ETag: record.etag,
  }
}

export const getDistributionConfig: Operation<GetDistributionConfigRequest, GetDistributionConfigResult> = async (
  input,
  { state },
) => {
  const record = await findDistribution(state, input.Id)
  return { DistributionConfig: configOf(record), ETag: record.etag }
}

/** Writes another configuration of a distribution, which is `InProgress` then. */
export async function replaceConfig(
  tx: Transaction,
  old: DistributionRecord,
  config: DistributionConfig,
  { clock, dedicatedAddresses }: Pick<ServiceContext, 'clock' | 'dedicatedAddresses'>,
): Promise<DistributionRecord> {
  const updated: DistributionRecord = {
    ...old,
    ...(await dedicatedAddress(tx, config, old, { dedicatedAddresses })),
    etag: newEtag(),
    status: 'InProgress',
    changedRevision: tx.revision,
    lastModifiedTime: new Date(clock.now()).toISOString(),
    config,
  }
  await tx.put('distribution', old.id, updated)
  return updated
}

/** A full replacement. */
export const updateDistribution: Operation<UpdateDistributionRequest, UpdateDistributionResult> = async (
  input,
  context,
) => {
  const [record, inProgress, signers] = await context.state.transact(async (tx) => {
    const old = await findDistribution(tx, input.Id)
    requireMatch(input.IfMatch, old.etag)
    const given = input.DistributionConfig
    if (given === undefined) throw cloudfrontFault('MissingBody', 'The request needs a DistributionConfig.')
    const missing = missingForUpdate(given)
    if (missing.length > 0) {
      throw cloudfrontFault('IllegalUpdate', `${missing.join(', ')}: required for updates; take them from Get.`)
    }
    if (given.CallerReference !== old.callerReference) {
      throw cloudfrontFault('IllegalUpdate', 'The CallerReference of a distribution cannot be changed.')
    }
    const config = await acceptedConfig(tx, given, await otherDistributions(tx, old.id), context)
    await checkDeploymentChange(tx, old, config)
    await checkSecondCertificate(tx, config, await readTags(tx, old.arn), context.clock, 'InvalidViewerCertificate')
    const updated = await replaceConfig(tx, old, config, context)
    return [updated, await invalidationsInProgress(tx, old.id), await activeSigners(tx, updated)] as const
  })
  return { Distribution: distributionView(record, inProgress, signers), ETag: record.etag }
}

/** Only what is disabled, and known so at every edge. */
export const deleteDistribution: Operation<DeleteDistributionRequest, object> = async (input, { state }) => {
  await state.transact(async (tx) => {
    const record = await findDistribution(tx, input.Id)
    requireMatch(input.IfMatch, record.etag)
    if (configOf(record).Enabled || record.status !== 'Deployed') {
      throw cloudfrontFault(
        'DistributionNotDisabled',
        `The distribution ${record.id} must be disabled and its status Deployed; it is ${configOf(record).Enabled ? 'enabled' : 'disabled'} and ${record.status}.`,
      )
    }
    await checkDeploymentEnd(tx, record)
    await remove(tx, record)
  })
  return {}
}

async function remove(tx: Transaction, record: DistributionRecord): Promise<void> {
  await tx.delete('distribution', record.id)
  await tx.delete('tags', record.arn)
  for (const { id } of await tx.list('invalidation', { prefix: `${record.id}/` })) await tx.delete('invalidation', id)
}

const BY_ID = byId((record: DistributionRecord) => record.id)

export const listDistributions: Operation<ListDistributionsRequest, ListDistributionsResult> = async (
  input,
  { state },
) => {
  const records = (await state.list('distribution')).map(({ doc }) => doc)
  return { DistributionList: markedPage(records, BY_ID, distributionSummary, input) }
}
