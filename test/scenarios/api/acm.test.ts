//! Certificates through AWS's SDK, the AWS CLI and boto3: requested, issued by the installation's own authority, imported,
//! shown, listed, renewed, exported, deleted.
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import type { KeyAlgorithm } from '@aws-sdk/client-acm'
import { AcmSite } from '../../support/acm-site.ts'

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
