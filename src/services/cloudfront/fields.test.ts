//! Nothing is accepted and ignored: every member that the SDK's schemas give a configuration acts, asks for nothing, or is
//! refused by name. A member that a newer SDK brings fails here until it is one of the three.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as cloudfront from '@aws-sdk/client-cloudfront'
import type { NormalizedSchema } from '@smithy/core/schema'
import { modelOf } from '../../aws/model.ts'
import { Fault } from '../../domain/faults.ts'
import { quotasWith } from '../../domain/quotas.ts'
import { systemClock } from '../../lib/clock.ts'
import { openSqliteState } from '../../state/sqlite.ts'
import type { ServiceContext } from '../service.ts'
import { createDistribution } from './distributions.ts'

const MODEL = modelOf(cloudfront)

interface Leaf {
  /** `Origins.Items[].Id` */
  readonly path: string
  readonly schema: NormalizedSchema
}

function leaves(schema: NormalizedSchema, path: string): Leaf[] {
  if (schema.isListSchema()) return leaves(schema.getValueSchema(), `${path}[]`)
  if (!schema.isStructSchema()) return [{ path, schema }]
  return [...schema.structIterator()].flatMap(([name, member]) =>
    leaves(member, path === '' ? name : `${path}.${name}`),
  )
}

/** Members of the configuration that an operation takes; the decoder compares each Quantity with its Items. */
function membersOf(operation: string, config: string): Leaf[] {
  const input = MODEL.operations.get(operation)?.input
  assert(input !== undefined)
  const member = [...input.structIterator()].find(([name]) => name === config)?.[1]
  assert(member !== undefined)
  return leaves(member, '').filter(({ path }) => !path.endsWith('.Quantity'))
}

const BEHAVIOR_ACTS = [
  'TargetOriginId',
  'ViewerProtocolPolicy',
  'AllowedMethods.Items[]',
  'AllowedMethods.CachedMethods.Items[]',
  'CachePolicyId',
  'OriginRequestPolicyId',
  'ResponseHeadersPolicyId',
  'ForwardedValues.QueryString',
  'ForwardedValues.Cookies.Forward',
  'ForwardedValues.Cookies.WhitelistedNames.Items[]',
  'ForwardedValues.Headers.Items[]',
  'ForwardedValues.QueryStringCacheKeys.Items[]',
  'MinTTL',
  'DefaultTTL',
  'MaxTTL',
  'Compress',
  'TrustedKeyGroups.Enabled',
  'TrustedKeyGroups.Items[]',
  'FieldLevelEncryptionId',
  'TrustedSigners.Enabled',
  'TrustedSigners.Items[]',
]

/** The edge or the API does what these say; wrong values are refused in tests of their own. */
const ACTS: ReadonlySet<string> = new Set([
  'CallerReference',
  'Comment',
  'Enabled',
  'Aliases.Items[]',
  'DefaultRootObject',
  'CacheTagConfig.HeaderName',
  'HttpVersion',
  'Staging',
  'ContinuousDeploymentPolicyId',
  'PriceClass',
  'IsIPV6Enabled',
  'ViewerMtlsConfig.Mode',
  'ViewerMtlsConfig.TrustStoreConfig.TrustStoreId',
  'ViewerMtlsConfig.TrustStoreConfig.AdvertiseTrustStoreCaNames',
  'ViewerMtlsConfig.TrustStoreConfig.IgnoreCertificateExpiry',
  'Origins.Items[].OriginShield.Enabled',
  'Origins.Items[].OriginShield.OriginShieldRegion',
  'Origins.Items[].Id',
  'Origins.Items[].DomainName',
  'Origins.Items[].OriginPath',
  'Origins.Items[].CustomHeaders.Items[].HeaderName',
  'Origins.Items[].CustomHeaders.Items[].HeaderValue',
  'Origins.Items[].ConnectionAttempts',
  'Origins.Items[].ConnectionTimeout',
  'Origins.Items[].ResponseCompletionTimeout',
  'Origins.Items[].CustomOriginConfig.HTTPPort',
  'Origins.Items[].CustomOriginConfig.HTTPSPort',
  'Origins.Items[].CustomOriginConfig.OriginProtocolPolicy',
  'Origins.Items[].CustomOriginConfig.OriginSslProtocols.Items[]',
  'Origins.Items[].CustomOriginConfig.IpAddressType',
  'Origins.Items[].CustomOriginConfig.OriginReadTimeout',
  'Origins.Items[].CustomOriginConfig.OriginKeepaliveTimeout',
  'OriginGroups.Items[].Id',
  'OriginGroups.Items[].FailoverCriteria.StatusCodes.Items[]',
  'OriginGroups.Items[].Members.Items[].OriginId',
  'CacheBehaviors.Items[].PathPattern',
  'CustomErrorResponses.Items[].ErrorCode',
  'CustomErrorResponses.Items[].ResponsePagePath',
  'CustomErrorResponses.Items[].ResponseCode',
  'CustomErrorResponses.Items[].ErrorCachingMinTTL',
  ...BEHAVIOR_ACTS.flatMap((field) => [`DefaultCacheBehavior.${field}`, `CacheBehaviors.Items[].${field}`]),
])

/** What these say asks for nothing, with the reason. */
const HARMLESS: Readonly<Record<string, string>> = {
  'Logging.Bucket': 'AWS empties it while Logging.Enabled is false',
  'Logging.Prefix': 'AWS empties it while Logging.Enabled is false',
  'ViewerCertificate.CloudFrontDefaultCertificate': 'true is the default; false needs a certificate, which is refused',
}

const BEHAVIOR = {
  TargetOriginId: 'shop',
  ViewerProtocolPolicy: 'allow-all',
  CachePolicyId: '658327ea-f89d-4fab-a63d-7e88639e58f6',
}

/** Taken as it is; read as data, because members are set by their names. */
const accepted = (): Record<string, unknown> => ({
  CallerReference: `${Math.random()}`,
  Comment: '',
  Enabled: true,
  Origins: {
    Items: [
      {
        Id: 'shop',
        DomainName: '127.0.0.1',
        CustomOriginConfig: { HTTPPort: 8000, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' },
      },
    ],
  },
  DefaultCacheBehavior: { ...BEHAVIOR },
  CacheBehaviors: { Items: [{ ...BEHAVIOR, PathPattern: '/a' }] },
})

/** A value that is no default of anything. */
const sample = (schema: NormalizedSchema): unknown =>
  schema.isBooleanSchema() ? true : schema.isNumericSchema() ? 7 : 'other'

/** Sets one member, making what is on the way to it; a list on the way has one item. */
function set(into: Record<string, unknown>, path: string, value: unknown): void {
  const dot = path.indexOf('.')
  const [head, rest] = dot < 0 ? [path, ''] : [path.slice(0, dot), path.slice(dot + 1)]
  const name = head.replaceAll('[]', '')
  if (rest === '') {
    into[name] = head.endsWith('[]') ? [value] : value
    return
  }
  if (head.endsWith('[]')) {
    into[name] ??= [{}]
    set((into[name] as Record<string, unknown>[])[0]!, rest, value)
  } else {
    into[name] ??= {}
    set(into[name] as Record<string, unknown>, rest, value)
  }
}

test('each member of a DistributionConfig acts, is harmless, or is refused by name', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'cachefront-fields-'))
  const state = await openSqliteState(join(home, 'state.db'), systemClock)
  t.after(async () => {
    await state.close()
    await rm(home, { recursive: true })
  })
  const context: ServiceContext = {
    state,
    clock: systemClock,
    accountId: '123456789012',
    region: 'us-east-1',
    edgeDomain: 'cloudfront.localhost',
    quotas: quotasWith(),
    host: { binaries: () => [] },
  }
  const create = (config: Record<string, unknown>) =>
    createDistribution({ DistributionConfig: config as unknown as cloudfront.DistributionConfig }, context)
  await create(accepted())
  const members = membersOf('CreateDistribution', 'DistributionConfig')
  const paths = new Set(members.map(({ path }) => path))
  assert.deepEqual(
    [...ACTS, ...Object.keys(HARMLESS)].filter((path) => !paths.has(path)),
    [],
    'the tables name members that are there',
  )
  let refused = 0
  for (const { path, schema } of members) {
    if (ACTS.has(path)) continue
    const config = accepted()
    set(config, path, sample(schema))
    if (HARMLESS[path] !== undefined) {
      await create(config)
      continue
    }
    refused++
    await assert.rejects(
      create(config),
      (error) => {
        assert(error instanceof Fault, `${path}: ${error}`)
        assert(error.status === 400 || error.status === 501, `${path}: ${error.status}`)
        const words = path.split('.').map((word) => word.replaceAll('[]', ''))
        assert(
          words.some((word) => word !== 'Items' && error.message.includes(word)),
          `${path} is not named: ${error.message}`,
        )
        return true
      },
      path,
    )
  }
  assert(refused > 40)
})

test('a certificate beside the default one is refused, not dropped', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'cachefront-fields-'))
  const state = await openSqliteState(join(home, 'state.db'), systemClock)
  t.after(async () => {
    await state.close()
    await rm(home, { recursive: true })
  })
  for (const field of ['ACMCertificateArn', 'IAMCertificateId', 'Certificate']) {
    const config = { ...accepted(), ViewerCertificate: { CloudFrontDefaultCertificate: true, [field]: 'mine' } }
    await assert.rejects(
      createDistribution(
        { DistributionConfig: config as unknown as cloudfront.DistributionConfig },
        {
          state,
          clock: systemClock,
          accountId: '123456789012',
          region: 'us-east-1',
          edgeDomain: 'cloudfront.localhost',
          quotas: quotasWith(),
          host: { binaries: () => [] },
        },
      ),
      (error) => error instanceof Fault && error.code === 'InvalidViewerCertificate',
    )
  }
})

/** All of them reach the edge (control/plan/distribution-doc.ts) or the list of policies. */
const POLICY_MEMBERS = {
  CreateCachePolicy: [
    'Name',
    'Comment',
    'MinTTL',
    'DefaultTTL',
    'MaxTTL',
    ...[
      'EnableAcceptEncodingGzip',
      'EnableAcceptEncodingBrotli',
      'HeadersConfig.HeaderBehavior',
      'HeadersConfig.Headers.Items[]',
      'CookiesConfig.CookieBehavior',
      'CookiesConfig.Cookies.Items[]',
      'QueryStringsConfig.QueryStringBehavior',
      'QueryStringsConfig.QueryStrings.Items[]',
    ].map((member) => `ParametersInCacheKeyAndForwardedToOrigin.${member}`),
  ],
  CreateOriginRequestPolicy: [
    'Name',
    'Comment',
    'HeadersConfig.HeaderBehavior',
    'HeadersConfig.Headers.Items[]',
    'CookiesConfig.CookieBehavior',
    'CookiesConfig.Cookies.Items[]',
    'QueryStringsConfig.QueryStringBehavior',
    'QueryStringsConfig.QueryStrings.Items[]',
  ],
  CreateResponseHeadersPolicy: [
    'Name',
    'Comment',
    ...[
      'AccessControlAllowOrigins.Items[]',
      'AccessControlAllowHeaders.Items[]',
      'AccessControlAllowMethods.Items[]',
      'AccessControlAllowCredentials',
      'AccessControlExposeHeaders.Items[]',
      'AccessControlMaxAgeSec',
      'OriginOverride',
    ].map((member) => `CorsConfig.${member}`),
    ...[
      'XSSProtection.Override',
      'XSSProtection.Protection',
      'XSSProtection.ModeBlock',
      'XSSProtection.ReportUri',
      'FrameOptions.Override',
      'FrameOptions.FrameOption',
      'ReferrerPolicy.Override',
      'ReferrerPolicy.ReferrerPolicy',
      'ContentSecurityPolicy.Override',
      'ContentSecurityPolicy.ContentSecurityPolicy',
      'ContentTypeOptions.Override',
      'StrictTransportSecurity.Override',
      'StrictTransportSecurity.IncludeSubdomains',
      'StrictTransportSecurity.Preload',
      'StrictTransportSecurity.AccessControlMaxAgeSec',
    ].map((member) => `SecurityHeadersConfig.${member}`),
    'ServerTimingHeadersConfig.Enabled',
    'ServerTimingHeadersConfig.SamplingRate',
    'CustomHeadersConfig.Items[].Header',
    'CustomHeadersConfig.Items[].Value',
    'CustomHeadersConfig.Items[].Override',
    'RemoveHeadersConfig.Items[].Header',
  ],
} as const

test('the schemas of policies have no member that is not known here', () => {
  for (const [operation, known] of Object.entries(POLICY_MEMBERS)) {
    const members = membersOf(operation, `${operation.replace('Create', '')}Config`).map(({ path }) => path)
    assert.deepEqual(members.sort(), [...known].sort(), operation)
  }
})
