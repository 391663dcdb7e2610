//! What is within a body that has a Content-Encoding, up to a limit. AWS looks at the packed bytes alone, in which no rule
//! finds anything; an origin that unpacks bodies would get what the web ACL is to keep from it.
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import type { HeaderBlock } from '../listen/viewer.ts'

export interface Unpacked {
  /** At most `limit`. */
  readonly bytes: Buffer
  /** False when there is more, or when something in it could not be unpacked. */
  readonly whole: boolean
}

/** Codings within each other that are undone; a body with more is one that cannot be unpacked. */
const CODINGS_MAX = 3

/** `lenient`: of truncated input it gives what there is. Otherwise that is an error, which may swallow the rest. */
type MakeDecoder = (bytes: Buffer, lenient: boolean) => Transform

const gzip: MakeDecoder = (_, lenient) => zlib.createGunzip(zlibOptions(lenient))
const zlibOptions = (lenient: boolean): zlib.ZlibOptions =>
  lenient ? { finishFlush: zlib.constants.Z_SYNC_FLUSH } : {}

const DECODERS: Readonly<Record<string, MakeDecoder>> = {
  br: (_, lenient) =>
    zlib.createBrotliDecompress(lenient ? { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH } : {}),
  // Some send it without its envelope (RFC 9110 8.4.1.2).
  deflate: (bytes, lenient) =>
    isZlib(bytes) ? zlib.createInflate(zlibOptions(lenient)) : zlib.createInflateRaw(zlibOptions(lenient)),
  gzip,
  'x-gzip': gzip,
  zstd: (_, lenient) =>
    zlib.createZstdDecompress({
      params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
      ...(lenient ? { finishFlush: zlib.constants.ZSTD_e_flush } : {}),
    }),
}

/** 8 MB, the most that this coding may ask for (RFC 9659 3); the library would give a frame 128 MB for one word in it. */
const ZSTD_WINDOW_LOG_MAX = 23

/** RFC 1950 2.2: method 8, and the two bytes are a multiple of 31. */
const isZlib = (bytes: Buffer): boolean =>
  bytes.length >= 2 && ((bytes[0] as number) & 15) === 8 && bytes.readUInt16BE(0) % 31 === 0

/** Null for a body without a coding. `all`: the beginning is all of it. */
export async function unpacked(
  beginning: Buffer,
  all: boolean,
  headers: HeaderBlock,
  limit: number,
): Promise<Unpacked | null> {
  const codings = headers
    .getAll('content-encoding')
    .flatMap((value) => value.split(','))
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length === 0) return null
  if (codings.length > CODINGS_MAX) return { bytes: Buffer.alloc(0), whole: false }
  let bytes = beginning
  let whole = true
  for (const coding of codings.reverse()) {
    const decoder = DECODERS[coding]
    if (decoder === undefined) return { bytes: Buffer.alloc(0), whole: false }
    const packed = bytes
    const step = await through(decoder(packed, true), packed, limit)
    bytes = step.bytes
    whole &&= step.whole && (!all || (await through(decoder(packed, false), packed, limit)).whole)
  }
  return { bytes, whole }
}

function through(decoder: Transform, bytes: Buffer, limit: number): Promise<Unpacked> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    const done = (whole: boolean): void => {
      decoder.destroy()
      resolve({ bytes: Buffer.concat(chunks).subarray(0, limit), whole: whole && length <= limit })
    }
    decoder.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > limit) done(false)
    })
    decoder.on('end', () => done(true))
    decoder.on('error', () => done(false))
    decoder.end(bytes)
  })
}
