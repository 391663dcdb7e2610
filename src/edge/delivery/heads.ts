//! The head of each kind of answer to a viewer: what is stored, plus the lines that every delivery adds (spec 6.4).
//! For a hit all of it but the request's name and the age was put together by the first hit.
import { notModifiedHeaders } from '../../http/conditional.ts'
import { reasonPhrase } from '../../http/error-page.ts'
import { type ByteRange, contentRange } from '../../http/range.ts'
import { flatText } from '../../lib/flat-text.ts'
import type { Answer } from '../cache/flight.ts'
import type { StoredObject } from '../cache/object.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { traceLine } from '../explain.ts'
import { headerPairs } from '../origin/answer.ts'
import type { Place } from '../places.ts'
import { cacheStatus } from './cache-status.ts'
import { passesTrailers } from './trailing.ts'

const KEEP_ALIVE = '\r\nConnection: keep-alive\r\n\r\n'
const CLOSE = '\r\nConnection: close\r\n\r\n'

const ageAt = (now: number, bornAt: number): number => Math.max(0, Math.floor((now - bornAt) / 1000))

export function hitHead(x: Exchange, edge: Edge, object: StoredObject): string {
  let head = object.hitHead
  if (x.page !== null) {
    head = shown(x, hitLines(x, object, x.result))
  } else if (x.result === 'RefreshHit') {
    head = hitLines(x, object, 'RefreshHit')
  } else if (head === '') {
    head = hitLines(x, object, x.result)
    object.hitHead = head
  } else if (!object.hitHeadIsFlat) {
    // Worth it now that it comes a second time.
    head = flatText(head)
    object.hitHead = head
    object.hitHeadIsFlat = true
  }
  return told(
    x,
    head + x.requestId + ageLine(edge, object) + reportLines(x, edge, object) + (x.reply.closes ? CLOSE : KEEP_ALIVE),
  )
}

/** `head`, which the trace of the request shows as it goes out. */
function told(x: Exchange, head: string): string {
  if (x.watcher !== null) x.watcher.sends(head)
  return head
}

/** A custom error page goes out under the status that its row says, not that of the page's own answer. */
const shown = (x: Exchange, head: string): string =>
  `HTTP/1.1 ${x.status} ${reasonPhrase(x.status)}${head.slice(head.indexOf('\r\n'))}`

const hitLines = ({ place }: Exchange, object: StoredObject, result: string): string => {
  const head = object.status === 200 ? withRanges(object.head) : object.head
  // A 204 must not have one (RFC 9110 8.6).
  const length = object.status === 204 ? '' : `Content-Length: ${object.body.length}\r\n`
  return head + length + ownLines(place, result)
}

/** Ends where the request's name goes. */
const ownLines = (place: Place, result: string): string =>
  `X-Cache: ${result} from cloudfront\r\nX-Amz-Cf-Pop: ${place.name}\r\nX-Amz-Cf-Id: `

const ageLine = (edge: Edge, object: { readonly bornAt: number }): string =>
  `\r\nAge: ${ageAt(edge.clock.now(), object.bornAt)}`

/** Lines about the answer, for those who ask how it came about. */
const reportLines = (x: Exchange, edge: Edge, source: { readonly freshUntil: number }): string =>
  x.behavior?.strict === true
    ? `\r\nCache-Status: ${cacheStatus(x, x.place.name, edge.clock.now(), source.freshUntil)}${traceLine(x)}`
    : traceLine(x)

/** 304 to a viewer whose copy is still good (RFC 9110 15.4.5). */
export function notModifiedHead(
  x: Exchange,
  edge: Edge,
  object: { readonly head: string; readonly bornAt: number; readonly freshUntil: number; notModifiedHead: string },
): string {
  if (object.notModifiedHead === '') {
    const pairs = notModifiedHeaders(headerPairs(object.head))
    let lines = 'HTTP/1.1 304 Not Modified\r\n'
    for (let i = 0; i < pairs.length; i += 2) lines += `${pairs[i]}: ${pairs[i + 1]}\r\n`
    object.notModifiedHead = `${lines}Via: 1.1 ${x.place.via}\r\n`
  }
  const own = ownLines(x.place, x.result) + x.requestId + ageLine(edge, object) + reportLines(x, edge, object)
  return told(x, object.notModifiedHead + own + (x.reply.closes ? CLOSE : KEEP_ALIVE))
}

/** Lines of a whole answer that are not true of a part; Accept-Ranges is written anew. */
const OF_THE_WHOLE = /\r\n(?:Accept-Ranges|Content-Range|Content-Digest|Content-MD5):[^\r\n]*/gi
const CONTENT_TYPE = /\r\nContent-Type:[^\r\n]*/gi

/** 206: the object's own lines, and those that describe the part (RFC 9110 15.3.7). */
export function partialHead(
  x: Exchange,
  edge: Edge,
  source: { readonly head: string; readonly bornAt: number; readonly freshUntil: number },
  part: { readonly lines: string; readonly ownType: boolean },
): string {
  let kept = source.head.slice(source.head.indexOf('\r\n')).replace(OF_THE_WHOLE, '')
  if (part.ownType) kept = kept.replace(CONTENT_TYPE, '')
  const own = part.lines + ownLines(x.place, x.result) + x.requestId
  const isNew = x.object === null && x.result === 'Miss' && ageAt(edge.clock.now(), source.bornAt) === 0
  const age = isNew ? '' : ageLine(edge, source)
  const end = x.reply.closes ? CLOSE : KEEP_ALIVE
  const lines = `${kept}Accept-Ranges: bytes\r\n${own}${age}${reportLines(x, edge, source)}`
  return told(x, `HTTP/1.1 206 Partial Content${lines}${end}`)
}

/** All of a large object: 200, or the status of the custom error page that it is. */
export function slicedHead(x: Exchange, edge: Edge, index: StoredObject, length: number): string {
  const lines = `${withRanges(index.head)}Content-Length: ${length}\r\n${ownLines(x.place, x.result)}`
  const head = x.page === null ? lines : shown(x, lines)
  const own = x.requestId + ageLine(edge, index) + reportLines(x, edge, index)
  return told(x, head + own + (x.reply.closes ? CLOSE : KEEP_ALIVE))
}

/** The head of a stored part as the origin would send it: for a peer, which adds its own lines. */
export function partHead(head: string, range: ByteRange, length: number): string {
  const kept = head.slice(head.indexOf('\r\n')).replace(OF_THE_WHOLE, '')
  return `HTTP/1.1 206 Partial Content${kept}Content-Range: ${contentRange(range, length)}\r\n`
}

/** Whatever the origin can do, a kept object of known length is to be had in parts. */
const withRanges = (head: string): string =>
  `${head.replace(/\r\nAccept-Ranges:[^\r\n]*/gi, '')}Accept-Ranges: bytes\r\n`

/** A streamed answer's head, and how its end will be told (RFC 9112 6). */
export function streamHead(
  x: Exchange,
  edge: Edge,
  answer: Answer,
): { text: string; framing: 'length' | 'chunked' | 'close' } {
  const bodiless = answer.status === 204 || answer.status === 304
  const framing = bodiless || answer.length !== null ? 'length' : x.request.httpVersion === '1.0' ? 'close' : 'chunked'
  let text = x.page === null ? (answer.leaderHead ?? answer.head) : shown(x, answer.head)
  if (answer.length !== null && answer.status !== 204) text += `Content-Length: ${answer.length}\r\n`
  else if (framing === 'chunked' && x.request.method !== 'HEAD') {
    text += 'Transfer-Encoding: chunked\r\n'
    if (answer.trailer !== undefined && passesTrailers(x)) text += `Trailer: ${answer.trailer}\r\n`
  }
  if (answer.status === 200 && answer.length !== null && answer.notStored === null && x.page === null)
    text = withRanges(text)
  text += ownLines(x.place, x.result) + x.requestId
  const age = ageAt(edge.clock.now(), answer.bornAt)
  if (age > 0 || x.result === 'Hit') text += `\r\nAge: ${age}`
  text += reportLines(x, edge, answer) + (framing === 'close' || x.reply.closes ? CLOSE : KEEP_ALIVE)
  return { text: told(x, text), framing }
}
