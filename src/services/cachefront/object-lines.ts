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

export class ObjectWalks {
  readonly #installation: Installation
  #underWay = 0

  constructor(installation: Installation) {
    this.#installation = installation
  }

  /** @throws Fault TooManyRequests */
  lines(wanted: ObjectsWanted): LocalAnswer {
    if (this.#underWay >= WALKS_MAX) {
      const message = `${WALKS_MAX} walks through the caches are under way: try again when one has ended.`
      throw cachefrontFault('TooManyRequests', message)
    }
    return { status: 200, contentType: 'application/x-ndjson', body: this.#walk(wanted) }
  }

  async *#walk(wanted: ObjectsWanted): AsyncGenerator<string> {
    let [objects, copies, bytes, looked] = [0, 0, 0, 0]
    const missing: string[] = []
    this.#underWay++
    try {
      for await (const step of this.#installation.objects(wanted)) {
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
      this.#underWay--
    }
  }
}
