//! What the authority of an installation vouches for: the certificates that lie in its home, with their names and times.
import { X509Certificate } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newestCertificate } from '../keeper/certificate-files.ts'

export interface CertificateFacts {
  readonly subject: string
  /** DNS names and IP addresses; empty for an authority. */
  readonly names: readonly string[]
  /** ISO 8601. */
  readonly notBefore: string
  readonly notAfter: string
  /** `AB:CD:...` */
  readonly fingerprint256: string
}

/** Of the first certificate in a PEM text. @throws when there is none */
export function factsOf(pem: string): CertificateFacts {
  const x509 = new X509Certificate(pem)
  const names = (x509.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''))
  return {
    subject: x509.subject.replaceAll('\n', ', '),
    names: names.filter(Boolean),
    notBefore: x509.validFromDate.toISOString(),
    notAfter: x509.validToDate.toISOString(),
    fingerprint256: x509.fingerprint256,
  }
}

/** Those of the edge below `tls`, and the newest of each cache below `keeper`; a file that is damaged is left out. */
export async function issuedCertificates(
  tls: string,
  keeper: string,
): Promise<readonly (CertificateFacts & { readonly of: string })[]> {
  const edge = (await namesIn(tls)).filter((name) => name.endsWith('.pem'))
  const caches = await namesIn(join(keeper, 'tls'))
  const files = [
    ...edge.map((name) => ({ of: name.replace(/\.pem$/, ''), file: join(tls, name) })),
    ...caches.map((group) => ({ of: `cache ${group}`, file: newestCertificate(join(keeper, 'tls', group)) })),
  ]
  const read = files.map(async ({ of, file }) => {
    if (file === null) return []
    const [pem] =
      /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(
        await readFile(file, 'utf8').catch(() => ''),
      ) ?? []
    try {
      return pem === undefined ? [] : [{ of, ...factsOf(pem) }]
    } catch {
      return []
    }
  })
  return (await Promise.all(read)).flat()
}

const namesIn = async (directory: string): Promise<readonly string[]> =>
  (await readdir(directory).catch(() => [])).sort()
