import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Trace } from '../observe/trace.ts'
import { counted, drawObject } from './cached-objects.ts'
import { drawStatus } from './commands/status.ts'
import { drawTrace } from './draw-trace.ts'
import { parseDuration } from './duration.ts'
import { drawTable } from './table.ts'

describe('drawing', () => {
  it('aligns columns and leaves no spaces at the end', () => {
    assert.equal(
      drawTable([
        ['A', 'LONG', 'C'],
        ['aaaa', 'b', ''],
        ['x', 'y', 'z'],
      ]),
      'A     LONG  C\naaaa  b\nx     y     z',
    )
  })

  it('reads durations', () => {
    const read = Object.fromEntries(
      ['24h', '90s', '15m', '7d', '500ms', '1h30m', '1.5s'].map((text) => [text, parseDuration(text)]),
    )
    assert.deepEqual(read, {
      '24h': 86_400_000,
      '90s': 90_000,
      '15m': 900_000,
      '7d': 604_800_000,
      '500ms': 500,
      '1h30m': 5_400_000,
      '1.5s': 1_500,
    })
    for (const wrong of ['', '5', 'h', '-1h', '1h x', '0m', '1y'])
      assert.throws(() => parseDuration(wrong), /no duration/)
  })

  it('counts, and draws a cached object; a slice by its place, as it has no lifetime of its own', () => {
    assert.deepEqual(
      [0, 1, 2].map((count) => counted(count, 'copy')),
      ['0 copies', '1 copy', '2 copies'],
    )
    const object = {
      worker: 'worker-0',
      place: 'FRA50-C1',
      key: 'E1 /film\n#slice 3 1048576 5000000 "v1"',
      uri: '/film',
      what: 'object',
      tiers: ['memory', 'disk'],
      owned: true,
      status: 206,
      bytes: 1_048_716,
      ageSeconds: 5,
      ttlSeconds: 9_005_404_002_660,
      ttlSource: 'max-age',
      standing: 'fresh',
      contentType: '',
      etag: '"v1"',
      tags: ['sale'],
      variant: '',
      asOf: 1,
      items: [],
    } as const
    const slice =
      '   1048716       5s        - 206    FRA50-C1         worker-0   memory+disk  /film  (slice from byte 3145728; #sale)'
    assert.equal(drawObject(object), slice)
    const page = '   1048716       5s      60s 206    FRA50-C1         worker-0   memory+disk  /film  (#sale)'
    assert.equal(drawObject({ ...object, key: 'E1 /film', ttlSeconds: 60 }), page)
  })

  it('draws a trace: facts, way, origin, answer', () => {
    const trace: Trace = {
      id: 't1',
      at: '2026-01-01T00:00:00.000Z',
      steps: [
        { name: 'receive', atMs: 0, facts: {}, decisions: [] },
        { name: 'root-object', atMs: 0, facts: {}, decisions: [{ field: 'DefaultRootObject', value: 'a.html' }] },
        { name: 'cache-lookup', atMs: 0.25, facts: { found: false, age: null, key: 'abc' }, decisions: [] },
      ],
      request: { method: 'GET', url: 'http://shop.test/p', headers: [] },
      distribution: 'E1',
      behavior: '/p*',
      cacheKey: 'E1\n/p',
      ttl: { seconds: 60, setBy: 'default-ttl' },
      outcome: { result: 'Miss', reason: 'absent' },
      originRequests: [
        {
          origin: 'shop',
          address: '127.0.0.1:1',
          method: 'GET',
          target: '/p',
          headers: ['Host', 'shop.test'],
          status: null,
          responseHeaders: [],
          error: 'refused',
          tookMs: 1.5,
        },
      ],
      answer: { status: 502, headers: ['X-Cache', 'Error from cloudfront'], bytes: 7 },
    }
    const text = drawTrace(trace)
    for (const line of [
      'GET http://shop.test/p',
      '  distribution  E1',
      '  cache key     E1',
      '                /p',
      '  lives         60 s, set by default-ttl',
      '  outcome       Miss (absent)',
      '       0.00 ms  receive',
      '                by DefaultRootObject: a.html',
      '       0.25 ms  cache-lookup  found no, age -, key abc',
      'origin shop (127.0.0.1:1) failed: refused after 1.50 ms',
      '    Host: shop.test',
      'answer 502, 7 bytes',
      '    X-Cache: Error from cloudfront',
    ]) {
      assert.ok(text.split('\n').includes(line), `${line}\n---\n${text}`)
    }
    const passed = { name: 'record', atMs: 1, facts: { notStored: 'no-store' }, decisions: [] }
    assert.match(drawTrace({ ...trace, steps: [...trace.steps, passed] }), /^ {2}lives {9}not kept: no-store$/m)
    const bare = drawTrace({
      ...trace,
      distribution: null,
      answer: null,
      outcome: null,
      ttl: null,
      originRequests: [],
      steps: [],
    })
    assert.match(bare, /distribution {2}none matches/)
    assert.match(bare, /the viewer was gone/)
  })

  it('draws the status: what is served below which ceiling', () => {
    const text = drawStatus('http://127.0.0.1:4566', {
      health: {
        status: 'degraded',
        version: '1.0.0',
        revision: 3,
        pops: [
          { name: 'LOC50-C1', region: 'us-east-1', http: null, https: null },
          { name: 'FRA50-C1', region: 'eu-central-1', http: null, https: null, state: 'down' },
        ],
        regionals: [],
        parts: [{ name: 'keeper', ok: false, detail: 'does not answer' }],
        origins: [],
      },
      distributions: [
        {
          id: 'E1',
          domainName: 'd1.cloudfront.localhost',
          aliases: ['shop.test'],
          enabled: false,
          status: 'InProgress',
          dedicatedAddress: '192.0.2.7',
          dedicatedPop: 'LOC50-C1',
          httpVersion: { ceiling: 'http2', served: 'http1.1' },
        },
      ],
      origins: [
        {
          distributionId: 'E1',
          originId: 'shop',
          requests: 9,
          failovers: 2,
          failures: { refused: 2, '5xx': 1 },
          last: { kind: 'refused', message: 'ECONNREFUSED', at: '2026-11-30T00:00:00.000Z' },
          failing: true,
        },
      ],
      caches: null,
      binaries: [],
    })
    assert.match(text, /shop +E1 +FAILING +9 +3 +2 +2026-11-30T00:00:00.000Z refused: ECONNREFUSED/)
    assert.match(text, /Cachefront 1\.0\.0: degraded, revision 3/)
    assert.match(text, /LOC50-C1 +us-east-1 +not listening +not listening/)
    assert.match(text, /FRA50-C1 +eu-central-1 +taken down +taken down/)
    assert.match(text, /keeper +NOT OK +does not answer/)
    assert.match(
      text,
      /E1 +InProgress +no +http1\.1 served \(http2 allowed\) +192\.0\.2\.7 \(LOC50-C1\) +d1\.cloudfront\.localhost shop\.test/,
    )
    assert.match(text, /caches unknown/)
  })
})
