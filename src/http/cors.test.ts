import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileOrigins, corsHeaders } from './cors.ts'

const MATCHES: readonly (readonly [item: string, origin: string, allowed: boolean])[] = [
  ['https://example.org', 'https://example.org', true],
  ['https://Example.org', 'https://example.org', true],
  ['https://example.org', 'http://example.org', false],
  ['https://example.org', 'https://example.org:8443', false],
  ['https://example.org:8443', 'https://example.org:8443', true],
  ['https://example.org', 'https://a.example.org', false],
  ['https://example.org', 'https://example.org.evil.test', false],
  ['http://*.example.org', 'http://a.example.org', true],
  ['http://*.example.org', 'http://a.b.example.org', true],
  ['http://*.example.org', 'https://a.example.org', false],
  ['http://*.example.org', 'http://example.org', false],
  ['http://*.example.org', 'http://.example.org', false],
  ['http://*.example.org', 'http://evilexample.org', false],
  ['http://*.example.org:81', 'http://a.example.org:81', true],
  ['http://*.example.org', 'http://a.example.org:81', false],
  ['*.example.org', 'https://a.example.org', true],
  ['*.example.org', 'http://a.example.org', true],
  ['example.org', 'https://example.org', true],
  ['example.org', 'https://example.com', false],
  ['https://example.org', 'null', false],
  ['null', 'null', true],
  ['http://localhost:3000', 'http://localhost:3000', true],
  ['http://[::1]:3000', 'http://[::1]:3000', true],
  ['https://example.org', 'https://example.org/path', false],
  ['https://example.org', '', false],
]

for (const [item, origin, allowed] of MATCHES) {
  test(`${item} ${allowed ? 'allows' : 'does not allow'} the origin "${origin}"`, () => {
    assert.equal(compileOrigins(['https://other.test', item])(origin), allowed)
  })
}

const ANSWER = {
  allowHeaders: ['X-A', 'X-B'],
  allowMethods: ['GET', 'PUT'],
  exposeHeaders: ['X-C'],
  allowCredentials: true,
  maxAgeSec: 600,
}

test('what an answer says, and what only a preflight is told', () => {
  assert.deepEqual(corsHeaders(ANSWER, 'https://a.test', false), [
    ['Access-Control-Allow-Origin', 'https://a.test'],
    ['Access-Control-Allow-Credentials', 'true'],
    ['Access-Control-Expose-Headers', 'X-C'],
  ])
  assert.deepEqual(corsHeaders(ANSWER, 'https://a.test', true), [
    ['Access-Control-Allow-Origin', 'https://a.test'],
    ['Access-Control-Allow-Credentials', 'true'],
    ['Access-Control-Allow-Headers', 'X-A, X-B'],
    ['Access-Control-Allow-Methods', 'GET, PUT'],
    ['Access-Control-Max-Age', '600'],
    ['Access-Control-Expose-Headers', 'X-C'],
  ])
})

test('what is not configured is not said', () => {
  const plain = { ...ANSWER, exposeHeaders: [], allowCredentials: false, maxAgeSec: null }
  assert.deepEqual(corsHeaders(plain, '*', false), [['Access-Control-Allow-Origin', '*']])
  assert.equal(corsHeaders(plain, '*', true).length, 3)
})
