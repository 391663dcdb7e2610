//! Faults of distributions as such: their life, names, behaviors, error pages, certificates, tags (spec 1.2-1.8, 2.1-2.6).

import type { CacheBehavior, DistributionConfig } from '@aws-sdk/client-cloudfront'
import { type FaultRow, type FaultSite, listed, many, row, updating } from '../../support/fault-site.ts'
import { viewerCertificate, withImported } from '../../support/viewer-certificate.ts'

/** The default behavior with these changes. */
const standard = (changes: object) => (config: DistributionConfig) => ({
  DefaultCacheBehavior: { ...config.DefaultCacheBehavior, ...changes } as DistributionConfig['DefaultCacheBehavior'],
})

/** Behaviors like the default one, at these patterns. */
const behaviors =
  (...patterns: string[]) =>
  ({ DefaultCacheBehavior }: DistributionConfig) => ({
    CacheBehaviors: listed(
      ...patterns.map((PathPattern) => ({ ...DefaultCacheBehavior, PathPattern }) as CacheBehavior),
    ),
  })

/** A replacement that lacks a member. */
const lacking = (field: keyof DistributionConfig) => (site: FaultSite) => () => {
  const { [field]: _, ...rest } = site.one.config
  return site.client.updateDistribution({
    Id: site.one.id,
    IfMatch: site.one.etag,
    DistributionConfig: rest as DistributionConfig,
  })
}

const errorResponse = (changes: object) => () => ({
  CustomErrorResponses: listed({ ErrorCode: 404, ResponsePagePath: '/404.html', ResponseCode: '200', ...changes }),
})

const certificate = (ViewerCertificate: DistributionConfig['ViewerCertificate']) => () => ({ ViewerCertificate })
const ACMCertificateArn = 'arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000'

/** Tags the distribution with a second certificate. */
const tagging =
  ({ client }: FaultSite, id: string, arn = '') =>
  () =>
    client.tagResource({
      Resource: `arn:aws:cloudfront::123456789012:distribution/${id}`,
      Tags: { Items: [{ Key: 'cachefront:second-certificate-arn', Value: arn }] },
    })

const invalid = (when: string, provoke: FaultRow['provoke'], section = '2.1'): FaultRow => ({
  ...{ code: 'InvalidArgument', status: 400, section, when, provoke },
})
export const DISTRIBUTION_ROWS: readonly FaultRow[] = [
  row(
    'NoSuchDistribution',
    404,
    '1.5',
    'an id that is nobody’s',
    (site) => () => site.client.deleteDistribution({ Id: 'E00000000000000', IfMatch: site.one.etag }),
  ),
  row(
    'InvalidIfMatchVersion',
    400,
    '1.2',
    'an update without If-Match',
    (site) => () =>
      site.client.updateDistribution({ Id: site.one.id, IfMatch: undefined, DistributionConfig: site.one.config }),
  ),
  row(
    'InvalidIfMatchVersion',
    400,
    '1.2',
    'a delete with a misshapen If-Match',
    (site) => () => site.client.deleteDistribution({ Id: site.one.id, IfMatch: 'no etag' }),
  ),
  row('PreconditionFailed', 412, '1.2', 'an update of what was updated meanwhile', async (site) => {
    await site.update({ Comment: 'newer' })
    return () => site.update({ Comment: 'stale' })
  }),
  row('PreconditionFailed', 412, '1.2', 'a delete by an old version', async (site) => {
    await site.update({ Enabled: false })
    return () => site.client.deleteDistribution({ Id: site.one.id, IfMatch: site.one.etag })
  }),
  row(
    'MissingBody',
    400,
    '1.5',
    'an update without a configuration',
    (site) => () =>
      site.client.updateDistribution({ Id: site.one.id, IfMatch: site.one.etag, DistributionConfig: undefined }),
  ),
  row(
    'InconsistentQuantities',
    400,
    '1.1',
    'a Quantity that is not the number of Items',
    updating(() => ({
      Aliases: { Quantity: 2, Items: ['www.example.com'] },
    })),
  ),
  ...(
    [
      'Aliases',
      'DefaultRootObject',
      'CacheBehaviors',
      'CustomErrorResponses',
      'Logging',
      'PriceClass',
      'ViewerCertificate',
      'Restrictions',
      'WebACLId',
      'HttpVersion',
    ] as const
  ).map((field) => row('IllegalUpdate', 400, '1.2', `an update without ${field}`, lacking(field))),
  ...(
    ['AllowedMethods', 'SmoothStreaming', 'Compress', 'LambdaFunctionAssociations', 'FieldLevelEncryptionId'] as const
  ).map((field) =>
    row(
      'IllegalUpdate',
      400,
      '1.2',
      `an update without DefaultCacheBehavior.${field}`,
      updating(standard({ [field]: undefined })),
    ),
  ),
  row(
    'IllegalUpdate',
    400,
    '1.2',
    'another CallerReference',
    updating(() => ({ CallerReference: 'another' })),
  ),
  row(
    'DistributionAlreadyExists',
    409,
    '1.7',
    'a CallerReference that was used',
    (site) => () => site.create({ CallerReference: site.one.config.CallerReference, Comment: 'whatever the content' }),
  ),
  row(
    'DistributionNotDisabled',
    409,
    '1.8',
    'a delete of what is enabled',
    (site) => () => site.client.deleteDistribution({ Id: site.one.id, IfMatch: site.one.etag }),
  ),
  row(
    'DistributionNotDisabled',
    409,
    '1.8',
    'a delete of what is disabled and not yet so at the edges',
    async (site) => {
      const { etag } = await site.update({ Enabled: false })
      return () => site.client.deleteDistribution({ Id: site.one.id, IfMatch: etag })
    },
  ),
  row('TooManyDistributions', 400, '2.7', 'one more than the account may have', (site) => () => site.create(), {
    distributions: 1,
  }),
  row('CNAMEAlreadyExists', 409, '2.1', 'an alias of another distribution', async (site) => {
    const named = await withImported(site.acm, ['www.example.com'])
    await site.create(named)
    return () => site.update(named)
  }),
  row('CNAMEAlreadyExists', 409, '1.8', 'an alias of another distribution that is disabled', async (site) => {
    const named = await withImported(site.acm, ['*.example.com'])
    await site.create({ Enabled: false, ...named })
    return () => site.create(named)
  }),
  row(
    'TooManyDistributionCNAMEs',
    400,
    '2.1',
    'more aliases than a distribution may have',
    updating(() => ({
      Aliases: listed(...many(101, (at) => `a${at}.example.com`)),
    })),
  ),
  invalid(
    'an alias in upper case',
    updating(() => ({ Aliases: listed('WWW.example.com') })),
  ),
  invalid(
    'an alias that is given twice',
    updating(() => ({ Aliases: listed('a.example.com', 'a.example.com') })),
  ),
  invalid(
    'an alias with a wildcard inside',
    updating(() => ({ Aliases: listed('a.*.example.com') })),
  ),
  invalid(
    'a Comment of 129 characters',
    updating(() => ({ Comment: 'x'.repeat(129) })),
  ),
  invalid(
    'a PriceClass that is none',
    updating(() => ({ PriceClass: 'PriceClass_300' as never })),
  ),
  invalid(
    'an HttpVersion that is none',
    updating(() => ({ HttpVersion: 'http4' as never })),
  ),
  row(
    'InvalidDefaultRootObject',
    400,
    '2.1',
    'a leading slash',
    updating(() => ({ DefaultRootObject: '/index.html' })),
  ),
  row(
    'InvalidDefaultRootObject',
    400,
    '2.1',
    'a character that it cannot have',
    updating(() => ({ DefaultRootObject: 'a b' })),
  ),
  row(
    'InvalidDefaultRootObject',
    400,
    '2.1',
    '256 characters',
    updating(() => ({ DefaultRootObject: 'x'.repeat(256) })),
  ),
  row(
    'InvalidGeoRestrictionParameter',
    400,
    '2.1',
    'countries beside the type none',
    updating(() => ({
      Restrictions: { GeoRestriction: { RestrictionType: 'none', ...listed('DE') } },
    })),
  ),
  row(
    'InvalidGeoRestrictionParameter',
    400,
    '2.1',
    'a whitelist of nobody',
    updating(() => ({
      Restrictions: { GeoRestriction: { RestrictionType: 'whitelist', Quantity: 0 } },
    })),
  ),
  row(
    'InvalidLocationCode',
    400,
    '2.1',
    'a country that is not two capitals',
    updating(() => ({
      Restrictions: { GeoRestriction: { RestrictionType: 'whitelist', ...listed('DE', 'fr') } },
    })),
  ),
  row(
    'InvalidLocationCode',
    400,
    '2.1',
    'a country that is none, as UK for GB: its viewers would not be kept out',
    updating(() => ({
      Restrictions: { GeoRestriction: { RestrictionType: 'blacklist', ...listed('UK') } },
    })),
  ),
  row(
    'InvalidWebACLId',
    400,
    '2.1',
    'what is neither an ARN of WAFv2 nor an id of WAF Classic',
    updating(() => ({
      WebACLId: 'my-acl',
    })),
  ),
  row(
    'InvalidWebACLId',
    400,
    '2.1',
    'a web ACL that is not there',
    updating(() => ({
      WebACLId: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/mine/00000000-0000-0000-0000-000000000000',
    })),
  ),
  row(
    'NoSuchOrigin',
    404,
    '2.3',
    'a TargetOriginId that no origin has',
    updating(standard({ TargetOriginId: 'nobody' })),
  ),
  row(
    'TooManyCacheBehaviors',
    400,
    '2.1',
    'more behaviors than a distribution may have',
    updating(behaviors(...many(76, (at) => `/${at}/*`))),
  ),
  row(
    'TooManyCacheBehaviors',
    400,
    '2.1',
    'more than the operator’s own quota',
    updating(behaviors('/a/*', '/b/*', '/c/*')),
    { behaviorsPerDistribution: 2 },
  ),
  invalid('a pattern with a character that it cannot have', updating(behaviors('/a|b')), '2.3'),
  invalid('a pattern of 256 characters', updating(behaviors(`/${'x'.repeat(255)}`)), '2.3'),
  invalid('one pattern twice, with and without its slash', updating(behaviors('/a/*', 'a/*')), '2.3'),
  invalid('a ViewerProtocolPolicy that is none', updating(standard({ ViewerProtocolPolicy: 'http-only' })), '2.3'),
  invalid(
    'a set of methods that is not legal',
    updating(
      standard({
        AllowedMethods: { ...listed('GET', 'HEAD', 'POST'), CachedMethods: listed('GET', 'HEAD') },
      }),
    ),
    '2.3',
  ),
  invalid(
    'a cached method that is not allowed',
    updating(
      standard({
        AllowedMethods: { ...listed('GET', 'HEAD'), CachedMethods: listed('GET', 'HEAD', 'OPTIONS') },
      }),
    ),
    '2.3',
  ),
  invalid('neither a cache policy nor ForwardedValues', updating(standard({ CachePolicyId: undefined })), '2.3'),
  invalid('TTLs beside a cache policy', updating(standard({ MinTTL: 0 })), '2.3'),
  row(
    'InvalidTTLOrder',
    400,
    '2.3',
    'a MinTTL above the DefaultTTL',
    updating(
      standard({
        ...{ CachePolicyId: undefined, MinTTL: 60, DefaultTTL: 30, MaxTTL: 90 },
        ForwardedValues: { QueryString: false, Cookies: { Forward: 'none' } },
      }),
    ),
  ),
  row('InvalidErrorCode', 400, '2.5', 'a page for 412', updating(errorResponse({ ErrorCode: 412 }))),
  row('InvalidResponseCode', 400, '2.5', 'a page under 201', updating(errorResponse({ ResponseCode: '201' }))),
  row(
    'InvalidRelativePath',
    400,
    '2.5',
    'a page without its slash',
    updating(errorResponse({ ResponsePagePath: '404.html' })),
  ),
  invalid('a page without a response code', updating(errorResponse({ ResponseCode: undefined })), '2.5'),
  invalid(
    'two responses for one error',
    updating(() => ({
      CustomErrorResponses: listed({ ErrorCode: 404 }, { ErrorCode: 404, ErrorCachingMinTTL: 5 }),
    })),
    '2.5',
  ),
  row(
    'InvalidViewerCertificate',
    400,
    '2.6',
    'a certificate beside the default one',
    updating(
      certificate({
        ...{ CloudFrontDefaultCertificate: true, ACMCertificateArn },
      }),
    ),
  ),
  row(
    'InvalidViewerCertificate',
    400,
    '2.6',
    'a certificate without its SSLSupportMethod',
    updating(
      certificate({
        ...{ ACMCertificateArn, MinimumProtocolVersion: 'TLSv1.2_2021' },
      }),
    ),
  ),
  row('TooManyCertificates', 400, '2.6', 'no address is left for a further distribution with its own', async (site) => {
    const { ViewerCertificate } = await withImported(site.acm, [], ['www.example.com'])
    const vip = { ViewerCertificate: { ...ViewerCertificate, SSLSupportMethod: 'vip' as const } }
    await site.create(vip)
    return () => site.update(vip)
  }),
  row(
    'InvalidMinimumProtocolVersion',
    400,
    '2.6',
    'a protocol version that is none',
    updating(
      certificate({
        ...{ ACMCertificateArn, SSLSupportMethod: 'sni-only', MinimumProtocolVersion: 'TLSv1.4' as never },
      }),
    ),
  ),
  row(
    'InvalidProtocolSettings',
    400,
    '2.6',
    'SSLv3 for viewers that send SNI',
    updating(
      certificate({
        ...{ ACMCertificateArn, SSLSupportMethod: 'sni-only', MinimumProtocolVersion: 'SSLv3' },
      }),
    ),
  ),
  row(
    'InvalidViewerCertificate',
    400,
    '2.1',
    'an alias and the default certificate',
    (site) => () => site.update({ Aliases: listed('www.example.com') }),
  ),
  row('InvalidViewerCertificate', 400, '2.1', 'an alias that the certificate does not cover', async (site) => {
    const named = await withImported(site.acm, ['www.example.com', 'a.b.example.com'], ['*.example.com'])
    return () => site.create(named)
  }),
  row('InvalidViewerCertificate', 400, '2.1', 'a wildcard alias and a certificate for one name', async (site) => {
    const named = await withImported(site.acm, ['*.example.com'], ['www.example.com'])
    return () => site.create(named)
  }),
  row(
    'InvalidViewerCertificate',
    400,
    '2.6',
    'a certificate that is not there',
    updating(certificate(viewerCertificate(ACMCertificateArn))),
  ),
  row(
    'InvalidViewerCertificate',
    400,
    '2.6',
    'a certificate of another region',
    updating(certificate(viewerCertificate(ACMCertificateArn.replace('us-east-1', 'eu-west-1')))),
  ),
  row(
    'InvalidViewerCertificate',
    400,
    '2.6',
    'certificates of ACM and of IAM at once',
    updating(certificate({ ...viewerCertificate(ACMCertificateArn), IAMCertificateId: 'ASCAEXAMPLE' })),
  ),
  row('InvalidViewerCertificate', 400, '2.6', 'a certificate that is not issued yet', async (site) => {
    const { CertificateArn = '' } = await site.acm.requestCertificate({ DomainName: 'www.example.com' })
    return () => site.update({ ViewerCertificate: viewerCertificate(CertificateArn) })
  }),
  ...(
    [
      ['RSA of 1024 bits', { rsa: true, bits: 1_024 }],
      ['P-521', { curve: 'P-521' }],
    ] as const
  ).map(([when, key]) =>
    row(
      'InvalidViewerCertificate',
      400,
      '2.6',
      `a certificate with a key that viewers are not served: ${when}`,
      async (site) => {
        const { ViewerCertificate } = await withImported(site.acm, [], ['www.example.com'], key)
        return () => site.update({ ViewerCertificate })
      },
    ),
  ),
  row('InvalidTagging', 400, '1.8', 'a second certificate beside the default one', async (site) => {
    const { ViewerCertificate } = await withImported(site.acm, [], ['www.example.com'])
    return tagging(site, site.one.id, ViewerCertificate?.ACMCertificateArn)
  }),
  row('InvalidTagging', 400, '1.8', 'a second certificate with a key of the same kind', async (site) => {
    const { id } = await site.create(await withImported(site.acm, ['www.example.com']))
    const { ViewerCertificate } = await withImported(site.acm, ['www.example.com'])
    return tagging(site, id, ViewerCertificate?.ACMCertificateArn)
  }),
  row('InvalidTagging', 400, '1.8', 'a second certificate that does not cover an alias', async (site) => {
    const { id } = await site.create(await withImported(site.acm, ['www.example.com']))
    const { ViewerCertificate } = await withImported(site.acm, [], ['api.example.com'], { rsa: true })
    return tagging(site, id, ViewerCertificate?.ACMCertificateArn)
  }),
  row('InvalidTagging', 400, '1.8', 'a second certificate that is no ARN', (site) =>
    tagging(site, site.one.id, 'mine'),
  ),
  row('InvalidViewerCertificate', 400, '2.6', 'the default certificate while a second one is tagged', async (site) => {
    const made = await site.create(await withImported(site.acm, [], ['www.example.com']))
    const { ViewerCertificate } = await withImported(site.acm, [], ['www.example.com'], { rsa: true })
    await tagging(site, made.id, ViewerCertificate?.ACMCertificateArn)()
    return () => site.update({ ViewerCertificate: { CloudFrontDefaultCertificate: true } }, made)
  }),
  row(
    'NoSuchResource',
    404,
    '1.5',
    'tags of a distribution that is not there',
    (site) => () =>
      site.client.listTagsForResource({ Resource: 'arn:aws:cloudfront::123456789012:distribution/E0000000000000' }),
  ),
  ...(
    [
      ['a key that begins with aws:', [{ Key: 'aws:mine', Value: '' }]],
      ['a key of 129 characters', [{ Key: 'k'.repeat(129), Value: '' }]],
      ['a value with a character that it cannot have', [{ Key: 'k', Value: '<' }]],
      ['51 tags', many(51, (at) => ({ Key: `k${at}`, Value: '' }))],
    ] as const
  ).map(([when, Items]) =>
    row('InvalidTagging', 400, '1.8', when, (site) => async () => {
      const Resource = `arn:aws:cloudfront::123456789012:distribution/${site.one.id}`
      return site.client.tagResource({ Resource, Tags: { Items: [...Items] } })
    }),
  ),
]
