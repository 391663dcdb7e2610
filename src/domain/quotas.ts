//! CloudFront's quotas that are enforced (spec/cloudfront.md 2.1-2.7). Counts that AWS raises on request are a table that
//! an operator can change (`--quotas`; docs/configuration.md is printed from it): a check reads them from its
//! ServiceContext, never from here. Lengths and forms are the same everywhere: QUOTAS.
//!
//! A new quota is a row of ADJUSTABLE with the check that reads `context.quotas.<name>`.

/** One count. */
export interface QuotaRow {
  /** What is counted. */
  readonly unit: string
  /** AWS's default, and ours. */
  readonly aws: number
  /** Highest value that this program takes: beyond it nothing was ever tried. */
  readonly max: number
  /** What a higher value costs. */
  readonly costs: string
}

const row = (unit: string, aws: number, max: number, costs: string): QuotaRow => ({ unit, aws, max, costs })

const MEMORY = 'memory in control and in each worker for every one'
const EACH_REQUEST = 'compared one after the other with the path of each request'
const EACH_KEY = 'time and key length of each request that has them'

const ADJUSTABLE = {
  distributions: row('distributions of the account', 500, 10_000, `${MEMORY}; each start compiles all`),
  stagingDistributions: row('staging distributions of the account', 20, 1_000, 'each counts as a distribution too'),
  continuousDeploymentPolicies: row('continuous deployment policies of the account', 20, 1_000, 'state on disk'),
  aliasesPerDistribution: row('aliases of a distribution', 100, 1_000, `${MEMORY}; each change compares all`),
  originsPerDistribution: row('origins of a distribution', 100, 1_000, MEMORY),
  originGroupsPerDistribution: row('origin groups of a distribution', 10, 1_000, MEMORY),
  behaviorsPerDistribution: row('cache behaviors besides the default one', 75, 1_000, EACH_REQUEST),
  customHeadersPerOrigin: row('custom headers of an origin', 30, 100, 'bytes of each request to the origin'),
  policiesOfEachKind: row('own policies of a kind', 20, 10_000, MEMORY),
  distributionsPerPolicy: row('distributions that name one policy', 100, 10_000, 'each change compiles all of them'),
  customHeadersPerPolicy: row('custom headers of a response headers policy', 10, 100, 'bytes of each answer'),
  removedHeadersPerPolicy: row('headers that a response headers policy removes', 10, 100, 'time of each miss'),
  namesPerPolicyPart: row('headers, cookies, query strings of a policy or of ForwardedValues: each', 10, 100, EACH_KEY),
  originAccessControls: row('origin access controls of the account', 100, 10_000, 'state on disk'),
  originAccessIdentities: row('origin access identities of the account', 100, 10_000, 'state on disk'),
  distributionsPerOriginAccessControl: row(
    'distributions that name one origin access control',
    100,
    10_000,
    'each change compiles all of them',
  ),
  publicKeys: row('public keys of the account', 10, 1_000, 'state on disk'),
  keyGroups: row('key groups of the account', 10, 1_000, 'state on disk'),
  publicKeysPerKeyGroup: row('public keys of a key group', 5, 100, MEMORY),
  keyGroupsPerBehavior: row('key groups that a cache behavior trusts', 4, 100, MEMORY),
  distributionsPerKeyGroup: row(
    'distributions that name one key group',
    100,
    10_000,
    'each change compiles all of them',
  ),
  trustedSignersPerBehavior: row('accounts that a cache behavior trusts as signers', 5, 100, MEMORY),
  fieldEncryptionConfigs: row('field-level encryption configurations of the account', 10, 1_000, 'state on disk'),
  fieldEncryptionProfiles: row('field-level encryption profiles of the account', 10, 1_000, 'state on disk'),
  /** AWS's own number is not published. */
  entitiesPerFieldProfile: row('encryption entities of a profile', 10, 100, MEMORY),
  patternsPerFieldProfile: row('field patterns of a profile', 10, 100, 'compared with each field of a form'),
  /** AWS's own number is not published. */
  contentTypesPerFieldEncryption: row('content types of a field-level encryption configuration', 10, 100, MEMORY),
  queryArgsPerFieldEncryption: row('query arguments of a field-level encryption configuration', 5, 100, MEMORY),
  distributionsPerFieldEncryption: row(
    'distributions that name one field-level encryption configuration',
    20,
    10_000,
    'each change compiles all of them',
  ),
  trustStores: row('trust stores of the account', 20, 1_000, 'state on disk'),
  certificates: row('certificates of the account', 2_500, 10_000, 'memory in control, and in workers for those in use'),
  namesPerCertificate: row('names of a certificate that is requested', 10, 100, 'time of each validation'),
  webAcls: row('web ACLs of the account', 100, 1_000, 'state on disk, and memory in workers for those in use'),
  wafRuleGroups: row('rule groups of WAF of the account', 100, 1_000, 'state on disk'),
  ipSets: row('IP sets of the account', 100, 1_000, 'state on disk, and memory in workers for those in use'),
  regexPatternSets: row('regex pattern sets of the account', 10, 1_000, 'state on disk'),
  tagsPerResource: row('tags of a distribution or trust store', 50, 1_000, 'state on disk'),
  invalidationPaths: row('paths or tags of a batch, and in progress for a distribution', 3_000, 30_000, MEMORY),
  invalidationWildcardsInProgress: row('wildcard paths in progress for a distribution', 15, 3_000, MEMORY),
} as const satisfies Readonly<Record<string, QuotaRow>>

export type QuotaName = keyof typeof ADJUSTABLE

/** The values that hold in an installation. */
export type Quotas = Readonly<Record<QuotaName, number>>

export const QUOTA_ROWS: readonly (readonly [QuotaName, QuotaRow])[] = Object.entries(ADJUSTABLE) as [
  QuotaName,
  QuotaRow,
][]

/** Every row at AWS's default, but for what `changes` names. */
export const quotasWith = (changes: Partial<Quotas> = {}): Quotas => ({
  ...(Object.fromEntries(QUOTA_ROWS.map(([name, { aws }]) => [name, aws])) as Record<QuotaName, number>),
  ...changes,
})

/** Every row at its highest: what is stored already is judged by these. */
export const MOST_QUOTAS: Quotas = quotasWith(Object.fromEntries(QUOTA_ROWS.map(([name, { max }]) => [name, max])))

/** What is the same in every installation. */
export const QUOTAS = {
  customHeaderNameChars: 256,
  customHeaderValueChars: 1_783,
  /** Names and values of one origin together. */
  customHeadersChars: 10_240,
  namesPerPolicyChars: 1_024,
  /** Of all cookies, or of all query keys, that ForwardedValues lists. */
  legacyNamesChars: 512,
  queryKeyChars: 128,
  invalidationPathChars: 4_000,
  commentChars: 128,
  pathPatternChars: 255,
  rootObjectChars: 255,
  /** Unconfirmed. */
  originIdChars: 128,
  originPathChars: 255,
  originAccessControlNameChars: 64,
  /** Unconfirmed. */
  originAccessControlDescriptionChars: 256,
  /** Of a custom error response (unconfirmed: what an invalidation path may have). */
  errorPagePathChars: 4_000,
  originDomainChars: 253,
  /** CloudFront key pairs of an account: one, and its successor while signers go over. */
  keyPairsPerSigner: 2,
  /** Unconfirmed. */
  publicKeyNameChars: 128,
  /** Of a PEM; unconfirmed: RSA of 4096 bits has 800. */
  encodedKeyChars: 4_096,
  /** Unconfirmed. */
  keyGroupNameChars: 128,
  /** Unconfirmed: what a function's name has. */
  trustStoreNameChars: 64,
  /** Of a name, a provider, a pattern, a query argument of field-level encryption: each. */
  fieldEncryptionTextChars: 128,
  /** Of all patterns and providers of a profile (unconfirmed: AWS names the limit and no number). */
  fieldProfileChars: 4_096,
  trustStoreBundleBytes: 1_048_576,
  trustStoreCertificates: 25,
  /** Certificates below the one of the trust store: the viewer's own and its intermediates. */
  clientChainDepth: 4,
  /** Also the default page of every list (unconfirmed). */
  pageItems: 100,
  /** Share of the requests that a weight may send to a staging distribution. */
  stagingWeight: 0.15,
  /** Seconds: of an idle session, and of a whole one. */
  sessionSecondsMin: 300,
  sessionSecondsMax: 3_600,
} as const
