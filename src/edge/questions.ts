//! What control may ask a worker (edge/feed-protocol.ts): a trace, its counters, what it has cached (cache-walk.ts,
//! cache-view.ts).
import { COUNTER } from '../observe/counters.ts'
import type { Answering } from './answering.ts'
import { bytesHeld } from './cache/flight-body.ts'
import { findObject, storageSeen } from './cache-view.ts'
import type { CacheWalks } from './cache-walk.ts'
import type { Answer, Question } from './feed-protocol.ts'

/** What a worker does not know (a trace of another one) is null. At once, but for what lies on disk. */
export function answerQuestion(question: Question, answering: Answering, walks: CacheWalks): Answer | Promise<Answer> {
  const { counters, traces, store } = answering
  switch (question.kind) {
    case 'trace':
      return { kind: 'trace', trace: traces.get(question.traceId) ?? null }
    case 'counters':
      counters.set(COUNTER.objects, store.count)
      counters.set(COUNTER.cacheBytes, store.bytes)
      counters.set(COUNTER.evicted, store.evicted)
      countWork(answering)
      countDisk(answering)
      return { kind: 'counters', counters: counters.snapshot() }
    case 'objects':
      return walks.page(question.walk, question.wanted, question.cursor, answering)
    case 'object':
      return { kind: 'object', found: findObject(question.request, answering) }
    case 'origins':
      return { kind: 'origins', origins: answering.originHealth.seen() }
    case 'storage':
      return { kind: 'storage', storage: storageSeen(answering) }
    case 'waf-samples': {
      const { webAcl, metric, from, to, max } = question
      return { kind: 'waf-samples', found: answering.edge.waf.samples.find(webAcl, metric, from, to, max) }
    }
    case 'waf-rate-keys': {
      const isRule = (id: string): boolean => id.startsWith(question.ids)
      return { kind: 'waf-rate-keys', keys: answering.edge.waf.rates.keysOver(isRule, question.max) }
    }
    case 'waf-rules':
      return { kind: 'waf-rules', rules: answering.edge.waf.rules.all() }
  }
}

/** All of these are zero when nobody has asked for anything for a while. */
function countWork({ counters, store, edge }: Answering): void {
  counters.set(COUNTER.fetchesUnderWay, edge.flights.size)
  counters.set(COUNTER.fetchBytesHeld, bytesHeld())
  counters.set(COUNTER.originRequestsOpen, edge.origins.underWay.total)
  counters.set(COUNTER.peerRequestsOpen, edge.peers.busy)
  counters.set(COUNTER.refreshesUnderWay, edge.refreshes.size)
  counters.set(COUNTER.compressionsUnderWay, edge.compressions.count)
  counters.set(COUNTER.fieldBytesHeld, edge.fieldBodies.held)
  const { keys, dropped } = edge.waf.rates.seen
  counters.set(COUNTER.wafRateKeys, keys)
  counters.set(COUNTER.wafRateKeysDropped, dropped)
  counters.set(COUNTER.objectsHeld, store.held)
}

function countDisk({ counters, disk }: Answering): void {
  const { objects, bytes, limitBytes, pendingBytes } = disk.stats()
  counters.set(COUNTER.diskObjects, objects)
  counters.set(COUNTER.diskBytes, bytes)
  counters.set(COUNTER.diskLimit, limitBytes)
  counters.set(COUNTER.diskPending, pendingBytes)
}
