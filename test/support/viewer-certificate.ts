//! What lets a distribution of a test have alternate domain names: a certificate that covers them, in one line.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ACM, ImportCertificateRequest, ImportCertificateResponse, KeyAlgorithm } from '@aws-sdk/client-acm'
import type { DistributionConfig, ViewerCertificate } from '@aws-sdk/client-cloudfront'
import { selfSigned, type Wanted } from './certificates.ts'

/** Longest wait for the installation's authority. Milliseconds. */
const ISSUE_MS = 30_000
const LOOK_MS = 20

export const viewerCertificate = (
  ACMCertificateArn: string,
  MinimumProtocolVersion: ViewerCertificate['MinimumProtocolVersion'] = 'TLSv1.2_2021',
): ViewerCertificate => ({ ACMCertificateArn, SSLSupportMethod: 'sni-only', MinimumProtocolVersion })

type Covered = Pick<DistributionConfig, 'Aliases' | 'ViewerCertificate'>

const covered = (arn: string, names: readonly string[]): Covered => ({
  Aliases: { Quantity: names.length, Items: [...names] },
  ViewerCertificate: viewerCertificate(arn),
})

/** Imports a self-signed certificate for these aliases. `on`: what it names, where that is not the same. */
export async function withImported(
  acm: { importCertificate(input: ImportCertificateRequest): Promise<ImportCertificateResponse> },
  aliases: readonly string[],
  on: readonly string[] = aliases,
  wanted: Omit<Wanted, 'names'> = {},
): Promise<Covered> {
  const { cert, key } = await selfSigned({ ...wanted, names: on })
  const { CertificateArn = '' } = await acm.importCertificate({
    Certificate: Buffer.from(cert),
    PrivateKey: Buffer.from(key),
  })
  return covered(CertificateArn, aliases)
}

/** Has the installation's own authority issue a certificate for these aliases, and waits for it. */
export async function withRequested(
  acm: ACM,
  aliases: readonly string[],
  KeyAlgorithm: KeyAlgorithm = 'EC_prime256v1',
): Promise<Covered> {
  const [DomainName, ...rest] = aliases
  const { CertificateArn = '' } = await acm.requestCertificate({
    ...{ DomainName, KeyAlgorithm, ValidationMethod: 'DNS' },
    ...(rest.length === 0 ? {} : { SubjectAlternativeNames: rest }),
  })
  for (const until = Date.now() + ISSUE_MS; ; await sleep(LOOK_MS)) {
    const { Certificate } = await acm.describeCertificate({ CertificateArn })
    if (Certificate?.Status === 'ISSUED') return covered(CertificateArn, aliases)
    assert.ok(Date.now() < until, `the certificate of ${DomainName} is ${Certificate?.Status}`)
  }
}
