//! Of an RSA and an ECDSA certificate side by side, the one that a viewer will be shown: with it alone a server can staple the
//! OCSP response that belongs to it.
import { X509Certificate } from 'node:crypto'
import { responderOf } from '../../../lib/ca/ocsp-subject.ts'
import type { ClientHello } from './client-hello.ts'
import type { ServedCertificate } from './endpoints.ts'
import { shownKey } from './offers.ts'

interface Halves {
  readonly EC: ServedCertificate
  readonly RSA: ServedCertificate
  readonly curve: string
}

/** Null where there is nothing to staple, or no such pair: then they stay together. */
const HALVES = new WeakMap<ServedCertificate, Halves | null>()

/** The certificate itself when it has one pair of keys, when nobody can say, or when neither has an OCSP responder. */
export function shownPair(certificate: ServedCertificate, hello: ClientHello): ServedCertificate {
  if (certificate.pairs.length !== 2) return certificate
  let halves = HALVES.get(certificate)
  if (halves === undefined) {
    halves = halvesOf(certificate)
    HALVES.set(certificate, halves)
  }
  const kind = halves === null ? null : shownKey(hello, halves.curve)
  return halves === null || kind === null ? certificate : halves[kind]
}

function halvesOf({ id, pairs }: ServedCertificate): Halves | null {
  try {
    const read = pairs.map((pair) => ({ pair, leaf: new X509Certificate(pair.chain) }))
    const ec = read.find(({ leaf }) => leaf.publicKey.asymmetricKeyType === 'ec')
    const rsa = read.find(({ leaf }) => leaf.publicKey.asymmetricKeyType === 'rsa')
    if (ec === undefined || rsa === undefined || read.every(({ leaf }) => responderOf(leaf) === null)) return null
    const curve = ec.leaf.publicKey.asymmetricKeyDetails?.namedCurve ?? ''
    return { EC: { id, pairs: [ec.pair] }, RSA: { id, pairs: [rsa.pair] }, curve }
  } catch {
    // Whoever makes a server of it says what is wrong.
    return null
  }
}
