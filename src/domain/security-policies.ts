//! The security policies of viewers (spec/cloudfront.md 13.1): which protocols, ciphers, groups and signature schemes a
//! distribution offers under each MinimumProtocolVersion. The table; docs/tls.md is printed from it.

/** Names of MinimumProtocolVersion, from the most permissive to the strictest. */
export const SECURITY_POLICY_NAMES = [
  'SSLv3',
  'TLSv1',
  'TLSv1_2016',
  'TLSv1.1_2016',
  'TLSv1.2_2018',
  'TLSv1.2_2019',
  'TLSv1.2_2021',
  'TLSv1.2_2025',
  'TLSv1.3_2025',
] as const
export type SecurityPolicyName = (typeof SECURITY_POLICY_NAMES)[number]

/** Of the default certificate, whatever was asked for (spec 2.6). */
export const DEFAULT_POLICY: SecurityPolicyName = 'TLSv1'

/** Protocols in OpenSSL's words, oldest first. */
export const TLS_PROTOCOLS = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
export type TlsProtocol = (typeof TLS_PROTOCOLS)[number]
/** Those that OpenSSL 3.5 still speaks. */
export type SpokenProtocol = Exclude<TlsProtocol, 'SSLv3'>

/** What a policy of the spec has and OpenSSL 3.5, as Node 26 brings it, does not: never offered. */
export const NOT_OFFERED: ReadonlyMap<string, string> = new Map([
  ['SSLv3', 'OpenSSL is built without it (RFC 7568 forbids it: POODLE)'],
  ['DES-CBC3-SHA', 'gone from the default provider as a weak cipher (Sweet32)'],
  ['RC4-MD5', 'gone from the default provider (RFC 7465 forbids RC4)'],
])

/** Each policy and the oldest protocol that it has; it has all later ones. */
const OLDEST: Readonly<Record<SecurityPolicyName, TlsProtocol>> = {
  SSLv3: 'SSLv3',
  TLSv1: 'TLSv1',
  TLSv1_2016: 'TLSv1',
  'TLSv1.1_2016': 'TLSv1.1',
  'TLSv1.2_2018': 'TLSv1.2',
  'TLSv1.2_2019': 'TLSv1.2',
  'TLSv1.2_2021': 'TLSv1.2',
  'TLSv1.2_2025': 'TLSv1.2',
  'TLSv1.3_2025': 'TLSv1.3',
}

/** What proves who the server is; TLS 1.3 settles it apart from the cipher. */
export type Authentication = 'any' | 'ECDSA' | 'RSA'

export interface CipherRow {
  /** OpenSSL's name. */
  readonly name: string
  /** Oldest protocol that can use it. */
  readonly since: TlsProtocol
  readonly authentication: Authentication
  /** False for a key exchange by the certificate's RSA key, whose theft opens all that was ever recorded. */
  readonly forwardSecrecy: boolean
  readonly policies: readonly SecurityPolicyName[]
}

const named = (...names: readonly SecurityPolicyName[]): readonly SecurityPolicyName[] => names
const before = (name: SecurityPolicyName): readonly SecurityPolicyName[] =>
  SECURITY_POLICY_NAMES.slice(0, SECURITY_POLICY_NAMES.indexOf(name))

/** The order within each family. */
const ECDHE: readonly (readonly [suffix: string, since: TlsProtocol, policies: readonly SecurityPolicyName[]])[] = [
  ['AES128-GCM-SHA256', 'TLSv1.2', before('TLSv1.3_2025')],
  ['AES128-SHA256', 'TLSv1.2', before('TLSv1.2_2021')],
  ['AES128-SHA', 'SSLv3', before('TLSv1.2_2018')],
  ['AES256-GCM-SHA384', 'TLSv1.2', before('TLSv1.3_2025')],
  ['CHACHA20-POLY1305', 'TLSv1.2', before('TLSv1.2_2025')],
  ['AES256-SHA384', 'TLSv1.2', before('TLSv1.2_2021')],
  ['AES256-SHA', 'SSLv3', before('TLSv1.2_2018')],
]

const ephemeral = (authentication: Authentication): readonly CipherRow[] =>
  ECDHE.map(([suffix, since, policies]) => ({
    name: `ECDHE-${authentication}-${suffix}`,
    since,
    authentication,
    forwardSecrecy: true,
    policies,
  }))

const tls13 = (name: string, policies: readonly SecurityPolicyName[]): CipherRow => ({
  name,
  since: 'TLSv1.3',
  authentication: 'any',
  forwardSecrecy: true,
  policies,
})

const byKey = (name: string, since: TlsProtocol, policies: readonly SecurityPolicyName[]): CipherRow => ({
  name,
  since,
  authentication: 'RSA',
  forwardSecrecy: false,
  policies,
})

/** In the server's order, which wins over the viewer's. */
export const CIPHERS: readonly CipherRow[] = [
  tls13('TLS_AES_128_GCM_SHA256', SECURITY_POLICY_NAMES),
  tls13('TLS_AES_256_GCM_SHA384', SECURITY_POLICY_NAMES),
  tls13('TLS_CHACHA20_POLY1305_SHA256', [...before('TLSv1.2_2025'), 'TLSv1.3_2025']),
  ...ephemeral('ECDSA'),
  ...ephemeral('RSA'),
  byKey('AES128-GCM-SHA256', 'TLSv1.2', before('TLSv1.2_2019')),
  byKey('AES256-GCM-SHA384', 'TLSv1.2', before('TLSv1.2_2019')),
  byKey('AES128-SHA256', 'TLSv1.2', before('TLSv1.2_2019')),
  byKey('AES256-SHA', 'SSLv3', before('TLSv1.2_2018')),
  byKey('AES128-SHA', 'SSLv3', before('TLSv1.2_2018')),
  byKey('DES-CBC3-SHA', 'SSLv3', named('SSLv3', 'TLSv1')),
  byKey('RC4-MD5', 'SSLv3', named('SSLv3')),
]

export interface GroupRow {
  /** OpenSSL's name. */
  readonly name: string
  /** A hybrid with ML-KEM (FIPS 203): what is recorded today stays secret from the computers of later. TLS 1.3 only. */
  readonly postQuantum: boolean
}

/**
 * Key exchange, the same in all policies: hybrids before the others, in each half the viewer's first key share wins.
 * A half is tried before the next one, so that a viewer who can do a hybrid is asked for it.
 */
export const GROUPS: readonly GroupRow[] = [
  { name: 'X25519MLKEM768', postQuantum: true },
  { name: 'SecP256r1MLKEM768', postQuantum: true },
  { name: 'X25519', postQuantum: false },
  { name: 'prime256v1', postQuantum: false },
  { name: 'secp384r1', postQuantum: false },
]

export interface SignatureRow {
  /** As OpenSSL takes it (SSL_CTX_set1_sigalgs_list). */
  readonly name: string
  readonly authentication: 'ECDSA' | 'RSA'
  readonly policies: readonly SecurityPolicyName[]
}

const signatures = (
  authentication: 'ECDSA' | 'RSA',
  names: readonly string[],
  policies = SECURITY_POLICY_NAMES as readonly SecurityPolicyName[],
): readonly SignatureRow[] => names.map((name) => ({ name, authentication, policies }))

/** In the server's order. TLS 1.3 has no use for those with PKCS #1, SHA-224 and SHA-1 (RFC 8446 4.2.3). */
export const SIGNATURES: readonly SignatureRow[] = [
  ...signatures('ECDSA', ['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384', 'ecdsa_secp521r1_sha512']),
  ...signatures('RSA', ['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512']),
  ...signatures('RSA', ['rsa_pss_pss_sha256', 'rsa_pss_pss_sha384', 'rsa_pss_pss_sha512']),
  ...signatures('RSA', ['rsa_pkcs1_sha256', 'rsa_pkcs1_sha384', 'rsa_pkcs1_sha512']),
  ...signatures('ECDSA', ['ECDSA+SHA224'], before('TLSv1.2_2025')),
  ...signatures('RSA', ['RSA+SHA224'], before('TLSv1.2_2025')),
  ...signatures('ECDSA', ['ECDSA+SHA1'], before('TLSv1.2_2018')),
  ...signatures('RSA', ['RSA+SHA1'], before('TLSv1.2_2018')),
]

export interface SecurityPolicy {
  readonly name: SecurityPolicyName
  /** What is offered, oldest first. */
  readonly protocols: readonly SpokenProtocol[]
  /** What is offered, in the server's order. */
  readonly ciphers: readonly CipherRow[]
  readonly signatures: readonly SignatureRow[]
}

const POLICIES: ReadonlyMap<string, SecurityPolicy> = new Map(
  SECURITY_POLICY_NAMES.map((name) => [
    name,
    {
      name,
      protocols: protocolsOf(name).filter((protocol) => protocol !== 'SSLv3'),
      ciphers: CIPHERS.filter((cipher) => cipher.policies.includes(name) && !NOT_OFFERED.has(cipher.name)),
      signatures: SIGNATURES.filter((row) => row.policies.includes(name)),
    },
  ]),
)

/** Undefined for a name that no policy has. */
export const securityPolicy = (name: string): SecurityPolicy | undefined => POLICIES.get(name)

/** What the spec's table says, offered or not. */
export function protocolsOf(name: SecurityPolicyName): readonly TlsProtocol[] {
  return TLS_PROTOCOLS.slice(TLS_PROTOCOLS.indexOf(OLDEST[name]))
}

/** Whether a cipher can be used with a protocol: TLS 1.3 has its own, and those of TLS 1.2 need it. */
export function fits({ since }: CipherRow, protocol: TlsProtocol): boolean {
  if (protocol === 'TLSv1.3' || since === 'TLSv1.3') return protocol === since
  return TLS_PROTOCOLS.indexOf(since) <= TLS_PROTOCOLS.indexOf(protocol)
}
