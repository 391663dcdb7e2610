//! Which answers of an origin CloudFront compresses, and what becomes of their header fields (spec/cloudfront.md 5.8).
import { allValues, declaredLength, firstValue } from './headers.ts'

/** Content codings that the edge applies itself. */
export type ContentCoding = 'br' | 'gzip'

/** Bytes of a body, by its Content-Length. */
export const COMPRESSED_BYTES_MIN = 1_000
export const COMPRESSED_BYTES_MAX = 10_000_000

const STATUSES: ReadonlySet<number> = new Set([200, 403, 404])

/** True for a status whose bodies are compressed at all. */
export const isCompressedStatus = (status: number): boolean => STATUSES.has(status)

/** The table of media types: exact, in lower case, parameters ignored. */
const SUBTYPES: Readonly<Record<string, string>> = {
  application: `dash+xml eot font font-sfnt javascript json opentype otf pdf pkcs7-mime protobuf rss+xml truetype ttf
    vnd.apple.mpegurl vnd.mapbox-vector-tile vnd.ms-fontobject wasm xhtml+xml xml x-font-opentype x-font-truetype
    x-font-ttf x-httpd-cgi x-javascript x-mpegurl x-opentype x-otf x-perl x-ttf`,
  font: 'eot opentype otf ttf',
  image: 'svg+xml',
  text: `css csv html javascript js plain richtext tab-separated-values xml x-component x-java-source x-script`,
}
const TYPES: ReadonlySet<string> = new Set([
  ...Object.entries(SUBTYPES).flatMap(([type, subtypes]) =>
    subtypes.split(/\s+/).map((subtype) => `${type}/${subtype}`),
  ),
  // Listed without a type, as AWS does.
  'vnd.apple.mpegurl',
])

/** True for a Content-Type of the table. */
export function isCompressibleType(contentType: string): boolean {
  const end = contentType.indexOf(';')
  return TYPES.has((end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase())
}

/**
 * The coding for an answer to a GET whose cache key has `keyed` as its Accept-Encoding (`br,gzip`, `br`, `gzip` or
 * nothing), and the length of its body; null when it goes out as it came. Whether the behavior compresses at all is the
 * caller's to know.
 */
export function compressionFor(
  status: number,
  headers: readonly string[],
  keyed: string,
): { readonly coding: ContentCoding; readonly length: number } | null {
  if (keyed === '' || !STATUSES.has(status) || whyUncompressed(headers) !== null) return null
  return { coding: keyed.startsWith('br') ? 'br' : 'gzip', length: declaredLength(headers) ?? 0 }
}

/** Why an answer that a viewer would take compressed goes out as it came. */
export type CompressionSkipped =
  | 'coded-already'
  /** Chunked, or ended by the connection. */
  | 'no-length'
  | 'too-small'
  | 'too-large'
  /** Its media type is not in the table. */
  | 'type'
  | 'no-transform'

/** Null for an answer with nothing against it; its status and the viewer's wishes are not looked at. */
export function whyUncompressed(headers: readonly string[]): CompressionSkipped | null {
  if (firstValue(headers, 'content-encoding') !== undefined) return 'coded-already'
  const length = declaredLength(headers)
  if (length === null) return 'no-length'
  if (!isCompressibleType(firstValue(headers, 'content-type') ?? '')) return 'type'
  if (length < COMPRESSED_BYTES_MIN) return 'too-small'
  if (length > COMPRESSED_BYTES_MAX) return 'too-large'
  // CloudFront's documents are silent on it (unconfirmed); RFC 9110 7.7 forbids it, and so did the origin.
  return listed(allValues(headers, 'cache-control')).includes('no-transform') ? 'no-transform' : null
}

/** An origin's fields as if it had compressed itself. The length is not among them: it is known at the end only. */
export function compressedHeaders(headers: readonly string[], coding: ContentCoding): string[] {
  const out = asCompressed(headers)
  if (!variesByEncoding(headers)) out.push('Vary', 'Accept-Encoding')
  out.push('Content-Encoding', coding)
  return out
}

/**
 * The fields of an origin's 304 before they are merged into the stored ones: an answer that the edge had compressed
 * stays one, whatever validators and variants the 304 repeats for its own.
 */
export function confirmedHeaders(stored: readonly string[], confirming: readonly string[]): readonly string[] {
  if (firstValue(stored, 'content-encoding') === undefined) return confirming
  const before = firstValue(stored, 'etag')
  const now = firstValue(confirming, 'etag')
  // An origin that encodes for itself keeps its tags: only what has the form of our doing is ours.
  const ours =
    before === undefined ? now !== undefined && !isTag(now) : now !== before && before === weakened(now ?? '')
  const out = ours ? asCompressed(confirming) : [...confirming]
  const repeatsVary = firstValue(confirming, 'vary') !== undefined
  if (repeatsVary && variesByEncoding(stored) && !variesByEncoding(confirming)) out.push('Vary', 'Accept-Encoding')
  return out
}

/** ETag weakened, or removed when it is none; no length. */
function asCompressed(headers: readonly string[]): string[] {
  const out: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i] as string, headers[i + 1] as string]
    const lower = name.toLowerCase()
    if (lower === 'content-length') continue
    if (lower !== 'etag') out.push(name, value)
    else if (isTag(value)) out.push(name, weakened(value))
  }
  return out
}

function variesByEncoding(headers: readonly string[]): boolean {
  const varies = listed(allValues(headers, 'vary'))
  return varies.includes('accept-encoding') || varies.includes('*')
}

const isTag = (etag: string): boolean => etag.startsWith('"') || etag.startsWith('W/')
const weakened = (etag: string): string => (etag.startsWith('"') ? `W/${etag}` : etag)
const listed = (values: readonly string[]): string[] =>
  values.flatMap((value) => value.split(',').map((item) => item.trim().toLowerCase()))
