//! docs/tls.md: the table of security policies as a document (`npm run docs` writes it, a check compares it).
import {
  CIPHERS,
  type CipherRow,
  GROUPS,
  NOT_OFFERED,
  protocolsOf,
  SECURITY_POLICY_NAMES,
  SIGNATURES,
  type SignatureRow,
  TLS_PROTOCOLS,
} from './security-policies.ts'

export function securityPoliciesDocument(): string {
  return [
    ...BEFORE,
    '## Protocols',
    '',
    ...grid('policy', TLS_PROTOCOLS, SECURITY_POLICY_NAMES, (policy, protocol) =>
      protocolsOf(policy).includes(protocol) ? mark(protocol) : '',
    ),
    '',
    '## Ciphers, in the order of the server',
    '',
    ...grid(
      'cipher',
      SECURITY_POLICY_NAMES,
      CIPHERS.map(({ name }) => name),
      (name, policy) => (row(CIPHERS, name).policies.includes(policy) ? mark(name) : ''),
    ),
    '',
    '`ECDHE-ECDSA-*` needs a certificate with an elliptic curve key, `ECDHE-RSA-*` and what has no ECDHE one with an RSA key;',
    'with both kinds side by side a viewer gets the first cipher that it can use. Without ECDHE there is no forward secrecy.',
    '',
    '**not offered**: the table of CloudFront has it, this program does not.',
    '',
    ...[...NOT_OFFERED].map(([name, why]) => `- \`${name}\`: ${why}`),
    '',
    '## Signature schemes',
    '',
    ...grid(
      'scheme',
      SECURITY_POLICY_NAMES,
      SIGNATURES.map(({ name }) => name),
      (name, policy) => (row(SIGNATURES, name).policies.includes(policy) ? 'yes' : ''),
    ),
    '',
    '## Key exchange',
    '',
    `In every policy: ${GROUPS.map(({ name, postQuantum }) => `\`${name}\`${postQuantum ? ' (post-quantum, TLS 1.3)' : ''}`).join(', ')}.`,
    '',
  ].join('\n')
}

const mark = (name: string): string => (NOT_OFFERED.has(name) ? 'not offered' : 'yes')

const row = <T extends CipherRow | SignatureRow>(rows: readonly T[], name: string): T =>
  rows.find((one) => one.name === name) as T

function grid<Row extends string, Column extends string>(
  corner: string,
  columns: readonly Column[],
  rows: readonly Row[],
  cell: (row: Row, column: Column) => string,
): readonly string[] {
  return [
    `| ${corner} | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---|').join('')}`,
    ...rows.map((name) => `| \`${name}\` | ${columns.map((column) => cell(name, column)).join(' | ')} |`),
  ]
}

const BEFORE = [
  '# TLS of viewers',
  '',
  'Printed from the table in [src/domain/security-policies.ts](../src/domain/security-policies.ts) by `npm run docs`.',
  '',
  'A distribution that has a certificate of its own (`ViewerCertificate`) offers what the security policy in its',
  '`MinimumProtocolVersion` has, and nothing else. Without one it has the certificate of the installation and, as on AWS, the',
  'policy `TLSv1`.',
  '',
]
