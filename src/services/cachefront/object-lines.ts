//! A walk through the caches as JSON lines: one a cached object, with its worker; the last line has the totals and names
//! the workers that did not answer.

import { cachefrontFault } from '../../domain/faults.ts'
import type { ObjectsWanted } from '../../edge/feed-protocol.ts'
import type { Installation } from './installation.ts'
import type { LocalAnswer } from './local-route.ts'

/** Walks of this installation at a time. */
const WALKS_MAX = 8

/** The last line. */
export interface WalkTotal {
  readonly total: {
    /** Objects, each counted at the worker that keeps it for the POP. */
    readonly objects: number
    /** Of other workers, copies of such. */
    readonly copies: number
    /** Of both. */
    readonly bytes: number
    /** Objects that were looked at. */
    readonly looked: number
  }
  /** Workers that did not answer, at all or to the end. */
  readonly missing: readonly string[]
}

let walks = 0

/** @throws Fault TooManyRequests */
export function objectLines(installation: Installation, wanted: ObjectsWanted): LocalAnswer {
  if (walks >= WALKS_MAX) {
    throw cachefrontFault(
      'TooManyRequests',
      `${WALKS_MAX} walks through the caches are under way: try again when one has ended.`,
    )
  }
  return { status: 200, contentType: 'application/x-ndjson', body: lines(installation, wanted) }
}

async function* lines(installation: Installation, wanted: ObjectsWanted): AsyncGenerator<string> {
  let [objects, copies, bytes, looked] = [0, 0, 0, 0]
  const missing: string[] = []
  walks++
  try {
    for await (const step of installation.objects(wanted)) {
      if (step.kind === 'missing') {
        missing.push(step.worker)
        continue
      }
      looked += step.looked
      let text = ''
      for (const object of step.objects) {
        if (object.owned) objects++
        else copies++
        bytes += object.bytes
        text += `${JSON.stringify({ worker: step.worker, ...object })}\n`
      }
      if (text !== '') yield text
    }
    const total: WalkTotal = { total: { objects, copies, bytes, looked }, missing }
    yield `${JSON.stringify(total)}\n`
  } finally {
    walks--
  }
}
