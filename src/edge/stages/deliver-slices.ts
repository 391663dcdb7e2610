//! A large object: its index is here, its bytes are slices (cache/slices.ts). The answer to a viewer is put together from
//! them; a peer gets the index and asks the owners of the slices itself.

import type { StoredObject } from '../cache/object.ts'
import { type SlicedVersion, versionName, versionOf } from '../cache/slices.ts'
import { showAsPage } from '../custom-error.ts'
import { answerOfObject } from '../delivery/as-answer.ts'
import { choose } from '../delivery/choice.ts'
import { Cutter } from '../delivery/cutter.ts'
import { partialHead, slicedHead } from '../delivery/heads.ts'
import { bodiless, partOf } from '../delivery/selected.ts'
import { SliceStream } from '../delivery/slice-stream.ts'
import type { Edge } from '../edge.ts'
import type { EdgeFault, Exchange } from '../exchange.ts'
import { toldOf } from '../explain.ts'
import { leaveFlight } from '../leaving.ts'
import { ORIGIN_FAILURES } from '../origin/failure.ts'
import { dropVersion } from '../slicing.ts'
import { stage, to } from '../stage.ts'
import { lookAgain } from '../variant-choice.ts'

export const deliverSlices = stage({
  name: to.deliverSlices,
  next: [to.record, to.errorPage, to.cacheLookup],
  run(x, edge) {
    const index = x.object as StoredObject
    const version = versionOf(index)
    if (x.goneVersion === '' && edge.flights.hasLost(version.key, versionName(version))) {
      // A viewer was cut off for it. What the owner or the next tier still has is not to be had: they ask the origin anew.
      x.goneVersion = versionName(version)
      return beginAnew(x, edge, version)
    }
    if (x.goneVersion === versionName(version)) {
      // The owner has not heard of it yet: it asks the origin anew, its asker gives up.
      if (x.peer !== null) return beginAnew(x, edge, version)
      x.fault = { ...ORIGIN_FAILURES['object-changed'], origin: 'object-changed' }
      return to.errorPage
    }
    if (x.peer !== null || x.inner !== null) return handOver(x, edge, index)
    x.status = 200
    x.contentType = index.contentType
    const { selection } = x.facts
    const choice =
      selection === null || x.page !== null
        ? WHOLE
        : choose(x.request.method, selection, { ...index, status: 200 }, version.length, edge.clock.now())
    if (choice.kind === 'parts') {
      const part = partOf(x, choice.ranges, version.length, index.contentType)
      return send(x, edge, version, new Cutter(part.pieces), () => partialHead(x, edge, index, part))
    }
    if (choice.kind !== 'whole') {
      x.firstByteAt = edge.clock.monotonic()
      return bodiless(x, edge, choice, index, version.length)
    }
    x.contentLength = version.length
    if (x.page !== null) showAsPage(x, x.page)
    if (x.request.method === 'HEAD') {
      x.firstByteAt = edge.clock.monotonic()
      x.reply.whole(slicedHead(x, edge, index, version.length), null, null)
      return to.record
    }
    const all = new Cutter([{ first: 0, last: version.length - 1 }])
    return send(x, edge, version, all, () => slicedHead(x, edge, index, version.length))
  },
})

const WHOLE = { kind: 'whole' } as const

/** To a peer, whose copy it becomes; a refresh of our own has what it came for. */
function handOver(x: Exchange, edge: Edge, index: StoredObject): typeof to.record {
  x.status = 200
  x.firstByteAt = edge.clock.monotonic()
  x.peer?.announce(answerOfObject(index), toldOf(x, edge))
  // A copy of its few bytes: nothing marks their memory as being sent.
  x.reply.whole('', x.peer === null ? null : Buffer.from(index.body), null)
  return to.record
}

async function send(x: Exchange, edge: Edge, version: SlicedVersion, cutter: Cutter, head: () => string) {
  const { reply, result } = x
  const stream = new SliceStream(x, edge, version, cutter)
  const opening = await stream.open()
  if (opening.kind === 'viewer-gone') {
    x.brokeOff = 'ClientCommError'
    return to.record
  }
  if (opening.kind === 'fault') return withoutFirst(x, edge, version, opening.fault)
  if (!opening.allCached && x.page === null) {
    x.result = x.detailed = 'Miss'
    x.missReason ??= 'absent'
  }
  x.firstByteAt = edge.clock.monotonic()
  reply.head(head(), 'length')
  const { end, fault } = await stream.send()
  x.watcher?.note('slices', `${stream.used}, ${stream.missed} of them not in the cache`)
  // The head could only tell what was known when it went out.
  if (x.page === null) x.result = x.detailed = stream.missed === 0 ? result : 'Miss'
  if (end !== 'complete') x.brokeOff = end
  if (fault !== null) learn(edge, version, fault)
  return to.record
}

/** Not a byte has gone out: a version that is gone makes place for the one that there is, any other fault is told. */
function withoutFirst(x: Exchange, edge: Edge, version: SlicedVersion, fault: EdgeFault) {
  const isGone = learn(edge, version, fault)
  if (isGone && x.goneVersion === '') {
    x.goneVersion = versionName(version)
    return beginAnew(x, edge, version)
  }
  x.fault = fault
  return to.errorPage
}

/** True when a fault says that no slices of this version are to be had any more. */
function learn(edge: Edge, version: SlicedVersion, { origin }: EdgeFault): boolean {
  const isRefused = origin === 'range-refused' || origin === 'range-length'
  if (origin !== 'object-changed' && !isRefused) return false
  if (isRefused) edge.flights.refuseSlices(version.key)
  else edge.flights.loseVersion(version.key, versionName(version))
  dropVersion(edge, version)
  return true
}

function beginAnew(x: Exchange, edge: Edge, version: SlicedVersion): typeof to.cacheLookup {
  dropVersion(edge, version)
  if (x.flight !== null) {
    edge.recordFetch(x)
    x.tier = 'edge'
    x.layer = x.place.layer
    if (x.leads) x.flight.decide('failed')
    leaveFlight(x)
  }
  x.stale?.release()
  x.object = x.stale = x.flight = x.answer = x.range = null
  // The primary of an origin group is first again: what is gone may be the object of the secondary alone.
  x.failedOver = x.originRequest = x.upstream = null
  x.leads = false
  x.contentLength = -1
  x.result = x.detailed = 'Miss'
  lookAgain(x)
  return to.cacheLookup
}
