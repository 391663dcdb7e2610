//! What the origin's head for a slice means: the bytes that were asked for, or why they cannot be had. Bytes of another
//! version than the index tells of never come further than this.

import { rangeLength } from '../../http/range.ts'
import type { Answer, Flight } from '../cache/flight.ts'
import { ALWAYS, judgeSlice, type SliceAsked, type SliceVerdict, sliceRange } from '../cache/slices.ts'
import { originPlanOf } from '../origin/failover.ts'
import { ORIGIN_FAILURES, OriginFailure } from '../origin/failure.ts'
import { carriesMuchUnkeyed } from '../origin/forward.ts'
import { stage, to } from '../stage.ts'

const KIND = {
  changed: 'object-changed',
  refused: 'range-refused',
  failed: 'invalid-response',
} as const

export const sliceResponse = stage({
  name: to.sliceResponse,
  next: [to.cacheStore, to.errorPage],
  run(x, edge) {
    const flight = x.flight as Flight
    const slice = x.slice as SliceAsked
    const verdict = judgeSlice(slice, flight.status, flight.headers)
    if (verdict === 'right') {
      x.answer = sliceAnswer(slice, flight, edge.clock.now())
      return to.cacheStore
    }
    const kind = KIND[verdict]
    flight.stopKeeping()
    flight.source?.abort()
    flight.onFailure(new OriginFailure(kind, message(verdict, flight)))
    // An error that this viewer may have brought about alone is nobody else's.
    const own = verdict === 'failed' && carriesMuchUnkeyed(originPlanOf(x).forward, x.originRequest?.headers ?? [])
    flight.decide(own ? 'alone' : 'failed')
    x.fault = { ...ORIGIN_FAILURES[kind], ...(verdict === 'failed' ? { status: flight.status } : {}), origin: kind }
    return to.errorPage
  },
})

const message = (verdict: SliceVerdict, { status }: Flight): string =>
  `a slice of a large object: ${verdict} (${status})`

/** A slice has no head and no lifetime of its own: both are its index's. */
function sliceAnswer(slice: SliceAsked, flight: Flight, now: number): Answer {
  const { validator, tags } = slice.of
  return {
    status: 206,
    head: '',
    length: rangeLength(sliceRange(slice)),
    contentType: '',
    etag: validator.kind === 'etag' ? validator.value : '',
    lastModified: validator.kind === 'last-modified' ? validator.value : '',
    bornAt: now,
    freshUntil: ALWAYS,
    staleUntil: ALWAYS,
    swrUntil: ALWAYS,
    ttlSource: 'max-age',
    notStored: null,
    asOf: flight.asOf,
    tags,
    variant: '',
  }
}
