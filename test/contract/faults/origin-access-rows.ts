//! Faults of S3 origins, origin access controls and origin access identities (spec 1.5, 1.7, 2.2, 2.7, 7.1-7.3).
import type { DistributionConfig, Origin } from '@aws-sdk/client-cloudfront'
import { type FaultRow, type FaultSite, listed, row } from '../../support/fault-site.ts'

const BUCKET = 'shop.s3.eu-central-1.amazonaws.com'

const control = (changes: object = {}) => ({
  ...{ Name: 'mine', SigningProtocol: 'sigv4', SigningBehavior: 'always', OriginAccessControlOriginType: 's3' },
  ...changes,
})
const newControl =
  (changes: object) =>
  ({ client }: FaultSite) =>
  () =>
    client.createOriginAccessControl({ OriginAccessControlConfig: control(changes) as never })
const madeControl = async ({ client }: FaultSite, Name = 'mine') => {
  const made = await client.createOriginAccessControl({ OriginAccessControlConfig: control({ Name }) as never })
  return { id: made.OriginAccessControl?.Id as string, etag: made.ETag as string }
}

const newIdentity = async ({ client }: FaultSite, CallerReference: string, Comment = '') => {
  const made = await client.createCloudFrontOriginAccessIdentity({
    CloudFrontOriginAccessIdentityConfig: { CallerReference, Comment },
  })
  return { id: made.CloudFrontOriginAccessIdentity?.Id as string, etag: made.ETag as string }
}

const first = (config: DistributionConfig): Origin => config.Origins?.Items?.[0] as Origin

/** The site's configuration with its origin made a bucket. */
function bucket(config: DistributionConfig, changes: object = {}): Partial<DistributionConfig> {
  const { CustomOriginConfig: _, ...one } = first(config)
  const origin = { ...one, DomainName: BUCKET, S3OriginConfig: { OriginAccessIdentity: '' }, ...changes }
  return { Origins: listed(origin as Origin) }
}
const withBucket = (changes: object) => (site: FaultSite) => () => site.update(bucket(site.one.config, changes))

const NOBODY = 'E00000000000000'
const HOST_HEADER_ONLY = 'bf0718e1-ba1e-49d1-88b1-f726733018ae'

export const ORIGIN_ACCESS_ROWS: readonly FaultRow[] = [
  row('InvalidArgument', 400, '7.2', 'a control without a name', newControl({ Name: '' })),
  row('InvalidArgument', 400, '7.2', 'a name of 65 characters', newControl({ Name: 'x'.repeat(65) })),
  row('InvalidArgument', 400, '7.2', 'a signing protocol that is none', newControl({ SigningProtocol: 'sigv2' })),
  row('InvalidArgument', 400, '7.2', 'a signing behavior that is none', newControl({ SigningBehavior: 'sometimes' })),
  row('InvalidArgument', 400, '7.2', 'a type that is none', newControl({ OriginAccessControlOriginType: 'ftp' })),
  row('OriginAccessControlAlreadyExists', 409, '1.7', 'a name that is taken', async (site) => {
    await madeControl(site)
    return newControl({})(site)
  }),
  row('OriginAccessControlAlreadyExists', 409, '1.7', 'an update to a name that is taken', async (site) => {
    await madeControl(site)
    const { id, etag } = await madeControl(site, 'other')
    return () =>
      site.client.updateOriginAccessControl({
        ...{ Id: id, IfMatch: etag, OriginAccessControlConfig: control() as never },
      })
  }),
  row(
    'TooManyOriginAccessControls',
    400,
    '2.7',
    'more than an account may have',
    async (site) => {
      await madeControl(site, 'other')
      return newControl({})(site)
    },
    { originAccessControls: 1 },
  ),
  row(
    'NoSuchOriginAccessControl',
    404,
    '1.5',
    'one that does not exist',
    (site) => () => site.client.getOriginAccessControl({ Id: NOBODY }),
  ),
  row(
    'NoSuchOriginAccessControl',
    404,
    '1.5',
    'the deletion of one that does not exist',
    (site) => () => site.client.deleteOriginAccessControl({ Id: NOBODY, IfMatch: 'E1' }),
  ),
  row('InvalidIfMatchVersion', 400, '1.2', 'the deletion of a control without a version', async (site) => {
    const { id } = await madeControl(site)
    return () => site.client.deleteOriginAccessControl({ Id: id })
  }),
  row('PreconditionFailed', 412, '1.2', 'an update of an older version of a control', async (site) => {
    const { id } = await madeControl(site)
    return () =>
      site.client.updateOriginAccessControl({
        ...{ Id: id, IfMatch: 'EOLD', OriginAccessControlConfig: control() as never },
      })
  }),
  row('OriginAccessControlInUse', 409, '1.8', 'the deletion of one that an origin has', async (site) => {
    const { id, etag } = await madeControl(site)
    await site.update(bucket(site.one.config, { OriginAccessControlId: id }))
    return () => site.client.deleteOriginAccessControl({ Id: id, IfMatch: etag })
  }),
  row(
    'TooManyDistributionsAssociatedToOriginAccessControl',
    400,
    '2.7',
    'an origin of one distribution more than it may serve',
    async (site) => {
      const { id } = await madeControl(site)
      const changes = bucket(site.one.config, { OriginAccessControlId: id })
      await site.create(changes)
      return () => site.update(changes)
    },
    { distributionsPerOriginAccessControl: 1 },
  ),
  row(
    'InvalidOriginAccessControl',
    400,
    '7.2',
    'a control that does not exist',
    withBucket({ OriginAccessControlId: NOBODY }),
  ),
  row('InvalidOriginAccessControl', 400, '7.2', 'a bucket configured as a custom origin', async (site) => {
    const { id } = await madeControl(site)
    const { CustomOriginConfig } = first(site.one.config)
    return withBucket({ OriginAccessControlId: id, S3OriginConfig: undefined, CustomOriginConfig })(site)
  }),
  row('InvalidDomainNameForOriginAccessControl', 400, '7.2', 'an origin that is no bucket', async (site) => {
    const { id } = await madeControl(site)
    return withBucket({ OriginAccessControlId: id, DomainName: 'shop.example.com' })(site)
  }),
  row('InvalidDomainNameForOriginAccessControl', 400, '7.2', 'a website endpoint', async (site) => {
    const { id } = await madeControl(site)
    const DomainName = 'shop.s3-website-us-east-1.amazonaws.com'
    return withBucket({ OriginAccessControlId: id, DomainName })(site)
  }),
  row('IllegalOriginAccessConfiguration', 400, '2.2', 'a control and an identity', async (site) => {
    const { id } = await madeControl(site)
    const identity = await newIdentity(site, 'one')
    const OriginAccessIdentity = `origin-access-identity/cloudfront/${identity.id}`
    return withBucket({ OriginAccessControlId: id, S3OriginConfig: { OriginAccessIdentity } })(site)
  }),
  row(
    'InvalidOriginAccessIdentity',
    400,
    '2.2',
    'an identity that does not exist',
    withBucket({ S3OriginConfig: { OriginAccessIdentity: `origin-access-identity/cloudfront/${NOBODY}` } }),
  ),
  row('InvalidOriginAccessIdentity', 400, '2.2', 'an identity by its id alone', async (site) => {
    const { id } = await newIdentity(site, 'one')
    return withBucket({ S3OriginConfig: { OriginAccessIdentity: id } })(site)
  }),
  row(
    'InvalidArgument',
    400,
    '2.2',
    'an S3 origin that is not named like a bucket',
    withBucket({ DomainName: 'shop.example.com' }),
  ),
  row(
    'InvalidOriginReadTimeout',
    400,
    '2.2',
    'a read timeout of 121 seconds for a bucket',
    withBucket({ S3OriginConfig: { OriginAccessIdentity: '', OriginReadTimeout: 121 } }),
  ),
  row('InvalidHeadersForS3Origin', 400, '6.1', 'a managed policy that forwards Host', (site) => () => {
    const { DefaultCacheBehavior } = site.one.config
    const behavior = { ...DefaultCacheBehavior, OriginRequestPolicyId: HOST_HEADER_ONLY } as never
    return site.update({ ...bucket(site.one.config), DefaultCacheBehavior: behavior })
  }),
  row('InvalidHeadersForS3Origin', 400, '6.1', 'a policy of the account that lists Host', async (site) => {
    const none = {
      CookiesConfig: { CookieBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: 'none' },
    } as const
    const HeadersConfig = { HeaderBehavior: 'whitelist', Headers: listed('Host') } as const
    const OriginRequestPolicyConfig = { Name: 'host', HeadersConfig, ...none }
    const made = await site.client.createOriginRequestPolicy({ OriginRequestPolicyConfig })
    const OriginRequestPolicyId = made.OriginRequestPolicy?.Id
    return () => {
      const behavior = { ...site.one.config.DefaultCacheBehavior, OriginRequestPolicyId } as never
      return site.update({ ...bucket(site.one.config), DefaultCacheBehavior: behavior })
    }
  }),
  row('CloudFrontOriginAccessIdentityAlreadyExists', 409, '1.7', 'one reference, another comment', async (site) => {
    await newIdentity(site, 'one', 'first')
    return () => newIdentity(site, 'one', 'second')
  }),
  row(
    'TooManyCloudFrontOriginAccessIdentities',
    400,
    '2.7',
    'more than an account may have',
    async (site) => {
      await newIdentity(site, 'one')
      return () => newIdentity(site, 'two')
    },
    { originAccessIdentities: 1 },
  ),
  row(
    'NoSuchCloudFrontOriginAccessIdentity',
    404,
    '1.5',
    'one that does not exist',
    (site) => () => site.client.getCloudFrontOriginAccessIdentityConfig({ Id: NOBODY }),
  ),
  row('CloudFrontOriginAccessIdentityInUse', 409, '1.8', 'the deletion of one that an origin has', async (site) => {
    const { id, etag } = await newIdentity(site, 'one')
    const OriginAccessIdentity = `origin-access-identity/cloudfront/${id}`
    await site.update(bucket(site.one.config, { S3OriginConfig: { OriginAccessIdentity } }))
    return () => site.client.deleteCloudFrontOriginAccessIdentity({ Id: id, IfMatch: etag })
  }),
  row('IllegalUpdate', 400, '1.2', 'another caller reference of an identity', async (site) => {
    const { id, etag } = await newIdentity(site, 'one')
    const CloudFrontOriginAccessIdentityConfig = { CallerReference: 'two', Comment: '' }
    return () =>
      site.client.updateCloudFrontOriginAccessIdentity({
        ...{ Id: id, IfMatch: etag, CloudFrontOriginAccessIdentityConfig },
      })
  }),
  row('PreconditionFailed', 412, '1.2', 'the deletion of an older version of an identity', async (site) => {
    const { id } = await newIdentity(site, 'one')
    return () => site.client.deleteCloudFrontOriginAccessIdentity({ Id: id, IfMatch: 'EOLD' })
  }),
]
