//! Trust stores through AWS's SDK (spec/cloudfront.md 1.9, 15): bundles out of a real S3-compatible server and out of a
//! folder are read by the task, which alone says `active` or `failed`; tags, lists and ETags.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { Stores } from '../../../src/control/stores/stores.ts'
import { trustStoresTask } from '../../../src/control/tasks/trust-stores.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { ClientAuthority } from '../../support/client-certificates.ts'
import { FaultSite } from '../../support/fault-site.ts'
import { S3_KEYS, startS3 } from '../../support/s3-server.ts'

const located = (Bucket: string, Key: string, Version?: string) => ({
  CaCertificatesBundleS3Location: { Bucket, Key, Region: 'us-east-1', ...(Version ? { Version } : {}) },
})

interface Place {
  /** What the task does. */
  read(site: FaultSite): Promise<readonly string[]>
  /** Writes an object of the bucket `certificates`. */
  put(key: string, body: string): Promise<unknown>
  /** Writes a file of the bucket `ca.folder.cachefront`. */
  file(name: string, body: string): Promise<void>
}

async function place(t: TestContext): Promise<Place> {
  const s3 = await startS3([{ name: 'certificates' }])
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-ca-'))
  const client = new S3Client({ endpoint: s3.url, region: 'us-east-1', forcePathStyle: true, credentials: S3_KEYS })
  t.after(async () => {
    client.destroy()
    await s3.close()
    await rm(directory, { recursive: true })
  })
  const stores = new Stores({
    s3: { endpoint: s3.url, region: 'us-east-1', keys: S3_KEYS },
    folders: new Map([['ca', directory]]),
  })
  const { signal } = new AbortController()
  return {
    read: ({ state }) => trustStoresTask({ state, stores, clock: systemClock, signal }).task.run(),
    put: (Key, Body) => client.send(new PutObjectCommand({ Bucket: 'certificates', Key, Body })),
    file: (name, body) => writeFile(join(directory, name), body),
  }
}

test('a trust store is pending until its bundle was read, then active; its distributions follow a change', async (t) => {
  const { read, put, file } = await place(t)
  const root = await ClientAuthority.root()
  const below = await root.intermediate()
  await put('viewers.pem', root.pem + below.pem)
  await file('other.pem', root.pem)
  await FaultSite.use({}, async (site) => {
    const { client } = site
    const made = await client.createTrustStore({
      Name: 'viewers',
      CaCertificatesBundleSource: located('certificates', 'viewers.pem'),
      Tags: { Items: [{ Key: 'team', Value: 'edge' }] },
    })
    const { Id = '', Arn = '' } = made.TrustStore ?? {}
    assert.match(Id, /^ts_[A-Za-z0-9]{24}$/)
    assert.equal(Arn, `arn:aws:cloudfront::123456789012:trust-store/${Id}`)
    assert.equal(made.TrustStore?.Status, 'pending')
    assert.equal(made.TrustStore?.NumberOfCaCertificates, 0)
    await read(site)
    for (const Identifier of [Id, Arn, 'viewers']) {
      const got = await client.getTrustStore({ Identifier })
      assert.deepEqual([got.TrustStore?.Status, got.TrustStore?.NumberOfCaCertificates], ['active', 2])
      assert.equal(got.ETag, made.ETag)
    }
    const behavior = { ...site.one.config.DefaultCacheBehavior, ViewerProtocolPolicy: 'redirect-to-https' } as never
    const ViewerMtlsConfig = { TrustStoreConfig: { TrustStoreId: Id } }
    const changed = await site.update({ DefaultCacheBehavior: behavior, ViewerMtlsConfig })
    assert.deepEqual(changed.config.ViewerMtlsConfig, {
      Mode: 'required',
      TrustStoreConfig: { TrustStoreId: Id, AdvertiseTrustStoreCaNames: false, IgnoreCertificateExpiry: false },
    })
    await site.deploy(site.one.id)
    const users = await client.listDistributionsByTrustStore({ TrustStoreIdentifier: Id })
    assert.deepEqual(
      users.DistributionList?.Items?.map((item) => item.Id),
      [site.one.id],
    )
    const updated = await client.updateTrustStore({
      Id,
      IfMatch: made.ETag,
      CaCertificatesBundleSource: located('ca.folder.cachefront', 'other.pem'),
    })
    assert.notEqual(updated.ETag, made.ETag)
    // Edges verify with what they have until the new one is found good.
    assert.deepEqual([updated.TrustStore?.Status, updated.TrustStore?.NumberOfCaCertificates], ['pending', 2])
    assert.equal((await client.getDistribution({ Id: site.one.id })).Distribution?.Status, 'Deployed')
    await read(site)
    assert.equal((await client.getTrustStore({ Identifier: Id })).TrustStore?.NumberOfCaCertificates, 1)
    assert.equal((await client.getDistribution({ Id: site.one.id })).Distribution?.Status, 'InProgress')
    const tags = await client.listTagsForResource({ Resource: Arn })
    assert.deepEqual(tags.Tags?.Items, [{ Key: 'team', Value: 'edge' }])
    await client.untagResource({ Resource: Arn, TagKeys: { Items: ['team'] } })
    await client.tagResource({ Resource: Arn, Tags: { Items: [{ Key: 'x', Value: '1' }] } })
    assert.deepEqual((await client.listTagsForResource({ Resource: Arn })).Tags?.Items, [{ Key: 'x', Value: '1' }])
    // Its ETag is that of the update: a new bundle is no change of its configuration.
    await site.update({ DefaultCacheBehavior: behavior, ViewerMtlsConfig: undefined }, changed)
    await client.deleteTrustStore({ Id, IfMatch: updated.ETag })
    await assert.rejects(client.getTrustStore({ Identifier: Id }), { name: 'EntityNotFound' })
  })
})

test('a bundle that cannot be had or used fails the trust store with the reason; what was good before stays in use', async (t) => {
  const { read, put, file } = await place(t)
  const root = await ClientAuthority.root()
  await put('good.pem', root.pem)
  await put('viewer.pem', (await root.issue()).leaf)
  await put('large.pem', root.pem + 'x'.repeat(1_048_576))
  await file('key.pem', (await root.issue()).key)
  const rows: readonly (readonly [string, ReturnType<typeof located>, RegExp])[] = [
    ['absent', located('certificates', 'none.pem'), /The CA bundle none\.pem in the bucket certificates .*NoSuchKey/],
    ['no-bucket', located('nowhere', 'x'), /NoSuchBucket/],
    ['viewer', located('certificates', 'viewer.pem'), /is not that of a certificate authority/],
    ['large', located('certificates', 'large.pem'), /more than 1048576 bytes/],
    ['key', located('ca.folder.cachefront', 'key.pem'), /block 1 is no certificate/],
    ['version', located('ca.folder.cachefront', 'key.pem', 'v1'), /files have no versions/],
    ['no-folder', located('none.folder.cachefront', 'x'), /no folder is named none\.folder\.cachefront/],
    ['outside', located('ca.folder.cachefront', '../x'), /named by its name alone/],
  ]
  await FaultSite.use({}, async (site) => {
    const { client } = site
    for (const [Name, CaCertificatesBundleSource] of rows) {
      await client.createTrustStore({ Name, CaCertificatesBundleSource })
    }
    const made = await client.createTrustStore({
      Name: 'good',
      CaCertificatesBundleSource: located('certificates', 'good.pem'),
    })
    await read(site)
    for (const [Identifier, , reason] of rows) {
      const { TrustStore } = await client.getTrustStore({ Identifier })
      assert.equal(TrustStore?.Status, 'failed', Identifier)
      assert.match(TrustStore?.Reason ?? '', reason)
      assert.doesNotMatch(TrustStore?.Reason ?? '', /PRIVATE KEY/)
    }
    const Id = made.TrustStore?.Id ?? ''
    await client.updateTrustStore({
      Id,
      IfMatch: made.ETag,
      CaCertificatesBundleSource: located('certificates', 'viewer.pem'),
    })
    await read(site)
    const failed = await client.getTrustStore({ Identifier: Id })
    assert.deepEqual([failed.TrustStore?.Status, failed.TrustStore?.NumberOfCaCertificates], ['failed', 1])
    const pages: string[] = []
    for (let Marker: string | undefined; pages.length < 20; ) {
      const page = await client.listTrustStores({ MaxItems: 4, ...(Marker ? { Marker } : {}) })
      pages.push(...(page.TrustStoreList ?? []).map((item) => `${item.Name} ${item.Status}`))
      Marker = page.NextMarker
      if (!Marker) break
    }
    assert.deepEqual(pages.sort(), [...rows.map(([name]) => `${name} failed`), 'good failed'].sort())
    await assert.rejects(
      client.createTrustStore({
        Name: 'revoked',
        CaCertificatesBundleSource: located('certificates', 'good.pem'),
        UseClientCertificateOCSPEndpoint: true,
      }),
      (error: Error) => error.name === 'NotImplemented' && /UseClientCertificateOCSPEndpoint/.test(error.message),
    )
  })
})
