//! Heads of a folder's answers.
import { type Conditions, evaluateConditions, ifRangeHolds } from '../../../http/conditional.ts'
import { allValues, firstValue } from '../../../http/headers.ts'
import { formatHttpDate } from '../../../http/http-date.ts'
import {
  type ByteRange,
  contentRange,
  parseRange,
  rangeLength,
  resolveRange,
  unsatisfiedRange,
} from '../../../http/range.ts'
import type { OriginRequest } from '../attempts.ts'

export interface Head {
  readonly status: number
  readonly statusText: string
  /** Name, value, name, value ... */
  readonly headers: readonly string[]
  /** Of an answer that is no file. */
  readonly body: Buffer
  /** The bytes of the file that follow; null for none. */
  readonly range: ByteRange | null
}

export interface FileState {
  /** Bytes. */
  readonly size: number
  readonly etag: string
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
}

const NOTHING = Buffer.alloc(0)

function page(status: number, statusText: string, headers: readonly string[]): Head {
  const body = Buffer.from(
    `<!doctype html>\n<title>${status} ${statusText}</title>\n<h1>${status} ${statusText}</h1>\n`,
  )
  const own = ['Content-Type', 'text/html; charset=utf-8', 'Content-Length', `${body.length}`]
  return { status, statusText, headers: [...headers, ...own], body, range: null }
}

export const NOT_FOUND = page(404, 'Not Found', [])
export const METHOD_NOT_ALLOWED = page(405, 'Method Not Allowed', ['Allow', 'GET, HEAD'])

/** To the same path with a slash, as S3 does it. Relative, for what the origin calls its path is not what viewers call it. */
export const redirectTo = (path: string): Head =>
  page(302, 'Found', ['Location', `./${path.slice(path.lastIndexOf('/') + 1)}/`])

/** `now` on the wall clock, which the file's time is by. */
export async function fileHead(
  { method, headers }: OriginRequest,
  name: string,
  { size, etag, modifiedAt }: FileState,
  now: number,
): Promise<Head> {
  const lastModified = formatHttpDate(modifiedAt)
  const validators = ['ETag', etag, 'Last-Modified', lastModified]
  const outcome = evaluateConditions(conditionsOf(headers), { etag, lastModified }, now)
  if (outcome === 'not-modified') return bare(304, 'Not Modified', validators)
  if (outcome === 'precondition-failed') return bare(412, 'Precondition Failed', [...validators, 'Content-Length', '0'])
  const described = [...validators, 'Content-Type', await typeOf(name), 'Accept-Ranges', 'bytes']
  const specs = method === 'GET' ? parseRange(allValues(headers, 'range')) : null
  const ifRange = firstValue(headers, 'if-range')
  const holds = ifRange === undefined || ifRangeHolds(ifRange, { etag, lastModified }, formatHttpDate(now), now)
  const wanted = specs === null || !holds ? ({ kind: 'whole' } as const) : resolveRange(specs, size)
  if (wanted.kind === 'unsatisfiable') {
    return bare(416, 'Range Not Satisfiable', ['Content-Range', unsatisfiedRange(size), 'Content-Length', '0'])
  }
  // Several parts: the whole (RFC 9110 14.2 lets a server ignore a range); the edge cuts them out itself.
  const [part] = wanted.kind === 'parts' && wanted.ranges.length === 1 ? wanted.ranges : []
  if (part !== undefined) {
    const own = ['Content-Range', contentRange(part, size), 'Content-Length', `${rangeLength(part)}`]
    return { ...bare(206, 'Partial Content', [...described, ...own]), range: part }
  }
  const whole = size === 0 ? null : { first: 0, last: size - 1 }
  return { ...bare(200, 'OK', [...described, 'Content-Length', `${size}`]), range: whole }
}

const bare = (status: number, statusText: string, headers: readonly string[]): Head => ({
  ...{ status, statusText, headers, body: NOTHING, range: null },
})

function conditionsOf(headers: readonly string[]): Conditions {
  const joined = (name: string): string | null => allValues(headers, name).join(', ') || null
  return {
    ifMatch: joined('if-match'),
    ifUnmodifiedSince: firstValue(headers, 'if-unmodified-since') ?? null,
    ifNoneMatch: joined('if-none-match'),
    ifModifiedSince: firstValue(headers, 'if-modified-since') ?? null,
  }
}

/** Texts are UTF-8: what else would a file of today be. The table is loaded by the first who asks. */
async function typeOf(name: string): Promise<string> {
  const { default: mime } = await import('mime')
  const type = mime.getType(name) ?? 'application/octet-stream'
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}
