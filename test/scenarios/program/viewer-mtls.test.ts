//! Mutual TLS of viewers through the whole program: a trust store out of a folder by AWS's SDK, a distribution that asks for
//! certificates, curl as the viewer, an origin that is told, and another bundle while it runs.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import {
  CreateOriginRequestPolicyCommand,
  CreateTrustStoreCommand,
  GetDistributionConfigCommand,
  GetTrustStoreCommand,
  ListDistributionsCommand,
  UpdateDistributionCommand,
  UpdateTrustStoreCommand,
  waitUntilDistributionDeployed,
} from '@aws-sdk/client-cloudfront'
import { ClientAuthority } from '../../support/client-certificates.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { startSite } from '../../support/site.ts'

test('a trust store, a distribution that names it, viewers with and without a certificate, another bundle', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-viewers-'))
  t.after(() => rm(directory, { recursive: true }))
  const origin = await startOrigin(({ headers }, response) => {
    response.setHeader('Cache-Control', 'no-store')
    response.end(String(headers['cloudfront-viewer-cert-subject']))
  })
  t.after(() => origin.close())
  const [first, second] = await Promise.all([ClientAuthority.root(), ClientAuthority.root({ name: 'CN=Second' })])
  const keep = async (name: string, authority: ClientAuthority): Promise<readonly string[]> => {
    const { key, cert } = await authority.issue({ name: `CN=${name}` })
    await writeFile(join(directory, `${name}.key`), key, { mode: 0o600 })
    await writeFile(join(directory, `${name}.crt`), cert)
    return ['--cert', join(directory, `${name}.crt`), '--key', join(directory, `${name}.key`)]
  }
  const [alice, bob] = await Promise.all([keep('alice', first), keep('bob', second)])
  await writeFile(join(directory, 'first.pem'), first.pem)
  await writeFile(join(directory, 'second.pem'), second.pem)
  const site = await startSite(
    t,
    origin.port,
    async (config, client) => {
      const made = await client.send(
        new CreateOriginRequestPolicyCommand({
          OriginRequestPolicyConfig: {
            Name: 'viewers',
            HeadersConfig: {
              HeaderBehavior: 'whitelist',
              Headers: { Quantity: 1, Items: ['CloudFront-Viewer-Cert-Subject'] },
            },
            CookiesConfig: { CookieBehavior: 'none' },
            QueryStringsConfig: { QueryStringBehavior: 'none' },
          },
        }),
      )
      const behavior = {
        ...config.DefaultCacheBehavior,
        ViewerProtocolPolicy: 'https-only',
        OriginRequestPolicyId: made.OriginRequestPolicy?.Id,
      }
      return { ...config, DefaultCacheBehavior: behavior as never }
    },
    ['--folder', `viewers=${directory}`],
  )
  const { client, secureUrl, running } = site
  const bundle = (Key: string) => ({
    CaCertificatesBundleS3Location: { Bucket: 'viewers.folder.cachefront', Key, Region: 'us-east-1' },
  })
  const created = await client.send(
    new CreateTrustStoreCommand({ Name: 'viewers', CaCertificatesBundleSource: bundle('first.pem') }),
  )
  const Identifier = created.TrustStore?.Id ?? ''
  const settled = async () => {
    for (;;) {
      const { TrustStore } = await client.send(new GetTrustStoreCommand({ Identifier }))
      if (TrustStore?.Status !== 'pending') return TrustStore
    }
  }
  assert.deepEqual([(await settled())?.Status, (await settled())?.NumberOfCaCertificates], ['active', 1])
  const Id = (await client.send(new ListDistributionsCommand({}))).DistributionList?.Items?.[0]?.Id ?? ''
  const { DistributionConfig, ETag } = await client.send(new GetDistributionConfigCommand({ Id }))
  const ViewerMtlsConfig = { Mode: 'required' as const, TrustStoreConfig: { TrustStoreId: Identifier } }
  await client.send(
    new UpdateDistributionCommand({
      Id,
      IfMatch: ETag,
      DistributionConfig: { ...DistributionConfig, ViewerMtlsConfig } as never,
    }),
  )
  const deployed = () =>
    waitUntilDistributionDeployed({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { Id })
  await deployed()
  const ca = join(running.home, 'tls', 'ca', 'ca.pem')
  // What is kept is for every viewer that is let in, unless its key has the certificate: each asks for its own.
  let visits = 0
  const curl = (...more: readonly string[]): Promise<string> =>
    promisify(execFile)('curl', ['-s', '--cacert', ca, ...more, `${secureUrl}/${++visits}`]).then(
      ({ stdout }) => stdout,
      (error: { code: number }) => `exit ${error.code}`,
    )
  assert.equal(await curl(...alice), 'CN=alice')
  assert.match(await curl(), /^exit /)
  assert.match(await curl(...bob), /^exit /)
  await client.send(
    new UpdateTrustStoreCommand({
      Id: Identifier,
      IfMatch: created.ETag,
      CaCertificatesBundleSource: bundle('second.pem'),
    }),
  )
  assert.equal((await settled())?.Status, 'active')
  await deployed()
  assert.equal(await curl(...bob), 'CN=bob')
  assert.match(await curl(...alice), /^exit /)
})
