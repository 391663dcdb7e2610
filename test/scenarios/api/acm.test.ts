//! Certificates through AWS's SDK, the AWS CLI and boto3: requested, issued by the installation's own authority, imported,
//! shown, listed, renewed, exported, deleted.
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import type { KeyAlgorithm } from '@aws-sdk/client-acm'
import type { CertificateOrder, Issuer, IssueStep } from '../../../src/control/issuers/issuer.ts'
import { allDistributions, feedChanges } from '../../../src/control/plan/feed-changes.ts'
import { refusedToday } from '../../../src/services/cloudfront/stored-checks.ts'
import { AcmSite } from '../../support/acm-site.ts'
import { awsJson, runAwsProgram } from '../../support/api-programs.ts'
import { selfSigned, TestAuthority } from '../../support/certificates.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { viewerCertificate } from '../../support/viewer-certificate.ts'

const DAY_MS = 86_400_000

test('a requested certificate is pending with what proves its names, then issued by the local authority', () =>
  AcmSite.use({}, async ({ acm, task }) => {
    const { CertificateArn } = await acm.requestCertificate({
      DomainName: 'www.example.com',
      SubjectAlternativeNames: ['*.example.com', 'example.com', 'WWW.example.com'],
      ValidationMethod: 'DNS',
      KeyAlgorithm: 'EC_prime256v1',
      Tags: [{ Key: 'team', Value: 'web' }],
    })
    assert.match(CertificateArn ?? '', /^arn:aws:acm:us-east-1:123456789012:certificate\/[0-9a-f-]{36}$/)
    const { Certificate: pending } = await acm.describeCertificate({ CertificateArn })
    assert.equal(pending?.Status, 'PENDING_VALIDATION')
    assert.deepEqual(pending?.SubjectAlternativeNames, ['www.example.com', '*.example.com', 'example.com'])
    const [www, star, apex] = pending?.DomainValidationOptions ?? []
    assert.match(www?.ResourceRecord?.Name ?? '', /^_[a-z0-9]{32}\.www\.example\.com\.$/)
    assert.deepEqual(star?.ResourceRecord, apex?.ResourceRecord, 'a wildcard is proved as its domain is')
    await assert.rejects(acm.getCertificate({ CertificateArn }), { name: 'RequestInProgressException' })

    await task.run()
    const { Certificate: issued } = await acm.describeCertificate({ CertificateArn })
    assert.equal(issued?.Status, 'ISSUED')
    assert.equal(issued?.KeyAlgorithm, 'EC_prime256v1')
    assert.equal(issued?.SignatureAlgorithm, 'SHA256WITHECDSA')
    assert.deepEqual(issued?.KeyUsages, [{ Name: 'DIGITAL_SIGNATURE' }])
    assert.deepEqual(issued?.ExtendedKeyUsages, [{ Name: 'TLS_WEB_SERVER_AUTHENTICATION', OID: '1.3.6.1.5.5.7.3.1' }])
    assert.deepEqual(issued?.InUseBy, [])
    assert.equal(issued?.RenewalEligibility, 'INELIGIBLE')
    assert.ok((issued?.IssuedAt?.getTime() ?? 0) > Date.now() - DAY_MS)
    const { Certificate, CertificateChain } = await acm.getCertificate({ CertificateArn })
    const leaf = new X509Certificate(Certificate ?? '')
    assert.ok(leaf.verify(new X509Certificate(CertificateChain ?? '').publicKey))
    assert.equal(leaf.checkHost('shop.example.com'), '*.example.com')
    const { Tags } = await acm.listTagsForCertificate({ CertificateArn })
    assert.deepEqual(Tags, [{ Key: 'team', Value: 'web' }])
  }))

test('where the own name server proves names to a public authority, the CNAMEs to be made lead there', () =>
  AcmSite.use({ challengeZone: 'cdn.example.net' }, async ({ acm }) => {
    const { CertificateArn } = await acm.requestCertificate({
      ...{ DomainName: 'www.example.com', SubjectAlternativeNames: ['*.www.example.com'], ValidationMethod: 'DNS' },
    })
    const { Certificate } = await acm.describeCertificate({ CertificateArn })
    const Name = '_acme-challenge.www.example.com.'
    const record = { Name, Type: 'CNAME', Value: `${Name}cdn.example.net.` }
    assert.deepEqual(
      Certificate?.DomainValidationOptions?.map(({ ResourceRecord }) => ResourceRecord),
      [record, record],
    )
  }))

const KEYS = ['RSA_2048', 'RSA_3072', 'EC_secp384r1'] as const satisfies readonly KeyAlgorithm[]

test('each kind of key; the list has RSA 2048 alone unless it is asked for others; a page at a time', () =>
  AcmSite.use({}, async ({ acm, task }) => {
    for (const KeyAlgorithm of KEYS) await acm.requestCertificate({ DomainName: 'a.example', KeyAlgorithm })
    await task.run()
    const { CertificateSummaryList: rsa = [] } = await acm.listCertificates({})
    assert.deepEqual(
      rsa.map((one) => one.KeyAlgorithm),
      ['RSA_2048'],
    )
    const Includes = { keyTypes: [...KEYS] }
    const first = await acm.listCertificates({ Includes, MaxItems: 2, SortBy: 'CREATED_AT', SortOrder: 'DESCENDING' })
    const rest = await acm.listCertificates({
      ...{ Includes, MaxItems: 2, NextToken: first.NextToken },
      ...({ SortBy: 'CREATED_AT', SortOrder: 'DESCENDING' } as const),
    })
    assert.equal(rest.NextToken, undefined)
    const all = [...(first.CertificateSummaryList ?? []), ...(rest.CertificateSummaryList ?? [])]
    assert.deepEqual(
      all.map((one) => [one.KeyAlgorithm, one.Status]),
      [...KEYS].reverse().map((key) => [key, 'ISSUED']),
    )
    const { CertificateSummaryList: none } = await acm.listCertificates({ CertificateStatuses: ['EXPIRED'], Includes })
    assert.deepEqual(none, [])
  }))

test('an exportable certificate leaves with its key under a passphrase, and no other way', () =>
  AcmSite.use({}, async ({ acm, task }) => {
    const { CertificateArn } = await acm.requestCertificate({
      ...{ DomainName: 'a.example', KeyAlgorithm: 'EC_prime256v1', Options: { Export: 'ENABLED' } },
    })
    await task.run()
    const { Certificate, PrivateKey = '' } = await acm.exportCertificate({
      CertificateArn,
      Passphrase: Buffer.from('open sesame'),
    })
    assert.match(PrivateKey, /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
    const key = createPrivateKey({ key: PrivateKey, passphrase: 'open sesame' })
    assert.ok(new X509Certificate(Certificate ?? '').checkPrivateKey(key))
    const { Certificate: shown } = await acm.describeCertificate({ CertificateArn })
    assert.equal(shown?.RenewalEligibility, 'ELIGIBLE')
  }))

/** Issues what `make` says; throws while there is nothing. */
function scriptedIssuer(): Issuer & { outcome: IssueStep | Error; readonly orders: CertificateOrder[] } {
  const orders: CertificateOrder[] = []
  return {
    name: 'acme',
    outcome: new Error('the authority is down'),
    orders,
    async step(order) {
      orders.push(order)
      if (this.outcome instanceof Error) throw this.outcome
      return this.outcome
    },
    close() {},
  }
}

const issuedBy = async (authority: TestAuthority, names: readonly string[], to: number): Promise<IssueStep> => {
  const { cert, key } = await authority.issue({ names, to, rsa: true })
  return { kind: 'issued', certificate: cert, chain: authority.pem, privateKey: key }
}

test('an issuer that is down is asked again later and later; a renewal that fails leaves the old one; then it is over', async () => {
  const issuer = scriptedIssuer()
  await AcmSite.use({ issuer }, async (site) => {
    const { acm, task } = site
    const authority = await TestAuthority.make('Root', { to: 4_000 })
    const { CertificateArn } = await acm.requestCertificate({ DomainName: 'www.example.com', IdempotencyToken: 'one' })
    const again = await acm.requestCertificate({ DomainName: 'www.example.com', IdempotencyToken: 'one' })
    assert.equal(again.CertificateArn, CertificateArn)
    const described = async () => (await acm.describeCertificate({ CertificateArn })).Certificate
    await task.run()
    await task.run()
    assert.equal(issuer.orders.length, 1, 'not asked again at once')
    assert.equal((await described())?.Status, 'PENDING_VALIDATION')
    assert.match(site.told.join('\n'), /certificate of www\.example\.com: its request failed: the authority is down/)
    site.forward(30_000)
    await task.run()
    assert.equal(issuer.orders.length, 2)
    assert.equal(site.told.length, 1, 'told once')

    // Waiting keeps what the issuer remembers.
    issuer.outcome = {
      ...{ kind: 'waiting', memory: { order: 7 }, retryAt: site.clock.now() + 120_000, why: 'the server looks' },
    } as IssueStep
    site.forward(60_000)
    await task.run()
    site.forward(120_000)
    issuer.outcome = await issuedBy(authority, ['other.example.com'], 90)
    await task.run()
    assert.deepEqual(issuer.orders.at(-1)?.memory, { order: 7 })
    assert.match(site.told.at(-1) ?? '', /the issuer left out www\.example\.com/)
    assert.equal((await described())?.Status, 'PENDING_VALIDATION')
    site.forward(60_000)
    issuer.outcome = await issuedBy(authority, ['www.example.com'], 90)
    await task.run()
    const issued = await described()
    assert.equal(issued?.Status, 'ISSUED')
    assert.deepEqual(
      issued?.DomainValidationOptions?.map((one) => one.ValidationStatus),
      ['SUCCESS'],
    )

    // In use, and 60 of its 91 days over: renewed; the issuer refuses for good, and is asked anew a day later.
    await site.cloudfront.createDistribution({
      DistributionConfig: { ...oneOrigin('one', 80), ViewerCertificate: viewerCertificate(CertificateArn ?? '') },
    })
    issuer.outcome = { kind: 'failed', reason: 'CAA_ERROR', why: 'a CAA record forbids it' }
    site.forward(62 * DAY_MS)
    await task.run()
    const failing = await described()
    assert.deepEqual(
      [failing?.Status, failing?.RenewalSummary?.RenewalStatus, failing?.RenewalSummary?.RenewalStatusReason],
      ['ISSUED', 'FAILED', 'CAA_ERROR'],
    )
    assert.equal(failing?.Serial, issued?.Serial)
    const asked = issuer.orders.length
    await task.run()
    assert.equal(issuer.orders.length, asked)
    site.forward(DAY_MS)
    await task.run()
    assert.equal(issuer.orders.length, asked + 1)
    assert.equal(issuer.orders.at(-1)?.purpose, 'renewal')

    // One line a day from 45 days before, then one when it is over, in EventBridge's shape.
    const events = () => site.told.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
    const approaching = events().filter((one) => one['detail-type'] === 'ACM Certificate Approaching Expiration')
    assert.deepEqual(
      approaching.map(({ detail }) => detail.DaysToExpiry),
      [27, 26],
    )
    assert.deepEqual(
      [approaching[0].source, approaching[0].resources, approaching[0].detail.InUse],
      ['aws.acm', [CertificateArn], true],
    )
    site.forward(28 * DAY_MS)
    await task.run()
    assert.equal((await described())?.Status, 'EXPIRED')
    assert.equal(events().at(-1)['detail-type'], 'ACM Certificate Expired')
    // Health tells of it once, as of a certificate: the distributions are as they were.
    for (const { doc } of await site.state.list('distribution')) {
      assert.equal(await refusedToday(site.state, doc, { edgeDomain: 'cloudfront.localhost' }), null)
    }
    // It serves on, and is renewed all the same when the issuer lets it.
    site.forward(DAY_MS)
    issuer.outcome = await issuedBy(authority, ['www.example.com'], 400)
    await task.run()
    const renewed = await described()
    assert.deepEqual([renewed?.Status, renewed?.RenewalSummary?.RenewalStatus], ['ISSUED', 'SUCCESS'])
    assert.ok(!site.told.some((line) => line.includes('PRIVATE KEY')))
  })
})

test('what nobody proves in 72 hours is over; what is not in use is not renewed', async () => {
  const issuer = scriptedIssuer()
  await AcmSite.use({ issuer }, async (site) => {
    const statusOf = async (CertificateArn: string | undefined) =>
      (await site.acm.describeCertificate({ CertificateArn })).Certificate?.Status
    const { CertificateArn } = await site.acm.requestCertificate({ DomainName: 'a.example' })
    await site.task.run()
    site.forward(3 * DAY_MS)
    await site.task.run()
    assert.equal(await statusOf(CertificateArn), 'VALIDATION_TIMED_OUT')
    issuer.outcome = await issuedBy(await TestAuthority.make('Root', { to: 400 }), ['b.example'], 90)
    const { CertificateArn: idle } = await site.acm.requestCertificate({ DomainName: 'b.example' })
    await site.task.run()
    const orders = issuer.orders.length
    site.forward(80 * DAY_MS)
    await site.task.run()
    assert.equal(issuer.orders.length, orders)
    site.forward(20 * DAY_MS)
    await site.task.run()
    assert.equal(await statusOf(idle), 'EXPIRED')
    await assert.rejects(
      site.cloudfront.createDistribution({
        DistributionConfig: { ...oneOrigin('one', 80), ViewerCertificate: viewerCertificate(idle ?? '') },
      }),
      (error: Error) => error.name === 'InvalidViewerCertificate' && /its status is EXPIRED/.test(error.message),
    )
  })
})

test('the document that edges get holds the chain without its root, both certificates and the policy; a new import is deployed', () =>
  AcmSite.use({}, async (site) => {
    const root = await TestAuthority.make('Root')
    const middle = await root.below('Middle')
    const imported = async (wanted: { rsa?: boolean }, CertificateArn?: string) => {
      const { cert, key } = await middle.issue({ names: ['www.example.com'], ...wanted })
      const [Certificate, PrivateKey] = [Buffer.from(cert), Buffer.from(key)]
      const CertificateChain = Buffer.from(`${middle.pem}\n${root.pem}\n`)
      const input = { Certificate, PrivateKey, CertificateChain, ...(CertificateArn ? { CertificateArn } : {}) }
      return { cert, arn: (await site.acm.importCertificate(input)).CertificateArn ?? '' }
    }
    const ecdsa = await imported({})
    const rsa = await imported({ rsa: true })
    const { Distribution } = await site.cloudfront.createDistributionWithTags({
      DistributionConfigWithTags: {
        DistributionConfig: {
          ...oneOrigin('one', 80),
          Aliases: { Quantity: 1, Items: ['www.example.com'] },
          ViewerCertificate: viewerCertificate(ecdsa.arn, 'TLSv1.2_2019'),
        },
        Tags: { Items: [{ Key: 'cachefront:second-certificate-arn', Value: rsa.arn }] },
      },
    })
    assert.deepEqual(Distribution?.DistributionConfig?.ViewerCertificate, {
      ...viewerCertificate(ecdsa.arn, 'TLSv1.2_2019'),
      ...{ CloudFrontDefaultCertificate: false, Certificate: ecdsa.arn, CertificateSource: 'acm' },
    })
    const docOf = async () => (await allDistributions(site.state)).docs[0]?.viewerCertificate
    const doc = await docOf()
    assert.deepEqual([doc?.sslSupportMethod, doc?.securityPolicy], ['sni-only', 'TLSv1.2_2019'])
    assert.deepEqual(
      doc?.certificates.map(({ arn, chain }) => [arn, chain.match(/BEGIN/g)?.length]),
      [
        [ecdsa.arn, 2],
        [rsa.arn, 2],
      ],
    )
    const before = await site.state.revision()
    const again = await imported({}, ecdsa.arn)
    assert.equal(again.arn, ecdsa.arn)
    const changes = (await site.state.changesSince(before)) ?? []
    const [news] = await feedChanges(site.state, changes, before)
    assert.ok(news?.kind === 'distribution')
    const chain = news.distribution?.viewerCertificate?.certificates[0]?.chain ?? ''
    assert.equal(new X509Certificate(chain).serialNumber, new X509Certificate(again.cert).serialNumber)
    const { Certificate } = await site.acm.describeCertificate({ CertificateArn: ecdsa.arn })
    assert.deepEqual(Certificate?.InUseBy, [Distribution?.ARN])
    assert.equal(Certificate?.Type, 'IMPORTED')
    // What an issuer notes of its work is no news for edges.
    const quiet = await site.state.revision()
    await site.acm.addTagsToCertificate({ CertificateArn: ecdsa.arn, Tags: [{ Key: 'a', Value: 'b' }] })
    assert.deepEqual(await feedChanges(site.state, (await site.state.changesSince(quiet)) ?? [], quiet), [])
  }))

test('the AWS CLI and boto3: imported by one, read by the other, with the metric of its days', () =>
  AcmSite.use({}, async ({ acm, server, clock }) => {
    const { cert, key } = await selfSigned({ names: ['cli.example.com'], rsa: true, to: 100 })
    const python = `
import boto3, json, os, sys
acm = boto3.client('acm', endpoint_url=os.environ['ENDPOINT'])
arn = acm.import_certificate(Certificate=sys.argv[1].encode(), PrivateKey=sys.argv[2].encode(), Tags=[{'Key': 'k', 'Value': 'v'}])['CertificateArn']
seen = acm.describe_certificate(CertificateArn=arn)['Certificate']
try:
    acm.get_certificate(CertificateArn=arn[:-1] + ('1' if arn[-1] == '0' else '0'))
except acm.exceptions.ClientError as error:
    code = error.response['Error']['Code']
print(json.dumps([arn, seen['Status'], seen['NotAfter'].isoformat(), seen['KeyAlgorithm'], code]))
`
    const ended = await runAwsProgram('/usr/bin/python3', ['-c', python, cert, key], server.url)
    assert.equal(ended.code, 0, ended.stderr)
    const [arn, status, notAfter, algorithm, code] = JSON.parse(ended.stdout)
    assert.deepEqual([status, algorithm, code], ['ISSUED', 'RSA_2048', 'ResourceNotFoundException'])
    assert.equal(new Date(notAfter).getTime(), new X509Certificate(cert).validToDate.getTime())
    const { CertificateSummaryList: list } = await awsJson(server.url, 'acm', 'list-certificates')
    assert.deepEqual(
      list.map((one: { CertificateArn: string; DomainName: string }) => [one.CertificateArn, one.DomainName]),
      [[arn, 'cli.example.com']],
    )
    const statistics = await awsJson(
      server.url,
      'cloudwatch',
      ...['get-metric-statistics', '--namespace', 'AWS/CertificateManager', '--metric-name', 'DaysToExpiry'],
      ...['--dimensions', `Name=CertificateArn,Value=${arn}`, '--statistics', 'Minimum', '--period', '86400'],
      ...[
        '--start-time',
        new Date(clock.now() - DAY_MS).toISOString(),
        '--end-time',
        new Date(clock.now() + 60_000).toISOString(),
      ],
    )
    assert.deepEqual(
      statistics.Datapoints.map((point: { Minimum: number }) => point.Minimum),
      [99],
    )
    await acm.deleteCertificate({ CertificateArn: arn })
    await assert.rejects(acm.describeCertificate({ CertificateArn: arn }), {
      ...{ name: 'ResourceNotFoundException', message: /^Could not find certificate/ },
    })
    assert.ok(!server.rawLog.some((line) => line.includes('PRIVATE KEY') || line.includes(key.split('\n')[2] ?? '?')))
    const audited = server.log.filter((line) => line.change).map((line) => line.operation)
    assert.deepEqual(audited, ['ImportCertificate', 'DeleteCertificate'])
  }))

test('the account says from how many days on; tags and options change', () =>
  AcmSite.use({}, async ({ acm, task }) => {
    assert.deepEqual((await acm.getAccountConfiguration({})).ExpiryEvents, { DaysBeforeExpiry: 45 })
    await acm.putAccountConfiguration({ IdempotencyToken: 'a', ExpiryEvents: { DaysBeforeExpiry: 10 } })
    assert.deepEqual((await acm.getAccountConfiguration({})).ExpiryEvents, { DaysBeforeExpiry: 10 })
    const { CertificateArn } = await acm.requestCertificate({ DomainName: 'a.example', KeyAlgorithm: 'EC_prime256v1' })
    await task.run()
    const Options = { CertificateTransparencyLoggingPreference: 'DISABLED' } as const
    await acm.updateCertificateOptions({ CertificateArn, Options })
    const { Certificate } = await acm.describeCertificate({ CertificateArn })
    assert.deepEqual(Certificate?.Options, { ...Options, Export: 'DISABLED' })
    await acm.addTagsToCertificate({
      CertificateArn,
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ],
    })
    await acm.removeTagsFromCertificate({ CertificateArn, Tags: [{ Key: 'a', Value: 'other' }, { Key: 'b' }] })
    assert.deepEqual((await acm.listTagsForCertificate({ CertificateArn })).Tags, [{ Key: 'a', Value: '1' }])
  }))
