//! The head of each kind of answer to a viewer: what is stored, as the response headers policy of the behavior changes it
//! (headers-policy.ts), plus the lines that every delivery adds (spec 6.4). For a hit all of it but the request's name and
//! the age was put together by the first hit.
import { notModifiedHeaders } from '../../http/conditional.ts'
import { reasonPhrase } from '../../http/error-page.ts'
import { type ByteRange, contentRange } from '../../http/range.ts'
import { flatText } from '../../lib/flat-text.ts'
import type { Answer } from '../cache/flight.ts'
import type { KeptHead, StoredObject } from '../cache/object.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { ownViewerLines } from '../explain.ts'
import type { HeadPart, HeadParts } from '../listen/viewer.ts'
import { headerPairs } from '../origin/answer.ts'
import type { Place } from '../places.ts'
import type { PolicyEdit } from '../snapshot/headers-policy.ts'
import { cacheStatus } from './cache-status.ts'
import { dateLine, edited, editOf } from './headers-policy.ts'
import { timingLine } from './server-timing.ts'
import { passesTrailers } from './trailing.ts'

const KEEP_ALIVE = '\r\nConnection: keep-alive\r\n\r\n'
const CLOSE = '\r\nConnection: close\r\n\r\n'

const ageAt = (now: number, bornAt: number): number => Math.max(0, Math.floor((now - bornAt) / 1000))

/** A head as it goes out, and its parts when others begin as it does. */
export interface PartedHead {
  readonly text: string
  readonly parts: HeadParts | undefined
}

export function hitHead(x: Exchange, edge: Edge, object: StoredObject): PartedHead {
  const edit = editOf(x)
  let head: string
  let part: HeadPart | undefined
  if (x.page !== null) {
    head = shown(x, hitLines(x, object, x.result, edit))
  } else if (x.result === 'RefreshHit' || (edit !== null && !edit.lasts)) {
    head = hitLines(x, object, x.result, edit)
  } else {
    const kept = object.hitHead
    if (kept.text === '' || kept.edit !== edit) {
      head = otherHitHead(object, edit) ?? hitLines(x, object, x.result, edit)
      keepHitHead(object, { text: head, encoded: null, edit, isFlat: false })
    } else {
      head = kept.text
      if (!kept.isFlat) {
        // Worth it now that it comes a second time.
        head = flatText(head)
        kept.text = head
        kept.isFlat = true
      }
    }
    part = object.hitHead
  }
  const own = ownValues(x, edge, edit, object, ageLine(edge, object))
  return { text: told(x, head + own), parts: part && { part, own } }
}

/** Heads of one object that are kept besides the one that went out last: those of other origins, or of no origin. */
const OTHER_HEADS_MAX = 8

/** One that was made before for this edit; there it is no longer kept. */
function otherHitHead(object: StoredObject, edit: PolicyEdit | null): string | null {
  const at = object.otherHitHeads?.findIndex((one) => one.edit === edit) ?? -1
  return at < 0 ? null : (object.otherHitHeads?.splice(at, 1)[0]?.text ?? null)
}

function keepHitHead(object: StoredObject, made: KeptHead): void {
  const before = object.hitHead
  object.hitHead = made
  if (before.text === '') return
  object.otherHitHeads ??= []
  object.otherHitHeads.push(before)
  if (object.otherHitHeads.length > OTHER_HEADS_MAX) object.otherHitHeads.shift()
}

/** `head`, which the trace of the request shows as it goes out. */
function told(x: Exchange, head: string): string {
  if (x.watcher !== null) x.watcher.sends(head)
  return head
}

/** A custom error page goes out under the status that its row says, not that of the page's own answer. */
const shown = (x: Exchange, head: string): string =>
  `HTTP/1.1 ${x.status} ${reasonPhrase(x.status)}${head.slice(head.indexOf('\r\n'))}`

const hitLines = (x: Exchange, object: StoredObject, result: string, edit: PolicyEdit | null): string => {
  const head = object.status === 200 ? withRanges(object.head) : object.head
  // A 204 must not have one (RFC 9110 8.6).
  const length = object.status === 204 ? '' : `Content-Length: ${object.body.length}\r\n`
  return edited(head, edit) + length + ownLines(x.place, result)
}

/** Ends where the request's name goes. */
const ownLines = (place: Place, result: string): string =>
  `X-Cache: ${result} from cloudfront\r\nX-Amz-Cf-Pop: ${place.name}\r\nX-Amz-Cf-Id: `

const ageLine = (edge: Edge, object: { readonly bornAt: number }): string =>
  `\r\nAge: ${ageAt(edge.clock.now(), object.bornAt)}`

/** What differs from request to request: its name, `age` (a line or nothing), what it asked to know, and the end. */
function ownValues(
  x: Exchange,
  edge: Edge,
  edit: PolicyEdit | null,
  source: { readonly freshUntil: number; readonly head: string },
  age: string,
  end = x.reply.closes ? CLOSE : KEEP_ALIVE,
): string {
  if (edit === null) return x.requestId + age + reportLines(x, edge, source) + end
  const timing = edit.timed ? timingLine(x, edit, source.head) : ''
  return x.requestId + dateLine(edge, edit) + (edit.hidesAge ? '' : age) + timing + reportLines(x, edge, source) + end
}

/** Lines about the answer, for those who ask how it came about. */
const reportLines = (x: Exchange, edge: Edge, source: { readonly freshUntil: number }): string =>
  x.behavior?.strict === true
    ? `\r\nCache-Status: ${cacheStatus(x, x.place.name, edge.clock.now(), source.freshUntil)}${ownViewerLines(x)}`
    : ownViewerLines(x)

/** 304 to a viewer whose copy is still good (RFC 9110 15.4.5). */
export function notModifiedHead(
  x: Exchange,
  edge: Edge,
  object: {
    readonly head: string
    readonly bornAt: number
    readonly freshUntil: number
    notModifiedHead: Omit<KeptHead, 'isFlat'>
  },
): PartedHead {
  const edit = editOf(x)
  if (object.notModifiedHead.text === '' || object.notModifiedHead.edit !== edit) {
    const whole = headerPairs(edited(object.head, edit))
    const pairs = notModifiedHeaders(whole)
    // What the policy adds is said of every answer; a browser takes it into its copy, as of another origin's page.
    if (edit !== null) pairs.push(...linesOf(whole, edit.added, pairs))
    let lines = 'HTTP/1.1 304 Not Modified\r\n'
    for (let i = 0; i < pairs.length; i += 2) lines += `${pairs[i]}: ${pairs[i + 1]}\r\n`
    object.notModifiedHead = { text: `${lines}Via: 1.1 ${x.place.via}\r\n`, encoded: null, edit }
  }
  const own = ownLines(x.place, x.result) + ownValues(x, edge, edit, object, ageLine(edge, object))
  const part = object.notModifiedHead
  return { text: told(x, part.text + own), parts: { part, own } }
}

/** The lines of `pairs` with one of these names (lower case) that are not among `known` by their names. */
function linesOf(pairs: readonly string[], names: ReadonlySet<string>, known: readonly string[]): string[] {
  const isKnown = new Set(known.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()))
  return pairs.filter((_, at) => {
    const name = (pairs[at - (at % 2)] as string).toLowerCase()
    return names.has(name) && !isKnown.has(name)
  })
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
  const edit = editOf(x)
  let kept = source.head.slice(source.head.indexOf('\r\n')).replace(OF_THE_WHOLE, '')
  if (part.ownType) kept = kept.replace(CONTENT_TYPE, '')
  const own = part.lines + ownLines(x.place, x.result)
  const isNew = x.object === null && x.result === 'Miss' && ageAt(edge.clock.now(), source.bornAt) === 0
  const age = isNew ? '' : ageLine(edge, source)
  const lines = edited(`HTTP/1.1 206 Partial Content${kept}Accept-Ranges: bytes\r\n`, edit)
  return told(x, lines + own + ownValues(x, edge, edit, source, age))
}

/** All of a large object: 200, or the status of the custom error page that it is. */
export function slicedHead(x: Exchange, edge: Edge, index: StoredObject, length: number): string {
  const edit = editOf(x)
  const kept = edited(withRanges(index.head), edit)
  const lines = `${kept}Content-Length: ${length}\r\n${ownLines(x.place, x.result)}`
  const head = x.page === null ? lines : shown(x, lines)
  return told(x, head + ownValues(x, edge, edit, index, ageLine(edge, index)))
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
  const edit = editOf(x)
  const source = x.page === null ? (answer.leaderHead ?? answer.head) : shown(x, answer.head)
  const isWhole = answer.status === 200 && answer.length !== null && answer.notStored === null && x.page === null
  let text = edited(isWhole ? withRanges(source) : source, edit)
  if (answer.length !== null && answer.status !== 204) text += `Content-Length: ${answer.length}\r\n`
  else if (framing === 'chunked' && x.request.method !== 'HEAD') {
    text += 'Transfer-Encoding: chunked\r\n'
    if (answer.trailer !== undefined && passesTrailers(x)) text += `Trailer: ${answer.trailer}\r\n`
  }
  const seconds = ageAt(edge.clock.now(), answer.bornAt)
  const age = seconds > 0 || x.result === 'Hit' ? `\r\nAge: ${seconds}` : ''
  const end = framing === 'close' || x.reply.closes ? CLOSE : KEEP_ALIVE
  text += ownLines(x.place, x.result) + ownValues(x, edge, edit, answer, age, end)
  return { text: told(x, text), framing }
}
