//! Origin access controls and identities by AWS's SDK over the wire (spec/cloudfront.md 1.2-1.4, 1.7-1.9). What is refused
//! is in the table of faults.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Origin, OriginAccessControlConfig } from '@aws-sdk/client-cloudfront'
import { FaultSite, listed } from '../support/fault-site.ts'

const ALWAYS: OriginAccessControlConfig = {
  Name: 'shop',
  Description: 'for the shop',
  SigningProtocol: 'sigv4',
  SigningBehavior: 'always',
  OriginAccessControlOriginType: 's3',
}

const withSite = (work: (site: FaultSite) => Promise<void>) => () => FaultSite.use({}, work)

test(
  'an origin access control is made, read, replaced, listed and deleted',
  withSite(async ({ client }) => {
    const made = await client.createOriginAccessControl({ OriginAccessControlConfig: ALWAYS })
    const id = made.OriginAccessControl?.Id as string
    assert.match(id, /^E[A-Z0-9]{13}$/)
    assert.equal(made.Location, `https://cloudfront.amazonaws.com/2020-05-31/origin-access-control/${id}`)
    assert.deepEqual(made.OriginAccessControl?.OriginAccessControlConfig, ALWAYS)
    const read = await client.getOriginAccessControl({ Id: id })
    assert.deepEqual([read.ETag, read.OriginAccessControl], [made.ETag, made.OriginAccessControl])
    const config = await client.getOriginAccessControlConfig({ Id: id })
    assert.deepEqual([config.ETag, config.OriginAccessControlConfig], [made.ETag, ALWAYS])
    const OriginAccessControlConfig = { ...ALWAYS, SigningBehavior: 'no-override' } as const
    const changed = await client.updateOriginAccessControl({ Id: id, IfMatch: made.ETag, OriginAccessControlConfig })
    assert.notEqual(changed.ETag, made.ETag)
    assert.deepEqual((await client.getOriginAccessControl({ Id: id })).OriginAccessControl, changed.OriginAccessControl)
    const { OriginAccessControlList: list } = await client.listOriginAccessControls({})
    assert.deepEqual(list?.Items, [{ Id: id, ...OriginAccessControlConfig }])
    await client.deleteOriginAccessControl({ Id: id, IfMatch: changed.ETag })
    assert.equal((await client.listOriginAccessControls({})).OriginAccessControlList?.Quantity, 0)
  }),
)

test(
  'origin access controls are listed page by page',
  withSite(async ({ client }) => {
    for (const Name of ['a', 'b', 'c']) {
      await client.createOriginAccessControl({ OriginAccessControlConfig: { ...ALWAYS, Name } })
    }
    const first = (await client.listOriginAccessControls({ MaxItems: 2 })).OriginAccessControlList
    assert.deepEqual([first?.Quantity, first?.IsTruncated, first?.Marker], [2, true, ''])
    const rest = (await client.listOriginAccessControls({ Marker: first?.NextMarker })).OriginAccessControlList
    assert.deepEqual([rest?.Quantity, rest?.IsTruncated], [1, false])
    const names = [...(first?.Items ?? []), ...(rest?.Items ?? [])].map(({ Name }) => Name)
    assert.deepEqual(names.sort(), ['a', 'b', 'c'])
  }),
)

test(
  'a bucket with an origin access control comes back with every field, and a change of the control is deployed to it',
  withSite(async (site) => {
    const { client } = site
    const made = await client.createOriginAccessControl({ OriginAccessControlConfig: ALWAYS })
    const OriginAccessControlId = made.OriginAccessControl?.Id as string
    const DomainName = 'shop.s3.eu-central-1.amazonaws.com'
    const bucket: Origin = {
      ...{ Id: 'origin', DomainName, OriginAccessControlId, S3OriginConfig: { OriginAccessIdentity: '' } },
    }
    const { TargetOriginId = '' } = site.one.config.DefaultCacheBehavior ?? {}
    const { id, config } = await site.update({ Origins: listed({ ...bucket, Id: TargetOriginId }) })
    assert.deepEqual(config.Origins?.Items?.[0], {
      ...{ Id: TargetOriginId, DomainName, OriginAccessControlId, OriginPath: '', CustomHeaders: { Quantity: 0 } },
      S3OriginConfig: { OriginAccessIdentity: '', OriginReadTimeout: 30 },
      ...{ ConnectionAttempts: 3, ConnectionTimeout: 10, OriginShield: { Enabled: false } },
    })
    await site.deploy(id)
    const OriginAccessControlConfig = { ...ALWAYS, SigningBehavior: 'never' } as const
    const change = { Id: OriginAccessControlId, IfMatch: made.ETag, OriginAccessControlConfig }
    const before = await client.getDistribution({ Id: id })
    await client.updateOriginAccessControl(change)
    const after = await client.getDistribution({ Id: id })
    assert.deepEqual([before.Distribution?.Status, after.Distribution?.Status], ['Deployed', 'InProgress'])
    assert.equal(after.ETag, before.ETag)
  }),
)

for (const [field, value] of [
  ['SigningProtocol', 'sigv4a'],
  ['SigningBehavior', 'always-amz-auth'],
  ['OriginAccessControlOriginType', 'lambda'],
  ['OriginAccessControlOriginType', 'mediastore'],
  ['OriginAccessControlOriginType', 'mediapackagev2'],
] as const) {
  test(
    `${field} ${value} is not built: 501 with its name`,
    withSite(async ({ client }) => {
      await assert.rejects(
        client.createOriginAccessControl({ OriginAccessControlConfig: { ...ALWAYS, [field]: value } }),
        (error: Error) =>
          error.name === 'NotImplemented' && error.message.includes(field) && error.message.includes(value),
      )
    }),
  )
}

test(
  'names of load balancers, websites of buckets and folders, addresses and localhost are origins',
  withSite(async (site) => {
    const one = site.one.config.Origins?.Items?.[0] as Origin
    for (const DomainName of [
      'shop-1234567890.eu-west-1.elb.amazonaws.com',
      'shop.s3-website-us-east-1.amazonaws.com',
      'site.folder.cachefront',
      site.one.domainName,
      'backend',
      '10.1.2.3',
      '::1',
      'localhost',
    ]) {
      const { config } = await site.create({ Origins: listed({ ...one, DomainName }) })
      assert.equal(config.Origins?.Items?.[0]?.DomainName, DomainName)
    }
  }),
)

test(
  'an access point as an origin is not built: 501 with its name',
  withSite(async (site) => {
    const DomainName = 'point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com'
    const Id = site.one.config.DefaultCacheBehavior?.TargetOriginId
    await assert.rejects(
      site.update({ Origins: listed({ Id, DomainName, S3OriginConfig: { OriginAccessIdentity: '' } }) }),
      (error: Error) => error.name === 'NotImplemented' && /access point/.test(error.message),
    )
  }),
)

test(
  'an origin access identity is made, found again by its reference, read, commented, listed and deleted',
  withSite(async ({ client }) => {
    const CloudFrontOriginAccessIdentityConfig = { CallerReference: 'one', Comment: 'first' }
    const made = await client.createCloudFrontOriginAccessIdentity({ CloudFrontOriginAccessIdentityConfig })
    const { Id: id, S3CanonicalUserId = '' } = made.CloudFrontOriginAccessIdentity ?? {}
    assert.match(id ?? '', /^E[A-Z0-9]{13}$/)
    assert.match(S3CanonicalUserId, /^[0-9a-f]{96}$/)
    assert.equal(made.Location, `https://cloudfront.amazonaws.com/2020-05-31/origin-access-identity/cloudfront/${id}`)
    const again = await client.createCloudFrontOriginAccessIdentity({ CloudFrontOriginAccessIdentityConfig })
    assert.deepEqual(again.CloudFrontOriginAccessIdentity, made.CloudFrontOriginAccessIdentity)
    assert.equal(again.ETag, made.ETag)
    const read = await client.getCloudFrontOriginAccessIdentity({ Id: id })
    assert.deepEqual(read.CloudFrontOriginAccessIdentity, made.CloudFrontOriginAccessIdentity)
    const config = await client.getCloudFrontOriginAccessIdentityConfig({ Id: id })
    assert.deepEqual(config.CloudFrontOriginAccessIdentityConfig, CloudFrontOriginAccessIdentityConfig)
    const changed = await client.updateCloudFrontOriginAccessIdentity({
      ...{ Id: id, IfMatch: made.ETag },
      CloudFrontOriginAccessIdentityConfig: { CallerReference: 'one', Comment: 'second' },
    })
    assert.notEqual(changed.ETag, made.ETag)
    const { CloudFrontOriginAccessIdentityList: list } = await client.listCloudFrontOriginAccessIdentities({})
    assert.deepEqual(list?.Items, [{ Id: id, S3CanonicalUserId, Comment: 'second' }])
    await client.deleteCloudFrontOriginAccessIdentity({ Id: id, IfMatch: changed.ETag })
    assert.equal(
      (await client.listCloudFrontOriginAccessIdentities({})).CloudFrontOriginAccessIdentityList?.Quantity,
      0,
    )
  }),
)
