//! Every limit of an HTTP/2 connection besides those of listen/limits.ts, with its unit, and why there is one. Over a limit
//! the connection ends with ENHANCE_YOUR_CALM unless its row says otherwise.

interface SizeRow {
  readonly value: number
  readonly unit: string
  readonly why: string
}

/** What may happen so often at once, and so often a second on the long run. */
interface RateRow {
  readonly burst: number
  readonly perSecond: number
  readonly counts: string
  readonly why: string
}

const size = (value: number, unit: string, why: string): SizeRow => ({ value, unit, why })
const rate = (burst: number, perSecond: number, counts: string, why: string): RateRow => ({
  burst,
  perSecond,
  counts,
  why,
})

export const HTTP2_SIZES = {
  concurrentStreams: size(128, 'requests', 'CloudFront has 128. One more: that stream ends with REFUSED_STREAM.'),
  headerBlockBytes: size(65_536, 'bytes', 'A header block as it comes, CONTINUATION and padding included.'),
  continuations: size(128, 'frames', 'Of one header block: CVE-2024-27983 and its siblings.'),
  streamWindowBytes: size(131_072, 'bytes', 'Of a request body that nobody has read yet.'),
  connectionWindowBytes: size(262_144, 'bytes', 'Of all bodies of a connection that nobody has read yet.'),
  settingsAckMs: size(10_000, 'milliseconds', 'In which our SETTINGS must be acknowledged. Over it: SETTINGS_TIMEOUT.'),
  outputBytes: size(
    262_144,
    'bytes',
    'Of bodies written to a socket that has not sent them: they lie there encrypted.',
  ),
  unsentBytes: size(327_680, 'bytes', 'Unsent: nothing more is read, so that nothing more need be answered.'),
  drainMs: size(
    1_000,
    'milliseconds',
    'Between the two GOAWAY frames of a drain, when the viewer does not answer PING.',
  ),
} as const satisfies Readonly<Record<string, SizeRow>>

export const HTTP2_RATES = {
  resets: rate(500, 50, 'RST_STREAM of a request before the end of its answer', 'Rapid reset, CVE-2023-44487.'),
  faults: rate(100, 10, 'Streams that the viewer makes us reset', 'MadeYouReset, CVE-2025-8671.'),
  settings: rate(100, 10, 'SETTINGS frames', 'Each is to be acknowledged: CVE-2019-9515.'),
  pings: rate(500, 50, 'PING frames, less those earned by requests and bodies', 'CVE-2019-9512.'),
  controls: rate(2_000, 200, 'Frames that carry nothing, less those earned by requests and bodies', 'CVE-2019-9513.'),
  empties: rate(500, 50, 'DATA frames of less than 16 bytes, but the last', 'CVE-2019-9518.'),
  dribbles: rate(1_000, 100, 'DATA frames of less than 256 bytes, for the window had no more', 'CVE-2019-9511, -9517.'),
} as const satisfies Readonly<Record<string, RateRow>>

export type Http2SizeName = keyof typeof HTTP2_SIZES
export type Http2RateName = keyof typeof HTTP2_RATES
/** Those that a viewer is seen to go over, each with a counter. */
export type Http2LimitName = 'concurrentStreams' | 'headerBlockBytes' | 'continuations' | Http2RateName

export type Http2Limits = Readonly<Record<Http2SizeName, number>>

export const HTTP2_LIMITS = Object.fromEntries(
  Object.entries(HTTP2_SIZES).map(([name, row]) => [name, row.value]),
) as Http2Limits
