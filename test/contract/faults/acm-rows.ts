//! Rows of the table of ACM's faults (test/contract/acm-faults.test.ts).

import { generateKeyPairSync } from 'node:crypto'
import type { ImportCertificateRequest, RequestCertificateRequest } from '@aws-sdk/client-acm'
import type { Quotas } from '../../../src/domain/quotas.ts'
import type { AcmSite } from '../../support/acm-site.ts'
import { selfSigned, TestAuthority, type Wanted } from '../../support/certificates.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { viewerCertificate } from '../../support/viewer-certificate.ts'

export type Call = () => Promise<unknown>

/** One way to provoke a code. */
export interface AcmFaultRow {
  readonly code: string
  /** What is wrong with the call. */
  readonly when: string
  /** What the message says. */
  readonly says: RegExp
  readonly quotas?: Partial<Quotas>
  /** Puts in place what must be there before, and returns the call that is refused. */
  readonly provoke: (site: AcmSite) => Call | Promise<Call>
}

const bytes = (text: string): Uint8Array => Buffer.from(text)
const NAMES = ['www.example.com', '*.shop.example.com']
const MISSING = 'arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-000000000000'

const given = async (wanted: Partial<Wanted> = {}): Promise<ImportCertificateRequest> => {
  const { cert, key } = await selfSigned({ names: NAMES, ...wanted })
  return { Certificate: bytes(cert), PrivateKey: bytes(key) }
}

/** An import with these changes. */
const importing =
  (
    changes: (
      good: ImportCertificateRequest,
    ) => Partial<ImportCertificateRequest> | Promise<Partial<ImportCertificateRequest>>,
  ) =>
  async ({ acm }: AcmSite): Promise<Call> => {
    const good = await given()
    const input = { ...good, ...(await changes(good)) }
    return () => acm.importCertificate(input)
  }

const requesting =
  (changes: Partial<RequestCertificateRequest>) =>
  ({ acm }: AcmSite): Call =>
  () =>
    acm.requestCertificate({ DomainName: 'www.example.com', ...changes })

/** An issued certificate. */
async function issued(site: AcmSite, changes: Partial<RequestCertificateRequest> = {}): Promise<string> {
  const { CertificateArn } = await site.acm.requestCertificate({
    ...{ DomainName: 'www.example.com', KeyAlgorithm: 'EC_prime256v1', ...changes },
  })
  await site.task.run()
  return CertificateArn ?? ''
}

const imported = async ({ acm }: AcmSite, wanted: Partial<Wanted> = {}): Promise<string> =>
  (await acm.importCertificate(await given(wanted))).CertificateArn ?? ''

/** What importing refuses. */
const IMPORT_ROWS: readonly AcmFaultRow[] = [
  {
    code: 'ValidationException',
    when: 'the key is of another certificate',
    says: /private key does not match/,
    provoke: importing(async () => ({ PrivateKey: (await given()).PrivateKey })),
  },
  {
    code: 'ValidationException',
    when: 'the certificate has expired',
    says: /has expired: it was valid until/,
    provoke: importing(() => given({ from: -30, to: -1 })),
  },
  {
    code: 'ValidationException',
    when: 'the certificate is not valid yet',
    says: /not valid yet/,
    provoke: importing(() => given({ from: 1, to: 30 })),
  },
  {
    code: 'ValidationException',
    when: 'the chain is missing',
    says: /whose certificate is missing/,
    provoke: importing(async () => {
      const { cert, key } = await (await TestAuthority.make()).issue({ names: NAMES })
      return { Certificate: bytes(cert), PrivateKey: bytes(key) }
    }),
  },
  {
    code: 'ValidationException',
    when: 'the chain is not in order',
    says: /Could not validate the certificate with the certificate chain: "CN=Root" did not issue/,
    provoke: importing(async () => {
      const root = await TestAuthority.make('Root')
      const middle = await root.below('Middle')
      const { cert, key } = await middle.issue({ names: NAMES })
      return {
        Certificate: bytes(cert),
        PrivateKey: bytes(key),
        CertificateChain: bytes(`${root.pem}\n${middle.pem}`),
      }
    }),
  },
  {
    code: 'ValidationException',
    when: 'the chain is of somebody else with the same name',
    says: /did not issue the certificate before it/,
    provoke: importing(async () => {
      const { cert, key } = await (await TestAuthority.make()).issue({ names: NAMES })
      const other = await TestAuthority.make()
      return { Certificate: bytes(cert), PrivateKey: bytes(key), CertificateChain: bytes(other.pem) }
    }),
  },
  {
    code: 'ValidationException',
    when: 'an issuer in the chain has expired',
    says: /"CN=Old" in the certificate chain expired/,
    provoke: importing(async () => {
      const old = await TestAuthority.make('Old', { from: -30, to: -1 })
      const { cert, key } = await old.issue({ names: NAMES })
      return { Certificate: bytes(cert), PrivateKey: bytes(key), CertificateChain: bytes(old.pem) }
    }),
  },
  {
    code: 'ValidationException',
    when: 'the chain stands in the certificate field',
    says: /contains more than one certificate/,
    provoke: importing((good) => ({ Certificate: Buffer.concat([good.Certificate!, bytes('\n'), good.Certificate!]) })),
  },
  {
    code: 'ValidationException',
    when: 'the certificate is no PEM',
    says: /not in a valid PEM format/,
    provoke: importing(() => ({ Certificate: bytes('hello') })),
  },
  {
    code: 'ValidationException',
    when: 'the certificate is damaged',
    says: /Unable to parse certificate/,
    provoke: importing(({ Certificate }) => {
      const text = Buffer.from(Certificate!).toString()
      return { Certificate: bytes(text.replace(/\nMII.{20}/, '\nMIIAAAAAAAAAAAAAAAAAAAA')) }
    }),
  },
  {
    code: 'ValidationException',
    when: 'the chain is no PEM',
    says: /certificate chain provided is not in a valid PEM format/,
    provoke: importing(() => ({ CertificateChain: bytes('hello') })),
  },
  {
    code: 'ValidationException',
    when: 'the key is encrypted',
    says: /should not be encrypted/,
    provoke: importing(() => {
      const { privateKey } = generateKeyPairSync('ec', {
        namedCurve: 'P-256',
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' },
      })
      return { PrivateKey: bytes(privateKey) }
    }),
  },
  {
    code: 'ValidationException',
    when: 'the key is none',
    says: /private key is not in a valid PEM format/,
    provoke: importing(({ Certificate }) => ({ PrivateKey: Certificate })),
  },
  {
    code: 'ValidationException',
    when: 'the key is too large',
    says: /'privateKey' failed to satisfy constraint: it has 1 to 5120 bytes, not 5121/,
    provoke: importing(() => ({ PrivateKey: Buffer.alloc(5_121, 'a') })),
  },
  {
    code: 'ValidationException',
    when: 'the key has a size that ACM does not take',
    says: /RSA_1536 is not one of/,
    provoke: importing(() => given({ rsa: true, bits: 1_536 })),
  },
  {
    code: 'ValidationException',
    when: 'the certificate names nothing',
    says: /names no domain/,
    provoke: importing(() => given({ names: [], subject: 'O=Nobody' })),
  },
  {
    code: 'ValidationException',
    when: 'it is imported over one that was requested',
    says: /was not imported/,
    provoke: async (site) => {
      const CertificateArn = await issued(site)
      return importing(() => ({ CertificateArn }))(site)
    },
  },
  {
    code: 'ValidationException',
    when: 'the successor has another kind of key',
    says: /kind of key cannot change/,
    provoke: async (site) => {
      const CertificateArn = await imported(site, { rsa: true })
      return importing(() => ({ CertificateArn }))(site)
    },
  },
  {
    code: 'ValidationException',
    when: 'the successor lacks a key usage',
    says: /lacks usages that .* has: DIGITAL_SIGNATURE/,
    provoke: async (site) => {
      const CertificateArn = await imported(site, { usages: 1 })
      return importing(() => ({ CertificateArn }))(site)
    },
  },
  {
    code: 'InvalidParameterException',
    when: 'tags come with a second import',
    says: /Tags cannot be applied/,
    provoke: async (site) => {
      const CertificateArn = await imported(site)
      return importing(() => ({ CertificateArn, Tags: [{ Key: 'a' }] }))(site)
    },
  },
  {
    code: 'ResourceNotFoundException',
    when: 'it is imported over one that is not there',
    says: /Could not find certificate/,
    provoke: importing(() => ({ CertificateArn: MISSING })),
  },
  {
    code: 'LimitExceededException',
    when: 'the account has as many certificates as it may',
    says: /maximum number of certificates \(1\)/,
    quotas: { certificates: 1 },
    provoke: async (site) => {
      await imported(site)
      return importing(() => ({}))(site)
    },
  },
]

const REQUEST_ROWS: readonly AcmFaultRow[] = [
  {
    code: 'ValidationException',
    when: 'the domain name has no dot',
    says: /"localhost" at 'domainName'/,
    provoke: requesting({ DomainName: 'localhost' }),
  },
  {
    code: 'ValidationException',
    when: 'the asterisk is not the first label',
    says: /at 'domainName'/,
    provoke: requesting({ SubjectAlternativeNames: ['www.*.example.com'] }),
  },
  {
    code: 'ValidationException',
    when: 'the domain name is longer than a common name may be',
    says: /more than 64 characters/,
    provoke: requesting({ DomainName: `${'a'.repeat(60)}.example.com` }),
  },
  {
    code: 'ValidationException',
    when: 'the token has a hyphen',
    says: /'idempotencyToken'/,
    provoke: requesting({ IdempotencyToken: 'a-b' }),
  },
  {
    code: 'ValidationException',
    when: 'an option is neither on nor off',
    says: /ENABLED or DISABLED/,
    provoke: requesting({ Options: { Export: 'YES' as never } }),
  },
  {
    code: 'ValidationException',
    when: 'the validation method is unknown',
    says: /it is DNS, EMAIL or HTTP/,
    provoke: requesting({ ValidationMethod: 'PIGEON' as never }),
  },
  {
    code: 'ValidationException',
    when: 'the domain name is missing',
    says: /DomainName/,
    provoke: requesting({ DomainName: undefined }),
  },
  {
    code: 'InvalidParameterException',
    when: 'nothing is issued with such a key',
    says: /KeyAlgorithm "RSA_1024"/,
    provoke: requesting({ KeyAlgorithm: 'RSA_1024' }),
  },
  {
    code: 'InvalidParameterException',
    when: 'a wildcard is to be validated by HTTP',
    says: /use DNS/,
    provoke: requesting({ DomainName: '*.example.com', ValidationMethod: 'HTTP' }),
  },
  {
    code: 'InvalidParameterException',
    when: 'the token is that of another request',
    says: /IdempotencyToken is that of another request/,
    provoke: async (site) => {
      await site.acm.requestCertificate({ DomainName: 'a.example', IdempotencyToken: 'one' })
      return requesting({ IdempotencyToken: 'one' })(site)
    },
  },
  {
    code: 'InvalidDomainValidationOptionsException',
    when: 'the options are of a name that is not in the certificate',
    says: /not among the names/,
    provoke: requesting({ DomainValidationOptions: [{ DomainName: 'b.example', ValidationDomain: 'b.example' }] }),
  },
  {
    code: 'InvalidDomainValidationOptionsException',
    when: 'the validation domain is not above the name',
    says: /neither .* nor a domain above it/,
    provoke: requesting({
      DomainValidationOptions: [{ DomainName: 'www.example.com', ValidationDomain: 'example.org' }],
    }),
  },
  {
    code: 'InvalidTagException',
    when: 'a tag key is AWS own',
    says: /"aws:x" is not valid/,
    provoke: requesting({ Tags: [{ Key: 'aws:x', Value: '' }] }),
  },
]

const OTHER_ROWS: readonly AcmFaultRow[] = [
  {
    code: 'ValidationException',
    when: 'the ARN is none',
    says: /'certificateArn'/,
    provoke:
      ({ acm }) =>
      () =>
        acm.describeCertificate({ CertificateArn: 'hello' }),
  },
  {
    code: 'InvalidArnException',
    when: 'the ARN is of another region',
    says: /names no certificate of this account/,
    provoke:
      ({ acm }) =>
      () =>
        acm.describeCertificate({ CertificateArn: MISSING.replace('us-east-1', 'eu-west-1') }),
  },
  {
    code: 'ResourceNotFoundException',
    when: 'there is no such certificate',
    says: /Could not find certificate/,
    provoke:
      ({ acm }) =>
      () =>
        acm.deleteCertificate({ CertificateArn: MISSING }),
  },
  {
    code: 'ResourceInUseException',
    when: 'a distribution uses the certificate',
    says: /is in use by arn:aws:cloudfront::123456789012:distribution\//,
    provoke: async (site) => {
      const CertificateArn = await issued(site)
      await site.cloudfront.createDistribution({
        DistributionConfig: { ...oneOrigin('one', 80), ViewerCertificate: viewerCertificate(CertificateArn) },
      })
      return () => site.acm.deleteCertificate({ CertificateArn })
    },
  },
  {
    code: 'RequestInProgressException',
    when: 'the certificate is not issued yet',
    says: /status is PENDING_VALIDATION/,
    provoke: async ({ acm }) => {
      const { CertificateArn } = await acm.requestCertificate({ DomainName: 'a.example' })
      return () => acm.getCertificate({ CertificateArn })
    },
  },
  {
    code: 'RequestInProgressException',
    when: 'the certificate is being renewed already',
    says: /being renewed already/,
    provoke: async (site) => {
      const CertificateArn = await issued(site, { Options: { Export: 'ENABLED' } })
      await site.acm.exportCertificate({ CertificateArn, Passphrase: bytes('open sesame') })
      await site.acm.renewCertificate({ CertificateArn })
      return () => site.acm.renewCertificate({ CertificateArn })
    },
  },
  {
    code: 'ValidationException',
    when: 'an imported certificate is to be renewed',
    says: /import its successor/,
    provoke: async (site) => {
      const CertificateArn = await imported(site)
      return () => site.acm.renewCertificate({ CertificateArn })
    },
  },
  {
    code: 'ValidationException',
    when: 'a certificate that nobody uses is to be renewed',
    says: /not eligible for renewal/,
    provoke: async (site) => {
      const CertificateArn = await issued(site)
      return () => site.acm.renewCertificate({ CertificateArn })
    },
  },
  {
    code: 'ValidationException',
    when: 'a certificate that was not requested as exportable is to be exported',
    says: /without the option Export=ENABLED/,
    provoke: async (site) => {
      const CertificateArn = await issued(site)
      return () => site.acm.exportCertificate({ CertificateArn, Passphrase: bytes('open sesame') })
    },
  },
  {
    code: 'ValidationException',
    when: 'the passphrase is too short',
    says: /4 to 128 characters/,
    provoke: async (site) => {
      const CertificateArn = await issued(site, { Options: { Export: 'ENABLED' } })
      return () => site.acm.exportCertificate({ CertificateArn, Passphrase: bytes('abc') })
    },
  },
  {
    code: 'InvalidStateException',
    when: 'an imported certificate is to have options',
    says: /was imported: it has no options/,
    provoke: async (site) => {
      const CertificateArn = await imported(site)
      return () => site.acm.updateCertificateOptions({ CertificateArn, Options: {} })
    },
  },
  {
    code: 'InvalidStateException',
    when: 'whether it can be exported is to change',
    says: /Export cannot be changed/,
    provoke: async (site) => {
      const CertificateArn = await issued(site)
      return () => site.acm.updateCertificateOptions({ CertificateArn, Options: { Export: 'ENABLED' } })
    },
  },
  {
    code: 'InvalidStateException',
    when: 'an e-mail is to be sent again that never was',
    says: /not validated by e-mail: its method is DNS/,
    provoke: async ({ acm }) => {
      const { CertificateArn } = await acm.requestCertificate({ DomainName: 'a.example' })
      return () => acm.resendValidationEmail({ CertificateArn, Domain: 'a.example', ValidationDomain: 'a.example' })
    },
  },
  {
    code: 'InvalidParameterException',
    when: 'no tag is added',
    says: /at least one tag/,
    provoke: async (site) => {
      const CertificateArn = await imported(site)
      return () => site.acm.addTagsToCertificate({ CertificateArn, Tags: [] })
    },
  },
  {
    code: 'TooManyTagsException',
    when: 'the certificate would have 51 tags',
    says: /at most 50 tags; this would make 51/,
    provoke: async (site) => {
      const CertificateArn = await imported(site)
      const tags = Array.from({ length: 51 }, (_, at) => ({ Key: `k${at}`, Value: '' }))
      await site.acm.addTagsToCertificate({ CertificateArn, Tags: tags.slice(0, 50) })
      return () => site.acm.addTagsToCertificate({ CertificateArn, Tags: tags.slice(50) })
    },
  },
  {
    code: 'InvalidArgsException',
    when: 'the list is sorted without an order',
    says: /SortBy and SortOrder go together/,
    provoke:
      ({ acm }) =>
      () =>
        acm.listCertificates({ SortBy: 'CREATED_AT' }),
  },
  {
    code: 'ValidationException',
    when: 'the page is too large',
    says: /'maxItems'/,
    provoke:
      ({ acm }) =>
      () =>
        acm.listCertificates({ MaxItems: 1_001 }),
  },
  {
    code: 'ValidationException',
    when: 'the token of the page is no token',
    says: /NextToken is not valid/,
    provoke:
      ({ acm }) =>
      () =>
        acm.listCertificates({ NextToken: 'hello' }),
  },
  {
    code: 'ValidationException',
    when: 'a filter has a word that is none',
    says: /"RSA_9" at 'keyTypes'/,
    provoke:
      ({ acm }) =>
      () =>
        acm.listCertificates({ Includes: { keyTypes: ['RSA_9' as never] } }),
  },
  {
    code: 'ConflictException',
    when: 'the token of the last call comes with another setting',
    says: /IdempotencyToken is that of the last call/,
    provoke: async ({ acm }) => {
      await acm.putAccountConfiguration({ IdempotencyToken: 'a', ExpiryEvents: { DaysBeforeExpiry: 30 } })
      return () => acm.putAccountConfiguration({ IdempotencyToken: 'a', ExpiryEvents: { DaysBeforeExpiry: 31 } })
    },
  },
  {
    code: 'ValidationException',
    when: 'certificates are to be announced zero days before',
    says: /'daysBeforeExpiry'/,
    provoke:
      ({ acm }) =>
      () =>
        acm.putAccountConfiguration({ IdempotencyToken: 'a', ExpiryEvents: { DaysBeforeExpiry: 0 } }),
  },
]

export const ACM_FAULT_ROWS: readonly AcmFaultRow[] = [...IMPORT_ROWS, ...REQUEST_ROWS, ...OTHER_ROWS]

/** What answers 501, and what its message names. */
export const ACM_NOT_BUILT_ROWS: readonly { names: RegExp; provoke: (site: AcmSite) => Promise<Call> | Call }[] = [
  {
    names: /acm RevokeCertificate/,
    provoke:
      ({ acm }) =>
      () =>
        acm.revokeCertificate({ CertificateArn: MISSING, RevocationReason: 'SUPERSEDED' }),
  },
  {
    names: /acm SearchCertificates/,
    provoke:
      ({ acm }) =>
      () =>
        acm.searchCertificates({}),
  },
  {
    names: /acm CreateAcmeEndpoint/,
    provoke:
      ({ acm }) =>
      () =>
        acm.createAcmeEndpoint({
          AuthorizationBehavior: 'PRE_APPROVED',
          CertificateAuthority: { PublicCertificateAuthority: {} },
        } as never),
  },
  {
    names: /acm ListCertificateDomainValidations/,
    provoke:
      ({ acm }) =>
      () =>
        acm.listCertificateDomainValidations({ CertificateArn: MISSING }),
  },
  {
    names: /acm TagResource/,
    provoke:
      ({ acm }) =>
      () =>
        acm.tagResource({ ResourceArn: MISSING, Tags: [{ Key: 'a' }] }),
  },
  {
    names: /acm UntagResource/,
    provoke:
      ({ acm }) =>
      () =>
        acm.untagResource({ ResourceArn: MISSING, TagKeys: ['a'] }),
  },
  {
    names: /acm ListTagsForResource/,
    provoke:
      ({ acm }) =>
      () =>
        acm.listTagsForResource({ ResourceArn: MISSING }),
  },
  { names: /Options.ValidationMethod/, provoke: requesting({ Options: { ValidationMethod: 'DNS' } }) },
  { names: /ValidationMethod EMAIL/, provoke: requesting({ ValidationMethod: 'EMAIL' }) },
  {
    names: /DomainValidationOptions/,
    provoke: requesting({
      DomainValidationOptions: [{ DomainName: 'www.example.com', ValidationDomain: 'example.com' }],
    }),
  },
  {
    names: /CertificateAuthorityArn/,
    provoke: requesting({
      CertificateAuthorityArn: 'arn:aws:acm-pca:us-east-1:123456789012:certificate-authority/00000000',
    }),
  },
  { names: /ManagedBy/, provoke: requesting({ ValidationMethod: 'HTTP', ManagedBy: 'CLOUDFRONT' }) },
  { names: /The tag cachefront:rfc-strict/, provoke: requesting({ Tags: [{ Key: 'cachefront:rfc-strict' }] }) },
]

/** Codes of the model that are never answered, with the reason. */
export const ACM_NEVER_MEANT: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'whoever may call may do everything: there are no policies of IAM; before that it is AccessDenied',
  InternalServerException: 'a defect of this program is InternalFailure in every service',
  ServiceQuotaExceededException: 'it is of ACME endpoints, which are not built',
  TagPolicyException: 'there are no tag policies of an organization',
  ThrottlingException: 'calls are not throttled',
}
