//! Answers a request with conditions or a range: 304, 412, 416, 206; from a stored object in one write, from a running
//! fetch as the bytes of the range arrive.
import { REASONS } from '../../http/error-page.ts'
import { allValues } from '../../http/headers.ts'
import {
  type BodyPiece,
  type ByteRange,
  contentRange,
  multipart,
  parseContentRange,
  rangeLength,
} from '../../http/range.ts'
import type { Answer, Flight } from '../cache/flight.ts'
import { keepOn } from '../cache/keep-on.ts'
import type { StoredObject } from '../cache/object.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { headerPairs } from '../origin/answer.ts'
import { to } from '../stage.ts'
import type { Selection } from '../viewer-facts.ts'
import { type Choice, choose } from './choice.ts'
import { Cutter } from './cutter.ts'
import { notModifiedHead, partialHead } from './heads.ts'
import { streamBody } from './stream.ts'

type Next = typeof to.record | typeof to.errorPage

/** Answers from a stored object; null when all of it is to be sent. */
export function selectFromObject(x: Exchange, edge: Edge, object: StoredObject, selection: Selection): Next | null {
  const { length } = object.body
  const choice = choose(x.request.method, selection, object, length, edge.clock.now())
  if (choice.kind === 'whole') return null
  x.firstByteAt = edge.clock.monotonic()
  x.contentType = object.contentType
  if (choice.kind !== 'parts') return bodiless(x, edge, choice, object, length)
  const part = partOf(x, choice.ranges, length, object.contentType)
  const head = partialHead(x, edge, object, part)
  const [only, another] = part.pieces
  if (another === undefined && typeof only === 'object') {
    object.hold()
    x.reply.whole(head, object.body.subarray(only.first, only.last + 1), object.release)
  } else {
    x.reply.whole(head, Buffer.concat(new Cutter(part.pieces).take(object.body)), null)
  }
  return to.record
}

/** Answers from a fetch; null when all of it is to be sent. */
export function selectFromFlight(
  x: Exchange,
  edge: Edge,
  flight: Flight,
  answer: Answer,
  selection: Selection,
): Next | Promise<Next> | null {
  const choice = choose(x.request.method, selection, answer, answer.length, edge.clock.now())
  if (choice.kind === 'whole') return null
  x.firstByteAt = edge.clock.monotonic()
  x.contentType = answer.contentType
  if (choice.kind !== 'parts' || answer.length === null) {
    keepOn(flight)
    return bodiless(
      x,
      edge,
      choice,
      { ...answer, notModifiedHead: { text: '', encoded: null, edit: null } },
      answer.length,
    )
  }
  const part = partOf(x, choice.ranges, answer.length, answer.contentType)
  x.reply.head(partialHead(x, edge, { ...answer, head: answer.leaderHead ?? answer.head }, part), 'length')
  return streamBody(flight, x.reply, new Cutter(part.pieces)).then((end) => {
    if (end !== 'complete') x.brokeOff = end
    // Whoever leaves before its range has arrived ends the fetch, as one who wanted all of it (spec 5.7).
    else keepOn(flight)
    return to.record
  })
}

/** A part of the origin's own making is logged like one of ours. */
export function noteOriginPart(x: Exchange, head: string): void {
  const [only, another] = allValues(headerPairs(head), 'content-range')
  const range = only === undefined || another !== undefined ? null : parseContentRange(only)
  if (range !== null) x.range = range
}

/** 304, 412 or 416; `length` is that of the whole object. */
export function bodiless(
  x: Exchange,
  edge: Edge,
  choice: Choice,
  source: Parameters<typeof notModifiedHead>[2],
  length: number | null,
): Next {
  if (choice.kind === 'not-modified') {
    x.status = 304
    const { text, parts } = notModifiedHead(x, edge, source)
    x.reply.whole(text, null, null, parts)
    return to.record
  }
  x.fault =
    choice.kind === 'precondition-failed'
      ? { status: 412, reason: REASONS.precondition, detailed: 'Error', origin: null }
      : {
          ...{ status: 416, reason: REASONS.range, origin: null, objectBytes: length ?? 0 },
          detailed: length === 0 ? 'OriginZeroSizeObjectError' : 'Error',
        }
  return to.errorPage
}

/** What a 206 says besides the object's own lines. */
export interface Part {
  /** Lines that describe the body; each ends with a line break. */
  readonly lines: string
  /** The object's Content-Type does not describe the body. */
  readonly ownType: boolean
  readonly pieces: readonly BodyPiece[]
}

/** 206; the exchange learns what is sent. */
export function partOf(x: Exchange, ranges: readonly ByteRange[], length: number, contentType: string): Part {
  x.status = 206
  const [only, another] = ranges
  if (only !== undefined && another === undefined) {
    x.range = only
    x.contentLength = rangeLength(only)
    const lines = `Content-Range: ${contentRange(only, length)}\r\nContent-Length: ${x.contentLength}\r\n`
    return { lines, ownType: false, pieces: [only] }
  }
  // The request's name is random, so that no object can hold it.
  const made = multipart(ranges, length, contentType, x.requestId.replaceAll('=', ''))
  x.contentType = made.contentType
  x.contentLength = made.length
  const lines = `Content-Type: ${made.contentType}\r\nContent-Length: ${made.length}\r\n`
  return { lines, ownType: true, pieces: made.pieces }
}
