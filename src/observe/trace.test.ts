import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskHeaders, maskUrl, TraceBuilder, TraceRing } from './trace.ts'

function builder(id = 'T1') {
  let elapsed = 0
  return new TraceBuilder(id, Date.UTC(2026, 10, 21), () => elapsed++ + 0.12345, {
    method: 'GET',
    url: 'http://a/x?Signature=secret1&Key-Pair-Id=secret2&page=2',
    headers: ['Cookie', 'session=secret3; theme=secret4', 'Authorization', 'Bearer secret5', 'Accept', '*/*'],
  })
}

test('a trace tells the steps in order with their facts, and no secret', () => {
  const trace = builder()
  trace.step('receive')
  trace.step('cache-key')
  trace.note('uri', '/x?Policy=secret6')
  trace.note('listed', 2)
  trace.matched('E1', '/x*')
  trace.keyed('E1 /x?Signature=secret7\nauthorization: secret8\ncookie: session=secret9\naccept: */*')
  trace.lives(60, 'max-age')
  trace.turnedOut('Miss', 'absent')
  trace.askedOrigin(
    {
      origin: 'shop',
      address: '127.0.0.1:80',
      method: 'GET',
      target: '/x?X-Amz-Signature=secret10',
      headers: ['X-Origin-Verify', 'secret11', 'Host', 'shop'],
      status: 200,
      responseHeaders: ['Set-Cookie', 'session=secret12; Path=/; HttpOnly', 'ETag', '"e"'],
      error: null,
      tookMs: 5,
    },
    new Set(['x-origin-verify']),
  )
  trace.answered(200, ['Set-Cookie', 'a=secret13', 'X-Cache', 'Miss from cloudfront'], 1_200)
  const built = trace.build()
  assert.doesNotMatch(JSON.stringify(built), /secret/)
  assert.deepEqual(built.steps, [
    { name: 'receive', atMs: 0.123, facts: {}, decisions: [] },
    { name: 'cache-key', atMs: 1.123, facts: { uri: '/x?Policy=***', listed: 2 }, decisions: [] },
  ])
  assert.equal(built.at, '2026-11-21T00:00:00.000Z')
  assert.equal(built.request.url, 'http://a/x?Signature=***&Key-Pair-Id=***&page=2')
  assert.deepEqual(built.request.headers, ['Cookie', 'session=***; theme=***', 'Authorization', '***', 'Accept', '*/*'])
  assert.equal(built.cacheKey, 'E1 /x?Signature=***\nauthorization: ***\ncookie: ***\naccept: */*')
  assert.deepEqual(built.ttl, { seconds: 60, setBy: 'max-age' })
  assert.deepEqual(built.originRequests[0]?.responseHeaders, [
    'Set-Cookie',
    'session=***; Path=/; HttpOnly',
    'ETag',
    '"e"',
  ])
})

test('masking leaves what is no secret', () => {
  assert.equal(maskUrl('/a?policy=x&signature=y&design=z'), '/a?policy=***&signature=***&design=z')
  assert.deepEqual(maskHeaders(['Referer', 'http://a/?Signature=s']), ['Referer', 'http://a/?Signature=***'])
})

test('the ring keeps the last traces', () => {
  const ring = new TraceRing(2)
  for (const id of ['a', 'b', 'a', 'c']) ring.add(builder(id).build())
  assert.equal(ring.get('b'), undefined)
  assert.equal(ring.get('a')?.id, 'a')
  assert.equal(ring.get('c')?.id, 'c')
})
