//! Certificates that somebody else issued, in a directory with the names that Kubernetes gives them: `tls.crt` (the
//! certificate, then those that issued it), `tls.key`, and `ca.crt` (the authority at the end of the chain; it may stand at
//! the end of `tls.crt` instead). Whoever serves TLS with them finds out here, and not from its clients, what is wrong.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface ImportedCertificate {
  /** PKCS #8, PEM. */
  readonly key: string
  /** PEM: the certificate, then its issuers. */
  readonly chain: string
  /** PEM: the authority that the chain leads to. */
  readonly authority: string
  readonly notBefore: Date
  readonly notAfter: Date
}

/** `now` in milliseconds, wall clock. @throws Error in one sentence that names the file and what is wrong with it */
export async function readImported(directory: string, now: number): Promise<ImportedCertificate> {
  const [chainFile, keyFile, authorityFile] = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  const chain = certificatesIn(chainFile, await text(chainFile))
  const key = await keyIn(keyFile)
  const authorities = certificatesIn(authorityFile, await text(authorityFile, ''))
  const [leaf] = chain
  if (leaf === undefined) throw new Error(`${chainFile} holds no certificate`)
  if (!leaf.checkPrivateKey(key)) throw new Error(`${keyFile} is not the key of the certificate in ${chainFile}`)
  if (leaf.ca) throw new Error(`the first certificate in ${chainFile} is an authority's, not a server's`)
  for (const one of chain) checkTime(one, chainFile, now)
  const root = rootOf(chain, authorities, chainFile, authorityFile)
  checkTime(root, authorityFile, now)
  return {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    chain: chain
      .filter((one) => one !== root)
      .map(String)
      .join(''),
    authority: root.toString(),
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
  }
}

/** Walks from the certificate to an authority that issued itself: replicas accept their primary by it. */
function rootOf(
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  chainFile: string,
  authorityFile: string,
): X509Certificate {
  let current = chain[0]!
  for (const next of chain.slice(1)) {
    if (!issued(next, current)) {
      throw new Error(`in ${chainFile}, ${name(next)} did not issue the certificate before it, ${name(current)}`)
    }
    current = next
  }
  if (issued(current, current)) return current
  for (let steps = 0; steps <= authorities.length; steps++) {
    const issuer = authorities.find((one) => one !== current && issued(one, current))
    if (issuer === undefined) break
    if (issued(issuer, issuer)) return issuer
    current = issuer
  }
  throw new Error(
    `the chain in ${chainFile} ends at ${name(current)}, which no authority in ${authorityFile} issued: put the ` +
      "certificate of its authority, which issued itself, there; without it replicas could not check their primary's",
  )
}

const issued = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

const name = (certificate: X509Certificate): string => certificate.subject.replaceAll('\n', ', ')

function checkTime(certificate: X509Certificate, file: string, now: number): void {
  if (certificate.validToDate.getTime() <= now) {
    throw new Error(`${name(certificate)} in ${file} expired on ${certificate.validToDate.toISOString()}`)
  }
  if (certificate.validFromDate.getTime() > now) {
    throw new Error(`${name(certificate)} in ${file} is not valid before ${certificate.validFromDate.toISOString()}`)
  }
}

async function text(file: string, whenAbsent?: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && whenAbsent !== undefined) return whenAbsent
    throw new Error(code === 'ENOENT' ? `${file} is missing` : `${file} cannot be read: ${message}`)
  }
}

function certificatesIn(file: string, pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw new Error(`${file} holds a certificate that is damaged`)
    }
  })
}

async function keyIn(file: string) {
  const pem = await text(file)
  if (pem.includes('ENCRYPTED'))
    throw new Error(`the key in ${file} is encrypted; engines need it without a passphrase`)
  try {
    return createPrivateKey(pem)
  } catch {
    // The library's message may quote what it read.
    throw new Error(`${file} holds no private key in PEM`)
  }
}
