//! A memory hit takes the whole table in one go: no promise, one write. This is a property of the code, like its shape.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import type { ResponseHeadersPolicyDoc } from '../../../src/domain/policy.ts'
import { VerifiedPolicies } from '../../../src/edge/access/verified-policies.ts'
import { Flights } from '../../../src/edge/cache/collapse.ts'
import { FailureMemory } from '../../../src/edge/cache/failures.ts'
import { Invalidations } from '../../../src/edge/cache/invalidation.ts'
import { MemoryStore } from '../../../src/edge/cache/memory.ts'
import { Compressions } from '../../../src/edge/compression/compressions.ts'
import type { Edge } from '../../../src/edge/edge.ts'
import { Exchange } from '../../../src/edge/exchange.ts'
import { FieldBodies } from '../../../src/edge/fields/body.ts'
import { FieldCipher } from '../../../src/edge/fields/cipher.ts'
import { ParsedHeaders } from '../../../src/edge/listen/header-block.ts'
import { UNLIMITED, type ViewerReply, type ViewerRequest } from '../../../src/edge/listen/viewer.ts'
import { addressGuard } from '../../../src/edge/origin/guard.ts'
import { Origins } from '../../../src/edge/origin/pool.ts'
import { OriginNames, systemLookup } from '../../../src/edge/origin/resolve.ts'
import { OriginSources } from '../../../src/edge/origin/sources.ts'
import { OriginTls } from '../../../src/edge/origin/tls.ts'
import { PeerClient } from '../../../src/edge/peers/client.ts'
import { runPipeline } from '../../../src/edge/pipeline.ts'
import { type Place, placesOf } from '../../../src/edge/places.ts'
import { Refreshes } from '../../../src/edge/refresh.ts'
import { RequestIds } from '../../../src/edge/request-ids.ts'
import { compileSnapshot } from '../../../src/edge/snapshot/assemble.ts'
import { Waf } from '../../../src/edge/waf/waf.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { Counters } from '../../../src/observe/counters.ts'
import {
  behaviorDoc,
  DISTRIBUTION_ID,
  distributionDoc,
  HOST,
  headersPolicy,
  ONE_POP,
} from '../../support/edge-scenario.ts'

const POLICY = headersPolicy({
  cors: {
    allowOrigins: ['https://a.test'],
    allowHeaders: ['X-A'],
    allowMethods: ['GET'],
    exposeHeaders: [],
    allowCredentials: true,
    maxAgeSec: null,
    override: true,
  },
  security: { contentTypeOptions: { override: true } },
  custom: [{ name: 'X-Brand', value: 'mine', override: true }],
  serverTimingRate: 100,
})

for (const policy of [null, POLICY]) {
  const name = policy === null ? '' : ', with a response headers policy'
  test(`a memory hit is answered before the walk returns, in one write${name}`, () => hits(policy))
}

function hits(policy: ResponseHeadersPolicyDoc | null): void {
  const store = new MemoryStore(8 * 1024 * 1024)
  let recorded = 0
  const edge: Edge = {
    clock: systemClock,
    name: 'worker-0',
    httpsPorts: [],
    places: placesOf(ONE_POP),
    snapshot: compileSnapshot(
      1,
      [distributionDoc(1, { behaviors: [behaviorDoc({ responseHeadersPolicy: policy })] })],
      null,
      (_id, error) => assert.fail(error),
    ),
    invalidations: new Invalidations(),
    store,
    disk: { opening: null, mayHave: () => false, promote: () => assert.fail('memory has it'), settled: async () => {} },
    flights: new Flights(),
    failures: new FailureMemory(),
    geo: {
      find: () => assert.fail('no header tells where the viewer is'),
      prepare: () => {},
      placesAddresses: true,
      knowsSystems: true,
    },
    origins: new OriginSources(
      new Origins({
        guard: addressGuard([], []),
        names: new OriginNames(systemLookup, systemClock),
        tls: new OriginTls(),
      }),
    ),
    shield: {
      budgetOf: () => UNLIMITED,
      limited: () => assert.fail('nobody asks too often'),
      sheds: () => assert.fail('a hit is never shed'),
    },
    verified: new VerifiedPolicies(),
    s3Keys: null,
    waf: new Waf({
      name: 'worker-0',
      counters: new Counters(),
      clock: systemClock,
      workers: () => [],
      keys: { keys: { current: Buffer.alloc(32), previous: null }, close: () => {} },
      logDirectory: '',
      problem: (message) => assert.fail(message),
    }),
    ids: new RequestIds(),
    random: Math.random,
    workers: [],
    met: new Map(),
    peers: new PeerClient(),
    leaseUntil: Number.POSITIVE_INFINITY,
    catchUp: () => assert.fail('a lease is held'),
    walkInner: () => assert.fail('a hit asks for nothing'),
    date: () => '',
    compressions: new Compressions(),
    fieldBodies: new FieldBodies(),
    fieldCipher: new FieldCipher(),
    problem: assert.fail,
    refreshes: new Refreshes(() => assert.fail('nothing is stale')),
    recordFetch: () => {},
    recordFailover: () => {},
    record: () => {
      recorded++
    },
  }
  const now = systemClock.now()
  const meta = {
    status: 200,
    head: 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n',
    distributionId: DISTRIBUTION_ID,
    uri: '/a',
    contentType: 'text/plain',
    etag: '',
    lastModified: '',
    bornAt: now,
    freshUntil: now + 60_000,
    staleUntil: now + 60_000,
    swrUntil: now + 60_000,
    tags: '',
    variant: '',
    ttlSource: 'max-age',
    asOf: 1,
  } as const
  store.put(`${DISTRIBUTION_ID} /a`, meta, [Buffer.from('hello')])

  const facts = {
    contentLength: -1,
    chunked: false,
    close: false,
    expectContinue: false,
    hasHost: true,
    authority: HOST,
  }
  const request: ViewerRequest = {
    method: 'GET',
    path: '/a',
    query: null,
    httpVersion: '1.1',
    headers: new ParsedHeaders(['Host', HOST, 'Origin', 'https://a.test'], 20, facts),
    body: null,
    reused: false,
    connection: {
      remoteAddress: '127.0.0.1',
      remotePort: 1,
      localAddress: '127.0.0.1',
      localPort: 2,
      loopback: true,
      proxied: false,
      scheme: 'http',
      tls: null,
      pop: 0,
      logParts: null,
      budget: null,
    },
    startedAt: systemClock.monotonic(),
  }
  const written: string[] = []
  const reply: ViewerReply = {
    whole(head, body, onSent) {
      written.push(head + Buffer.from(body ?? []).toString('latin1'))
      onSent?.()
    },
    head: () => assert.fail('a hit is one write'),
    write: () => assert.fail('a hit is one write'),
    end: () => assert.fail('a hit is one write'),
    abort: () => assert.fail('a hit is one write'),
    onDrain: null,
    onAbort: null,
    gone: false,
    closes: false,
    bytesSent: 0,
  }
  for (let round = 1; round <= 3; round++) {
    const x = new Exchange(request, reply, edge.snapshot, edge.places.pops[0] as Place, null)
    assert.equal(runPipeline(x, edge), undefined, 'nothing was waited for')
    assert.deepEqual([x.result, x.tier, written.length, recorded], ['Hit', 'memory', round, round])
  }
  assert.match(written[2] ?? '', /^HTTP\/1\.1 200 OK\r\n.*X-Cache: Hit from cloudfront\r\n.*\r\n\r\nhello$/s)
  for (const answer of policy === null ? [] : written) {
    assert.match(answer, /\r\nAccess-Control-Allow-Origin: https:\/\/a\.test\r\n/)
    assert.match(answer, /\r\nX-Brand: mine\r\n/)
    assert.match(answer, /\r\nServer-Timing: cdn-cache-hit,/)
  }
  const kept = store.get(`${DISTRIBUTION_ID} /a`)?.hitHead
  assert.equal(kept?.edit !== null, policy !== null, 'the head is kept with the object, as the policy has it')

  const place = edge.places.pops[0] as Place
  const counted = {
    ...reply,
    whole: (_head: string, _body: Uint8Array | null, onSent: (() => void) | null) => onSent?.(),
  }
  const hit = (asked: ViewerRequest): Exchange => {
    const x = new Exchange(asked, counted, edge.snapshot, place, null)
    runPipeline(x, edge)
    return x
  }

  // All that headers decide was worked out for the first request with this header block: the next ones read none.
  const { headers } = request
  for (const read of ['get', 'getAll'] as const) {
    Object.defineProperty(headers, read, { value: () => assert.fail(`a hit reads a header by its name: ${read}`) })
  }
  assert.equal(hit({ ...request, headers }).result, 'Hit')

  // Every field exists from birth: what stages add later would make each of them slower for all requests.
  const before = new Exchange(request, counted, edge.snapshot, place, null)
  assert.ok(haveSameMap(before, hit(request)), 'a stage gave the exchange a field that it was not born with')

  // Server-Timing is text of each request: what it allocates depends on when it was compiled.
  if (policy !== null) return

  // What a hit allocates does not grow with the headers, and is little.
  const withHeaders = (count: number): ViewerRequest => {
    const raw = ['Host', HOST]
    for (let n = 1; n < count; n++) raw.push(`X-Header-${n}`, `value ${n}`)
    return { ...request, headers: new ParsedHeaders(raw, 40 * count, facts) }
  }
  const [few, many] = [withHeaders(2), withHeaders(60)]
  const bytesOfHit = (asked: ViewerRequest): number => {
    const allocated = allocatedBytes()
    for (let n = 0; n < 2_000; n++) hit(asked)
    return (allocatedBytes() - allocated) / 2_000
  }
  // The least of some rounds, in turns: what is interpreted allocates more than what is compiled, and when the compiler
  // comes to it, and allocates itself, depends on the machine. What each header costs is there in every round.
  let [ofFew, ofMany] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < 6 || (round < 60 && ofMany >= ofFew + 100); round++) {
    ofFew = Math.min(ofFew, bytesOfHit(few))
    ofMany = Math.min(ofMany, bytesOfHit(many))
  }
  assert.ok(ofMany < ofFew + 100, `${ofMany} bytes with 60 headers, ${ofFew} with 2`)
  assert.ok(ofFew < 4_096, `a hit allocates ${ofFew} bytes`)
}

const allocatedBytes = (): number =>
  (getHeapStatistics() as ReturnType<typeof getHeapStatistics> & { readonly total_allocated_bytes: number })
    .total_allocated_bytes

setFlagsFromString('--allow-natives-syntax')
/** V8's own question: do both have the same hidden class? */
const haveSameMap = new Function('one', 'other', 'return %HaveSameMap(one, other)') as (
  one: object,
  other: object,
) => boolean
