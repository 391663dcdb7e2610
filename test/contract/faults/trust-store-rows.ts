//! Faults of trust stores and of ViewerMtlsConfig (spec 1.5, 1.9, 2.1, 2.7, 15).
import type { ViewerMtlsConfig } from '@aws-sdk/client-cloudfront'
import { type FaultRow, type FaultSite, listed, row } from '../../support/fault-site.ts'

const SOURCE = { CaCertificatesBundleS3Location: { Bucket: 'certificates', Key: 'viewers.pem', Region: 'us-east-1' } }

const creating =
  (changes: object) =>
  ({ client }: FaultSite) =>
  () =>
    client.createTrustStore({ Name: 'mine', CaCertificatesBundleSource: SOURCE, ...changes })

const made = async ({ client }: FaultSite, Name = 'mine') => {
  const answer = await client.createTrustStore({ Name, CaCertificatesBundleSource: SOURCE })
  return { id: answer.TrustStore?.Id as string, arn: answer.TrustStore?.Arn as string, etag: answer.ETag as string }
}

/** As when its bundle has been read. */
async function active(site: FaultSite) {
  const store = await made(site)
  await site.state.transact(async (tx) => {
    const stored = await tx.get('trust-store', store.id)
    if (stored !== undefined) {
      await tx.put('trust-store', store.id, { ...stored.doc, status: 'active', certificates: ['PEM'] })
    }
  })
  return store
}

const https = ({ one }: FaultSite, changes: object = {}) => ({
  DefaultCacheBehavior: { ...one.config.DefaultCacheBehavior, ViewerProtocolPolicy: 'https-only', ...changes } as never,
})
const required = (TrustStoreId: string): ViewerMtlsConfig => ({ Mode: 'required', TrustStoreConfig: { TrustStoreId } })
const setting = (ViewerMtlsConfig: ViewerMtlsConfig) => (site: FaultSite) => () =>
  site.update({ ...https(site), ViewerMtlsConfig })
/** With a trust store that is active, and these changes to what it would otherwise be taken with. */
const attaching = (changes: (site: FaultSite, mtls: ViewerMtlsConfig) => object) => async (site: FaultSite) => {
  const ViewerMtlsConfig = required((await active(site)).id)
  return () => site.update({ ...https(site), ViewerMtlsConfig, ...changes(site, ViewerMtlsConfig) })
}

const NOBODY = 'ts_000000000000000000000000'

export const TRUST_STORE_ROWS: readonly FaultRow[] = [
  row('InvalidArgument', 400, '15', 'a trust store without a name', creating({ Name: '' })),
  row('InvalidArgument', 400, '15', 'a name with a space', creating({ Name: 'my store' })),
  row('InvalidArgument', 400, '15', 'a name of 65 characters', creating({ Name: 'x'.repeat(65) })),
  row('InvalidArgument', 400, '15', 'a bundle without a bucket', (site) =>
    creating({
      CaCertificatesBundleSource: { CaCertificatesBundleS3Location: { Bucket: '', Key: 'k', Region: 'us-east-1' } },
    })(site),
  ),
  row('InvalidTagging', 400, '1.8', 'a trust store with a tag of AWS', (site) =>
    creating({ Tags: { Items: [{ Key: 'aws:x', Value: '' }] } })(site),
  ),
  row('InvalidTagging', 400, '1.8', 'a trust store with a tag that acts on distributions', async (site) => {
    const { arn } = await made(site)
    return () =>
      site.client.tagResource({ Resource: arn, Tags: { Items: [{ Key: 'cachefront:rfc-strict', Value: 'true' }] } })
  }),
  row('EntityAlreadyExists', 409, '1.5', 'a name that is taken', async (site) => {
    await made(site)
    return creating({})(site)
  }),
  row(
    'EntityLimitExceeded',
    400,
    '2.7',
    'one trust store too many',
    async (site) => {
      await made(site)
      return creating({ Name: 'other' })(site)
    },
    { trustStores: 1 },
  ),
  row(
    'EntityNotFound',
    404,
    '1.5',
    'a trust store that is nobody’s',
    ({ client }) =>
      () =>
        client.getTrustStore({ Identifier: NOBODY }),
  ),
  row(
    'EntityNotFound',
    404,
    '1.5',
    'a change of a trust store that is nobody’s',
    ({ client }) =>
      () =>
        client.updateTrustStore({ Id: NOBODY, IfMatch: 'E1', CaCertificatesBundleSource: SOURCE }),
  ),
  row(
    'EntityNotFound',
    404,
    '1.5',
    'an end of a trust store that is nobody’s',
    ({ client }) =>
      () =>
        client.deleteTrustStore({ Id: NOBODY, IfMatch: 'E1' }),
  ),
  row(
    'EntityNotFound',
    404,
    '1.9',
    'distributions of a trust store that is nobody’s',
    ({ client }) =>
      () =>
        client.listDistributionsByTrustStore({ TrustStoreIdentifier: NOBODY }),
  ),
  row('PreconditionFailed', 412, '1.2', 'a change with an old ETag of a trust store', async (site) => {
    const { id, etag } = await made(site)
    await site.client.updateTrustStore({ Id: id, IfMatch: etag, CaCertificatesBundleSource: SOURCE })
    return () => site.client.updateTrustStore({ Id: id, IfMatch: etag, CaCertificatesBundleSource: SOURCE })
  }),
  row('InvalidIfMatchVersion', 400, '1.2', 'an end of a trust store with an ETag that is none', async (site) => {
    const { id } = await made(site)
    return () => site.client.deleteTrustStore({ Id: id, IfMatch: '?' })
  }),
  row('CannotDeleteEntityWhileInUse', 409, '1.5', 'an end of a trust store that a distribution names', async (site) => {
    const { id, etag } = await active(site)
    await site.update({ ...https(site), ViewerMtlsConfig: required(id) })
    return () => site.client.deleteTrustStore({ Id: id, IfMatch: etag })
  }),
  row(
    'NoSuchResource',
    404,
    '1.8',
    'tags of a trust store that is nobody’s',
    ({ client }) =>
      () =>
        client.listTagsForResource({ Resource: `arn:aws:cloudfront::123456789012:trust-store/${NOBODY}` }),
  ),
  row('InvalidArgument', 400, '2.1', 'a mode of mutual TLS that is none', setting({ Mode: 'sometimes' as never })),
  row('InvalidArgument', 400, '2.1', 'mutual TLS without a trust store', setting({ Mode: 'optional' })),
  row('EntityNotFound', 404, '2.1', 'mutual TLS with a trust store that is nobody’s', setting(required(NOBODY))),
  row('InvalidArgument', 400, '15', 'mutual TLS with a trust store that is pending', async (site) =>
    setting(required((await made(site)).id))(site),
  ),
  row(
    'InvalidArgument',
    400,
    '15',
    'passthrough with a trust store',
    attaching((_, mtls) => ({
      ViewerMtlsConfig: { ...mtls, Mode: 'passthrough' },
    })),
  ),
  row(
    'InvalidArgument',
    400,
    '15',
    'mutual TLS with plain HTTP',
    attaching((site) => https(site, { ViewerProtocolPolicy: 'allow-all' })),
  ),
  row(
    'InvalidArgument',
    400,
    '15',
    'mutual TLS with plain HTTP for one path',
    attaching(({ one }) => ({
      CacheBehaviors: listed({ ...one.config.DefaultCacheBehavior, PathPattern: '/open/*' } as never),
    })),
  ),
  row(
    'InvalidArgument',
    400,
    '15',
    'mutual TLS with HTTP/3',
    attaching(() => ({ HttpVersion: 'http2and3' })),
  ),
]
