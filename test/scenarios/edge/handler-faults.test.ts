//! Something of ours breaks while an answer goes out: the viewer is cut off, and nothing of the request is left behind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flights } from '../../../src/edge/cache/collapse.ts'
import { FailureMemory } from '../../../src/edge/cache/failures.ts'
import { bytesHeld } from '../../../src/edge/cache/flight-body.ts'
import { Invalidations } from '../../../src/edge/cache/invalidation.ts'
import { MemoryStore } from '../../../src/edge/cache/memory.ts'
import type { Edge } from '../../../src/edge/edge.ts'
import { viewerHandler } from '../../../src/edge/handler.ts'
import { ParsedHeaders } from '../../../src/edge/listen/header-block.ts'
import { UNLIMITED, type ViewerReply, type ViewerRequest } from '../../../src/edge/listen/viewer.ts'
import type { OriginSink } from '../../../src/edge/origin/attempts.ts'
import { placesOf } from '../../../src/edge/places.ts'
import { RequestIds } from '../../../src/edge/request-ids.ts'
import { Running } from '../../../src/edge/running.ts'
import { compileSnapshot } from '../../../src/edge/snapshot/assemble.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { distributionDoc, HOST, ONE_POP } from '../../support/edge-scenario.ts'

test('a fetch whose only reader broke is broken off, and its bytes are let go', async () => {
  let aborts = 0
  const abort = () => void aborts++
  const recorded = Promise.withResolvers<void>()
  const edge = {
    clock: systemClock,
    places: placesOf(ONE_POP),
    snapshot: compileSnapshot(1, [distributionDoc(1)], null, (_id, error) => assert.fail(error)),
    invalidations: new Invalidations(),
    store: new MemoryStore(8 * 1024 * 1024),
    disk: { opening: null, mayHave: () => false },
    flights: new Flights(),
    failures: new FailureMemory(),
    origins: {
      send(_asked: unknown, sink: OriginSink) {
        sink.onHead(200, 'OK', ['content-length', '10', 'cache-control', 'max-age=60'])
        sink.onData(Buffer.from('hello'))
        return { pause() {}, resume() {}, abort }
      },
    },
    ids: new RequestIds(),
    shield: { budgetOf: () => UNLIMITED, sheds: () => null },
    workers: [],
    leaseUntil: Number.POSITIVE_INFINITY,
    date: () => '',
    recordFetch: () => {},
    recordFailover: () => {},
    record: () => recorded.resolve(),
  } as unknown as Edge
  const facts = {
    ...{ contentLength: -1, chunked: false, close: false, expectContinue: false, hasHost: true },
    authority: HOST,
  }
  const connection = { remoteAddress: '127.0.0.1', remotePort: 1, loopback: true, scheme: 'http', tls: null, pop: 0 }
  const request = {
    ...{ method: 'GET', path: '/a', query: null, httpVersion: '1.1', body: null, connection },
    headers: new ParsedHeaders(['Host', HOST], 20, facts),
    startedAt: systemClock.monotonic(),
  } as unknown as ViewerRequest
  let cut = 0
  const reply = {
    ...{ onDrain: null, onAbort: null, gone: false, closes: false, bytesSent: 0 },
    head() {
      throw new Error('the head cannot be written')
    },
    abort: () => void cut++,
  } as unknown as ViewerReply
  const problems: string[] = []
  const running = new Running()
  viewerHandler(edge, {
    explain: 'off',
    explainKey: null,
    proxies: null,
    running,
    problem: (text) => void problems.push(text),
  })(request, reply)
  while (problems.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.match(problems[0] ?? '', /the head cannot be written/)
  assert.deepEqual([cut, edge.flights.size, bytesHeld(), aborts], [1, 0, 0, 1])
  await recorded.promise
})
