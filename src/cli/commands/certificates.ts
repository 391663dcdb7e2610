//! `cachefront certificates`: certificates of ACM with the days they have left, and what is wrong with one.
import { Command } from 'commander'
import type { CertificateStatus } from '../../services/cachefront/certificates.ts'
import type { CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'
import { drawTable } from '../table.ts'

/** Days before its end from which an imported certificate in use has to be followed by another, as ACM's events begin. */
const IMPORT_DAYS = 45

export function certificatesCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('certificates')
    .description('certificates of ACM: days left, renewal, and what the authority says when one fails')
    .addHelpText('after', `\nExample:\n  cachefront certificates --json | jq '.[] | select(.daysLeft < 30) | .arn'`)
    .action(async (options: ClientOptions) => {
      const found = await localDocument(findApi(host, options), '/_cachefront/certificates')
      const { certificates } = found as { certificates: readonly CertificateStatus[] }
      host.out.print(options.json ? JSON.stringify(certificates, null, 2) : drawCertificates(certificates))
      done(0)
    })
}

export function drawCertificates(certificates: readonly CertificateStatus[]): string {
  if (certificates.length === 0) return 'No certificates.'
  return drawTable([
    ['NAME', 'STATUS', 'DAYS LEFT', 'RENEWAL', 'OCSP', 'USED BY', 'ID', 'WHAT IS AT HAND'],
    ...certificates.map((one) => [
      one.names.length > 1 ? `${one.names[0]} +${one.names.length - 1}` : (one.names[0] ?? ''),
      one.status,
      one.daysLeft === null ? '-' : String(one.daysLeft),
      one.renewal ?? (one.type === 'IMPORTED' ? 'by import' : '-'),
      one.stapling?.goodUntil === undefined ? (one.stapling?.status ?? '-') : `good until ${one.stapling.goodUntil}`,
      one.usedBy.join(' ') || '-',
      one.arn.slice(one.arn.lastIndexOf('/') + 1),
      atHand(one),
    ]),
  ])
}

function atHand({ type, usedBy, daysLeft, problem, step, nextAt, stapling }: CertificateStatus): string {
  const isDue = type === 'IMPORTED' && usedBy.length > 0 && daysLeft !== null && daysLeft < IMPORT_DAYS
  const said = problem ?? step ?? (isDue ? 'import its successor under its ARN' : (stapling?.problem ?? '-'))
  return nextAt === null ? said : `${said} (next at ${nextAt})`
}
