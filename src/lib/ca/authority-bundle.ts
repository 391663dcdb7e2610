//! A bundle of authorities in PEM, such as a trust store is made of: what is in it, or what is wrong with it.
import { X509Certificate } from 'node:crypto'

export interface BundleLimits {
  readonly bytes: number
  readonly certificates: number
}

export type Bundle =
  | {
      /** PEM, one certificate each, in the order of the bundle. */
      readonly certificates: readonly string[]
    }
  | { readonly problem: string }

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END ([A-Z0-9 ]+)-----/g

/** `now` in milliseconds, wall clock. Text between certificates is a comment, as OpenSSL takes it. */
export function readBundle(pem: Uint8Array, now: number, limits: BundleLimits): Bundle {
  if (pem.length > limits.bytes) return problem(`it has more than ${limits.bytes} bytes`)
  const text = Buffer.from(pem).toString('latin1')
  const certificates: string[] = []
  const seen = new Map<string, number>()
  const marks = text.match(/-----(BEGIN|END) [A-Z0-9 ]+-----/g) ?? []
  if (marks.length === 0) return problem('it holds no certificate in PEM')
  // Before blocks are looked for: for one that does not end, all of the text would be searched, for each of them.
  const alternate = marks.every((mark, at) => mark.startsWith(at % 2 === 0 ? '-----BEGIN' : '-----END'))
  if (!alternate || marks.length % 2 !== 0) return problem('it holds a PEM block that does not end')
  const blocks = [...text.matchAll(BLOCK)]
  // The first that is too many is not looked at: a bundle may be large.
  if (blocks.length > limits.certificates) return problem(`it holds more than ${limits.certificates} certificates`)
  for (const [at, [block, begin, , end]] of blocks.entries()) {
    const which = `certificate ${at + 1}`
    if (begin !== end) return problem(`${which} begins as ${begin} and ends as ${end}`)
    // What it is is not repeated: it may be a key.
    if (begin !== 'CERTIFICATE') return problem(`block ${at + 1} is no certificate: only those belong here`)
    const certificate = parsed(block)
    if (certificate === null) return problem(`${which} is damaged`)
    const who = `${which} (${nameOf(certificate)})`
    if (!certificate.ca) return problem(`${who} is not that of a certificate authority`)
    const before = seen.get(certificate.fingerprint256)
    if (before !== undefined) return problem(`${who} is the same as certificate ${before}`)
    seen.set(certificate.fingerprint256, at + 1)
    if (certificate.validToDate.getTime() <= now) {
      return problem(`${who} expired on ${certificate.validToDate.toISOString()}`)
    }
    if (certificate.validFromDate.getTime() > now) {
      return problem(`${who} is not valid before ${certificate.validFromDate.toISOString()}`)
    }
    certificates.push(certificate.toString())
  }
  return { certificates }
}

const problem = (what: string): Bundle => ({ problem: what })

function parsed(block: string): X509Certificate | null {
  try {
    return new X509Certificate(block)
  } catch {
    return null
  }
}

const nameOf = (certificate: X509Certificate): string =>
  (certificate.subject ?? 'without a name').replaceAll('\n', ', ').slice(0, 200)
