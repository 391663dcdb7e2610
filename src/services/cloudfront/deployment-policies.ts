//! Continuous deployment policies: create, read, replace, delete, list (spec/cloudfront.md 1.9, 15). A policy has no status
//! of its own: the primary distribution that names it is `InProgress` until every edge routes by it.
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type {
  ContinuousDeploymentPolicy,
  ContinuousDeploymentPolicyConfig,
  CreateContinuousDeploymentPolicyRequest,
  CreateContinuousDeploymentPolicyResult,
  DeleteContinuousDeploymentPolicyRequest,
  GetContinuousDeploymentPolicyConfigRequest,
  GetContinuousDeploymentPolicyConfigResult,
  GetContinuousDeploymentPolicyRequest,
  GetContinuousDeploymentPolicyResult,
  ListContinuousDeploymentPoliciesRequest,
  ListContinuousDeploymentPoliciesResult,
  UpdateContinuousDeploymentPolicyRequest,
  UpdateContinuousDeploymentPolicyResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import type { DeploymentPolicyRecord, DistributionRecord } from '../../domain/records.ts'
import { uuid } from '../../lib/ids.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { acceptedDeploymentPolicy } from './deployment-checks.ts'
import { findDeploymentPolicy, primaryOf } from './deployment-rules.ts'
import { configOf } from './distribution-view.ts'
import { locationOf, newEtag, requireMatch } from './entity-tag.ts'
import { byId, plainPage } from './paging.ts'

const configIn = (record: DeploymentPolicyRecord): ContinuousDeploymentPolicyConfig =>
  record.config as ContinuousDeploymentPolicyConfig

const view = (record: DeploymentPolicyRecord): ContinuousDeploymentPolicy => ({
  Id: record.id,
  LastModifiedTime: new Date(record.lastModifiedTime),
  ContinuousDeploymentPolicyConfig: configIn(record),
})

const newSecret = (): string => randomBytes(32).toString('hex')

/** The staging distribution that the policy names. @throws InvalidArgument, StagingDistributionInUse */
async function stagingNamed(
  reader: Reader,
  config: ContinuousDeploymentPolicyConfig,
  others: readonly DeploymentPolicyRecord[],
): Promise<DistributionRecord> {
  const field = 'StagingDistributionDnsNames'
  const name = (config.StagingDistributionDnsNames?.Items?.[0] ?? '').toLowerCase()
  const found = (await reader.list('distribution')).find(({ doc }) => doc.domainName === name)?.doc
  if (found === undefined) throw invalidArgument(field, `${quoted(name)} is the domain name of no distribution`)
  if (configOf(found).Staging !== true) throw invalidArgument(field, `${found.id} is not a staging distribution`)
  const user = others.find((other) => other.stagingId === found.id)
  if (user !== undefined) {
    throw cloudfrontFault(
      'StagingDistributionInUse',
      `The continuous deployment policy ${user.id} sends requests to the staging distribution ${found.id} already.`,
    )
  }
  return found
}

function given(config: ContinuousDeploymentPolicyConfig | undefined): ContinuousDeploymentPolicyConfig {
  // AWS's model has no MissingBody for these operations.
  if (config === undefined) throw invalidArgument('ContinuousDeploymentPolicyConfig', 'it is required')
  return acceptedDeploymentPolicy(config)
}

export const createContinuousDeploymentPolicy: Operation<
  CreateContinuousDeploymentPolicyRequest,
  CreateContinuousDeploymentPolicyResult
> = async (input, { state, clock, quotas }) => {
  const config = given(input.ContinuousDeploymentPolicyConfig)
  const record = await state.transact(async (tx) => {
    const others = (await tx.list('continuous-deployment-policy')).map(({ doc }) => doc)
    const same = others.find((other) => isDeepStrictEqual(other.config, config))
    if (same !== undefined) {
      throw cloudfrontFault(
        'ContinuousDeploymentPolicyAlreadyExists',
        `The continuous deployment policy ${same.id} has this configuration already.`,
      )
    }
    const staging = await stagingNamed(tx, config, others)
    if (others.length >= quotas.continuousDeploymentPolicies) {
      throw cloudfrontFault(
        'TooManyContinuousDeploymentPolicies',
        `An account has at most ${quotas.continuousDeploymentPolicies} continuous deployment policies.`,
      )
    }
    const made: DeploymentPolicyRecord = {
      id: uuid(),
      etag: newEtag(),
      lastModifiedTime: new Date(clock.now()).toISOString(),
      stagingId: staging.id,
      sessionSecret: newSecret(),
      config,
    }
    await tx.put('continuous-deployment-policy', made.id, made)
    return made
  })
  return {
    ContinuousDeploymentPolicy: view(record),
    Location: locationOf(`continuous-deployment-policy/${record.id}`),
    ETag: record.etag,
  }
}

export const getContinuousDeploymentPolicy: Operation<
  GetContinuousDeploymentPolicyRequest,
  GetContinuousDeploymentPolicyResult
> = async (input, { state }) => {
  const record = await findDeploymentPolicy(state, input.Id)
  return { ContinuousDeploymentPolicy: view(record), ETag: record.etag }
}

export const getContinuousDeploymentPolicyConfig: Operation<
  GetContinuousDeploymentPolicyConfigRequest,
  GetContinuousDeploymentPolicyConfigResult
> = async (input, { state }) => {
  const record = await findDeploymentPolicy(state, input.Id)
  return { ContinuousDeploymentPolicyConfig: configIn(record), ETag: record.etag }
}

const isSticky = (config: ContinuousDeploymentPolicyConfig): boolean =>
  config.TrafficConfig?.SingleWeightConfig?.SessionStickinessConfig !== undefined

/**
 * A full replacement. Sessions go on with other numbers; they all end when the policy, or its stickiness, is switched on or
 * off (AWS's developer guide, session stickiness): then they were signed with another secret.
 */
export async function replaceDeploymentPolicy(
  tx: Transaction,
  old: DeploymentPolicyRecord,
  config: ContinuousDeploymentPolicyConfig,
  stagingId: string,
  { clock }: Pick<ServiceContext, 'clock'>,
): Promise<DeploymentPolicyRecord> {
  const before = configIn(old)
  const switched = before.Enabled !== config.Enabled || isSticky(before) !== isSticky(config)
  const record: DeploymentPolicyRecord = {
    id: old.id,
    etag: newEtag(),
    lastModifiedTime: new Date(clock.now()).toISOString(),
    stagingId,
    sessionSecret: switched ? newSecret() : old.sessionSecret,
    config,
  }
  await tx.put('continuous-deployment-policy', old.id, record)
  return record
}

export const updateContinuousDeploymentPolicy: Operation<
  UpdateContinuousDeploymentPolicyRequest,
  UpdateContinuousDeploymentPolicyResult
> = async (input, context) => {
  const record = await context.state.transact(async (tx) => {
    const old = await findDeploymentPolicy(tx, input.Id)
    requireMatch(input.IfMatch, old.etag)
    const config = given(input.ContinuousDeploymentPolicyConfig)
    const policies = (await tx.list('continuous-deployment-policy')).map(({ doc }) => doc)
    const staging = await stagingNamed(
      tx,
      config,
      policies.filter((policy) => policy.id !== old.id),
    )
    const updated = await replaceDeploymentPolicy(tx, old, config, staging.id, context)
    const primary = await primaryOf(tx, old.id)
    if (primary !== undefined) {
      await tx.put('distribution', primary.id, { ...primary, status: 'InProgress', changedRevision: tx.revision })
    }
    return updated
  })
  return { ContinuousDeploymentPolicy: view(record), ETag: record.etag }
}

export const deleteContinuousDeploymentPolicy: Operation<DeleteContinuousDeploymentPolicyRequest, object> = async (
  input,
  { state },
) => {
  await state.transact(async (tx) => {
    const record = await findDeploymentPolicy(tx, input.Id)
    requireMatch(input.IfMatch, record.etag)
    const primary = await primaryOf(tx, record.id)
    if (primary !== undefined) {
      throw cloudfrontFault(
        'ContinuousDeploymentPolicyInUse',
        `The policy is attached to the distribution ${primary.id}: take its id out of ContinuousDeploymentPolicyId first.`,
      )
    }
    await tx.delete('continuous-deployment-policy', record.id)
  })
  return {}
}

const BY_ID = byId((record: DeploymentPolicyRecord) => record.id)

export const listContinuousDeploymentPolicies: Operation<
  ListContinuousDeploymentPoliciesRequest,
  ListContinuousDeploymentPoliciesResult
> = async (input, { state }) => {
  const records = (await state.list('continuous-deployment-policy')).map(({ doc }) => doc)
  const show = (record: DeploymentPolicyRecord) => ({ ContinuousDeploymentPolicy: view(record) })
  return { ContinuousDeploymentPolicyList: plainPage(records, BY_ID, show, input) }
}
