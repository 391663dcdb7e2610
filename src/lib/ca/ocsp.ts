//! OCSP (RFC 6960, profile of RFC 5019) from the side of who wants to staple: what is asked about a certificate, and whether
//! an answer is about it, from somebody who may speak, and of now. PURE: nothing is fetched here.
import { createHash, verify, X509Certificate } from 'node:crypto'
import { BasicOCSPResponse, CertID, OCSPRequest, OCSPResponse, Request, TBSRequest } from '@peculiar/asn1-ocsp'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import { AlgorithmIdentifier } from '@peculiar/asn1-x509'
import { elements } from './der.ts'
import type { OcspSubject } from './ocsp-subject.ts'

/** What a response that can be believed says. Milliseconds. */
export interface OcspAnswer {
  readonly status: 'good' | 'revoked' | 'unknown'
  readonly thisUpdate: number
  readonly nextUpdate: number
}

/** Why a response is not believed, for a person. */
export class OcspError extends Error {}

/** How far the responder's clock may be ahead of ours. Milliseconds. */
const AHEAD_MS = 300_000
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9'
const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1'
/** Certificates of responders that are looked at: of a response there is one, or none. */
const RESPONDERS_MAX = 4
/** Of OCSPResponseStatus. */
const STATUS_WORDS = ['', 'malformedRequest', 'internalError', 'tryLater', '', 'sigRequired', 'unauthorized']

/** By OID. SHA-1 names certificates, as it has from the beginning; nothing that it signs is believed. */
const DIGESTS: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}
const SIGNATURES: Readonly<Record<string, { readonly key: string; readonly digest: string | null }>> = {
  '1.2.840.113549.1.1.11': { key: 'rsa', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { key: 'rsa', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { key: 'rsa', digest: 'sha512' },
  '1.2.840.10045.4.3.2': { key: 'ec', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { key: 'ec', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { key: 'ec', digest: 'sha512' },
  '1.3.101.112': { key: 'ed25519', digest: null },
}

/** DER of the question. Without a nonce: responders answer from what they have signed before. */
export function ocspRequest({ leaf, issuer }: OcspSubject): Buffer {
  const { subject, key } = partsOf(issuer)
  const hash = (bytes: Uint8Array) => new OctetString(createHash('sha1').update(bytes).digest())
  const reqCert = new CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: '1.3.14.3.2.26', parameters: null }),
    issuerNameHash: hash(subject),
    issuerKeyHash: hash(key),
    serialNumber: new Uint8Array(partsOf(leaf).serial).buffer,
  })
  const tbsRequest = new TBSRequest({ requestList: [new Request({ reqCert })] })
  return Buffer.from(AsnConvert.serialize(new OCSPRequest({ tbsRequest })))
}

/** `now` in milliseconds, wall clock. @throws OcspError */
export function readOcspResponse(der: Uint8Array, subject: OcspSubject, now: number): OcspAnswer {
  const basic = basicResponse(der)
  const { tbsResponseData: data, tbsResponseDataRaw: signed } = basic
  const single = data.responses.find(({ certID }) => isAbout(certID, subject))
  if (single === undefined) throw new OcspError('it is about another certificate')
  const signer = signerOf(basic, der, subject, now)
  const algorithm = SIGNATURES[basic.signatureAlgorithm.algorithm]
  if (algorithm === undefined || algorithm.key !== signer.publicKey.asymmetricKeyType) {
    throw new OcspError(`its signature is of a kind that is not accepted (${basic.signatureAlgorithm.algorithm})`)
  }
  if (signed === undefined || !isSigned(algorithm.digest, signed, signer, basic.signature)) {
    throw new OcspError('its signature is wrong')
  }
  const thisUpdate = single.thisUpdate.getTime()
  const nextUpdate = single.nextUpdate?.getTime()
  if (nextUpdate === undefined) throw new OcspError('it does not say until when it is good')
  if (!(thisUpdate <= now + AHEAD_MS)) throw new OcspError(`it is good from ${isoOf(thisUpdate)} on only`)
  if (!(nextUpdate > now)) throw new OcspError(`it was good until ${isoOf(nextUpdate)}`)
  const { certStatus } = single
  const status = certStatus.revoked !== undefined ? 'revoked' : certStatus.good !== undefined ? 'good' : 'unknown'
  return { status, thisUpdate, nextUpdate }
}

function basicResponse(der: Uint8Array): BasicOCSPResponse {
  const response = parsed(() => AsnConvert.parse(der, OCSPResponse))
  const status = Number(response.responseStatus)
  if (status !== 0) throw new OcspError(`the responder says ${STATUS_WORDS[status] || status}`)
  if (response.responseBytes?.responseType !== BASIC_RESPONSE) throw new OcspError('it is of an unknown kind')
  const { response: bytes } = response.responseBytes
  return parsed(() => AsnConvert.parse(bytes.buffer, BasicOCSPResponse))
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch {
    throw new OcspError('it is no OCSP response')
  }
}

function isAbout(
  { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber }: CertID,
  subject: OcspSubject,
): boolean {
  const digest = DIGESTS[hashAlgorithm.algorithm]
  if (digest === undefined) return false
  const { subject: name, key } = partsOf(subject.issuer)
  const is = (bytes: Uint8Array, hash: OctetString): boolean =>
    createHash(digest).update(bytes).digest().equals(Buffer.from(hash.buffer))
  return (
    is(name, issuerNameHash) &&
    is(key, issuerKeyHash) &&
    Buffer.from(serialNumber).equals(Buffer.from(partsOf(subject.leaf).serial))
  )
}

/** The issuer, or whom it has made a responder (RFC 6960 4.2.2.2). @throws OcspError for anybody else */
function signerOf(basic: BasicOCSPResponse, der: Uint8Array, { issuer }: OcspSubject, now: number): X509Certificate {
  const isNamed = namedBy(basic)
  if (isNamed(issuer)) return issuer
  const delegate = responders(der).find(isNamed)
  if (delegate === undefined) throw new OcspError('whoever has signed it is not the issuer, nor shown in it')
  const isDelegated =
    delegate.keyUsage?.includes(OCSP_SIGNING) === true &&
    delegate.checkIssued(issuer) &&
    delegate.verify(issuer.publicKey)
  if (!isDelegated) throw new OcspError('whoever has signed it may not speak for the issuer')
  if (now < delegate.validFromDate.getTime() || now > delegate.validToDate.getTime()) {
    throw new OcspError('the certificate of its signer is expired, or not valid yet')
  }
  return delegate
}

function namedBy({ tbsResponseDataRaw: signed }: BasicOCSPResponse): (certificate: X509Certificate) => boolean {
  const [data] = elements(new Uint8Array(signed ?? new ArrayBuffer()))
  const id = elements(data?.content ?? EMPTY).find(({ tag }) => tag === BY_NAME || tag === BY_KEY)
  const [value] = elements(id?.content ?? EMPTY)
  return (certificate) => {
    if (id === undefined || value === undefined) return false
    const { subject, key } = partsOf(certificate)
    return id.tag === BY_NAME
      ? Buffer.from(value.whole).equals(subject)
      : createHash('sha1').update(key).digest().equals(value.content)
  }
}

/** Certificates that came with the response, as they came. */
function responders(der: Uint8Array): X509Certificate[] {
  const inside = (bytes: Uint8Array, tag?: number): Uint8Array =>
    elements(bytes).find((one) => tag === undefined || one.tag === tag)?.content ?? EMPTY
  // OCSPResponse, responseBytes, ResponseBytes, response, BasicOCSPResponse, certs, SEQUENCE OF Certificate.
  const basic = inside(inside(inside(inside(inside(der), CONTEXT_0)), OCTET_STRING))
  const certificates = elements(inside(inside(basic, CONTEXT_0)))
  return certificates.slice(0, RESPONDERS_MAX).flatMap(({ whole }) => {
    try {
      return new X509Certificate(whole)
    } catch {
      return []
    }
  })
}

function isSigned(digest: string | null, signed: ArrayBuffer, by: X509Certificate, signature: ArrayBuffer): boolean {
  try {
    return verify(digest, Buffer.from(signed), by.publicKey, Buffer.from(signature))
  } catch {
    return false
  }
}

const EMPTY = new Uint8Array()
const OCTET_STRING = 0x04
const CONTEXT_0 = 0xa0
const BY_NAME = 0xa1
const BY_KEY = 0xa2

/** Of a certificate that Node has read: number and key as the bits that hashes are made of, the name as a whole. */
function partsOf({ raw }: X509Certificate): { serial: Uint8Array; subject: Uint8Array; key: Uint8Array } {
  const [certificate] = elements(raw)
  const [body] = elements(certificate?.content ?? EMPTY)
  const fields = elements(body?.content ?? EMPTY).filter(({ tag }) => tag !== CONTEXT_0)
  // serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo.
  const [serial, , , , subject, keyInfo] = fields
  const [, bits] = elements(keyInfo?.content ?? EMPTY)
  return {
    serial: serial?.content ?? EMPTY,
    subject: subject?.whole ?? EMPTY,
    // Without the byte that counts unused bits.
    key: bits?.content.subarray(1) ?? EMPTY,
  }
}

const isoOf = (ms: number): string => new Date(ms).toISOString()
