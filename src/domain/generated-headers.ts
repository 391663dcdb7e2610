//! THE TABLE of request headers that CloudFront makes (spec/cloudfront.md 6.3): which policies may list each, and how its
//! value comes about. Cache keys, origin requests, checks of policies and docs/headers.md are made from it.
import type { ViewerLocation } from './viewer.ts'

/** What the values are made of. Everything here is told to whichever worker makes the key or the origin request. */
export interface HeaderFacts {
  readonly scheme: 'http' | 'https'
  readonly httpVersion: string
  readonly address: string
  /** 0 when a proxy in front did not tell it. */
  readonly port: number
  /** `TLSv1.3:TLS_AES_128_GCM_SHA256:fullHandshake`; empty without TLS. */
  readonly tls: string
  /** Names of the viewer's header fields in their order, joined by colons. */
  readonly headerOrder: string
  readonly headerCount: number
  readonly location: ViewerLocation
  readonly device: Device
  /** Of the viewer's certificate; null where viewers are not asked for one. */
  readonly client: ClientFacts | null
  /** Of a request that fetches a custom error page; null for every other. */
  readonly errorOf: { readonly path: string; readonly query: string | null } | null
}

/** A viewer's certificate as headers tell it; empty texts for what there is none of. */
export interface ClientFacts {
  readonly present: boolean
  /** Hexadecimal, a colon after every second digit. */
  readonly serialNumber: string
  /** RFC 2253. */
  readonly issuer: string
  readonly subject: string
  /** Of its DER, hexadecimal. */
  readonly sha256: string
  readonly validity: string
  /** URL-encoded; where the edge has verified it. */
  readonly pem: string
  /** RFC 9440; in passthrough mode. */
  readonly clientCert: string
  readonly clientCertChain: string
}

/** What the User-Agent says; several may be true. */
export interface Device {
  readonly android: boolean
  readonly desktop: boolean
  readonly ios: boolean
  readonly mobile: boolean
  readonly smartTv: boolean
  readonly tablet: boolean
}

export interface GeneratedHeader {
  /** As it is sent. */
  readonly name: string
  /** True when a cache policy may list it (`y?` of the spec is taken as yes); an origin request policy always may. */
  readonly keyable: boolean
  readonly from: 'connection' | 'location' | 'device' | 'error' | 'client'
  readonly about: string
  /** Empty: the header is not sent. Null: not built yet, see `waitsFor`. */
  readonly make: ((facts: HeaderFacts) => string) | null
  /** What a header that is not built yet needs. */
  readonly waitsFor?: string
}

type Make = (facts: HeaderFacts) => string
const row = (
  from: GeneratedHeader['from'],
  name: string,
  policies: 'CP, ORP' | 'ORP',
  about: string,
  make: Make,
): GeneratedHeader => ({ name: `CloudFront-${name}`, keyable: policies === 'CP, ORP', from, about, make })
const device = (name: string, kind: keyof Device, about: string): GeneratedHeader =>
  row('device', `Is-${name}-Viewer`, 'CP, ORP', about, (facts) => String(facts.device[kind]))
const located = (name: string, field: keyof ViewerLocation, policies: 'CP, ORP' | 'ORP', about: string) =>
  row('location', `Viewer-${name}`, policies, about, (facts) => encoded(facts.location[field]))
const client = (
  name: string,
  field: Exclude<keyof ClientFacts, 'present'>,
  policies: 'CP, ORP' | 'ORP',
  about: string,
) => ({
  ...row('client', name, policies, about, (facts) => facts.client?.[field] ?? ''),
  name,
})
const later = (name: string, keyable: boolean, about: string, waitsFor: string): GeneratedHeader => ({
  name,
  keyable,
  from: 'connection',
  about,
  make: null,
  waitsFor,
})

/** Characters of CloudFront-Viewer-Header-Order (spec 6.3). */
export const HEADER_ORDER_CHARS_MAX = 7_680

export const GENERATED_HEADERS: readonly GeneratedHeader[] = [
  device('Android', 'android', 'the device runs Android'),
  device('Desktop', 'desktop', 'a desktop computer, a console, or nothing that the library knows (curl, bots)'),
  device('IOS', 'ios', 'iPhone, iPad, iPod'),
  device('Mobile', 'mobile', 'a phone or a watch; also a tablet that calls itself Mobile, such as the iPad'),
  device('SmartTV', 'smartTv', 'a television, a streaming box or stick'),
  device('Tablet', 'tablet', 'a tablet or e-reader'),
  located('Country', 'country', 'CP, ORP', 'ISO 3166-1 alpha-2'),
  located('Country-Name', 'countryName', 'CP, ORP', 'in English'),
  located('Country-Region', 'region', 'CP, ORP', 'ISO 3166-2 without the country, up to three characters'),
  located('Country-Region-Name', 'regionName', 'CP, ORP', 'as the database has it'),
  located('City', 'city', 'CP, ORP', 'as the database has it'),
  located('Latitude', 'latitude', 'CP, ORP', 'degrees, five decimals at most'),
  located('Longitude', 'longitude', 'CP, ORP', 'degrees, five decimals at most'),
  located('Metro-Code', 'metroCode', 'CP, ORP', 'United States only'),
  located('Postal-Code', 'postalCode', 'CP, ORP', ''),
  located('Time-Zone', 'timeZone', 'CP, ORP', 'IANA; where the database has none, that of the coordinates'),
  row('connection', 'Viewer-Address', 'ORP', '`address:port`, no brackets; port 0 when a trusted proxy does not tell it', (facts) => `${facts.address}:${facts.port}`),
  located('ASN', 'asn', 'ORP', 'number of the autonomous system'),
  row('connection', 'Viewer-Header-Order', 'CP, ORP', `names joined by colons, cut off at ${HEADER_ORDER_CHARS_MAX} characters`, (facts) => facts.headerOrder.slice(0, HEADER_ORDER_CHARS_MAX)),
  row('connection', 'Viewer-Header-Count', 'CP, ORP', 'lines of the header block', (facts) => String(facts.headerCount)),
  row('connection', 'Viewer-TLS', 'ORP', '`protocol:cipher:` and `fullHandshake`, `sessionResumed` or `connectionReused`; HTTPS only', (facts) => facts.tls),
  row('connection', 'Forwarded-Proto', 'CP, ORP', '`http` or `https`', (facts) => facts.scheme),
  row('connection', 'Viewer-Http-Version', 'CP, ORP', '`1.0`, `1.1`, `2.0`', (facts) => facts.httpVersion),
  row('error', 'Error-Uri', 'CP, ORP', 'path that was asked for; of the request for a custom error page', (facts) => facts.errorOf?.path ?? ''),
  row('error', 'Error-Args', 'CP, ORP', 'its query', (facts) => facts.errorOf?.query ?? ''),
  ...['JA3', 'JA4'].map((kind) => later(`CloudFront-Viewer-${kind}-Fingerprint`, false, 'of the ClientHello', 'the TLS listener of our own')),
  { ...client('CloudFront-Viewer-Cert-Present', 'serialNumber', 'CP, ORP', '`1`, or `0` for a viewer that showed none'), make: ({ client: shown }) => (shown === null ? '' : shown.present ? '1' : '0') },
  client('CloudFront-Viewer-Cert-Serial-Number', 'serialNumber', 'CP, ORP', 'hexadecimal, `4a:3f:5c`'),
  client('CloudFront-Viewer-Cert-Issuer', 'issuer', 'CP, ORP', 'RFC 2253, the most specific part first'),
  client('CloudFront-Viewer-Cert-Subject', 'subject', 'CP, ORP', 'RFC 2253, the most specific part first'),
  client('CloudFront-Viewer-Cert-Sha256', 'sha256', 'CP, ORP', 'of the certificate, hexadecimal'),
  client('CloudFront-Viewer-Cert-Validity', 'validity', 'ORP', '`NotBefore=2026-01-01T00:00:00Z;NotAfter=...`'),
  client('CloudFront-Viewer-Cert-Pem', 'pem', 'ORP', 'PEM, URL-encoded; modes `required` and `optional`'),
  client('Client-Cert', 'clientCert', 'ORP', 'RFC 9440; mode `passthrough`'),
  client('Client-Cert-Chain', 'clientCertChain', 'ORP', 'RFC 9440, what the viewer sent behind its certificate; mode `passthrough`'),
] // biome-ignore format: a table

export const generatedHeaders: ReadonlyMap<string, GeneratedHeader> = new Map(
  GENERATED_HEADERS.map((header) => [header.name.toLowerCase(), header]),
)

/** Lower-case name of a header that is made by CloudFront alone: what a viewer sends under it never passes. */
export const isGenerated = (name: string): boolean => name.startsWith('cloudfront-') || generatedHeaders.has(name)

/** Names in `names` that CloudFront would make and this edge does not yet, with what they wait for. */
export function generatedHeadersNotBuilt(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const lower = name.toLowerCase()
    const header = generatedHeaders.get(lower)
    if (!isGenerated(lower) || header?.make != null) return []
    return [header?.waitsFor === undefined ? name : `${name} (it needs ${header.waitsFor})`]
  })
}

/** Printable ASCII stays; everything else is percent-encoded as UTF-8 (spec 6.3). */
function encoded(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : text.replace(/[^\x20-\x7e]+/g, (part) => encodeURIComponent(part))
}
