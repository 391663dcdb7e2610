import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOWHERE } from '../../domain/viewer.ts'
import { ParsedHeaders } from '../listen/header-block.ts'
import { compileNames } from '../snapshot/name-rule.ts'
import { cacheKey, invalidationUri, type KeyRecipe } from './key.ts'

const NONE = compileNames({ behavior: 'none', names: [] })
const recipe = (changes: Partial<KeyRecipe> = {}): KeyRecipe => ({
  distributionId: 'E1',
  headers: [],
  generated: [],
  cookies: NONE,
  queryStrings: NONE,
  gzip: false,
  brotli: false,
  strict: false,
  host: false,
  ...changes,
})

const VIEWER = { viewerAddress: '192.0.2.1', forwardedFor: null, location: NOWHERE }
const FACTS = { contentLength: -1, chunked: false, close: false, expectContinue: false, hasHost: true, authority: 'h' }

function keyOf(
  by: KeyRecipe,
  url: string,
  raw: readonly string[] = [],
  method = 'GET',
  httpVersion: '1.0' | '1.1' = '1.1',
) {
  const [path = '', query = null] = url.split(/\?(.*)/s)
  const headers = new ParsedHeaders(raw, 0, FACTS)
  return cacheKey('', by, path, { method, query, httpVersion, headers, connection: { scheme: 'http' } }, VIEWER)
}

test('path and case count, the query only as far as it is listed, in the order it came', () => {
  assert.equal(keyOf(recipe(), '/A?x=1'), 'E1 /A')
  const all = recipe({ queryStrings: compileNames({ behavior: 'all', names: [] }) })
  assert.notEqual(keyOf(all, '/a?a=1&b=2'), keyOf(all, '/a?b=2&a=1'))
  const except = recipe({ queryStrings: compileNames({ behavior: 'allExcept', names: ['utm'] }) })
  assert.equal(keyOf(except, '/a?b=2&utm=x&A=1'), 'E1 /a?b=2&A=1')
  assert.equal(invalidationUri(except, '/a', 'utm=x'), '/a')
  assert.equal(invalidationUri(except, '/a', 'b=2&utm=x'), '/a?b=2')
})

test('only OPTIONS has its method in the key', () => {
  assert.equal(keyOf(recipe(), '/a', [], 'HEAD'), keyOf(recipe(), '/a'))
  assert.notEqual(keyOf(recipe(), '/a', [], 'OPTIONS'), keyOf(recipe(), '/a'))
})

test('headers by name in any case and order, absent and empty apart', () => {
  const by = recipe({ headers: ['x-a', 'x-b'] })
  assert.equal(keyOf(by, '/', ['X-B', '2', 'x-A', '1']), keyOf(by, '/', ['x-a', '1', 'x-b', '2']))
  assert.notEqual(keyOf(by, '/', ['x-a', '']), keyOf(by, '/'))
  assert.notEqual(keyOf(by, '/', ['x-a', 'v']), keyOf(by, '/', ['x-b', 'v']))
})

test('cookies are sorted by name and ill-formed ones left out', () => {
  const by = recipe({ cookies: compileNames({ behavior: 'whitelist', names: ['b', 'a'] }) })
  assert.equal(keyOf(by, '/', ['Cookie', 'b=2; c=3; a=1', 'cookie', 'junk; =x']), 'E1 /\ncookie: a=1; b=2')
})

test('Accept-Encoding is normalized, and absent in HTTP/1.0', () => {
  const by = recipe({ gzip: true, brotli: true })
  assert.equal(keyOf(by, '/', ['Accept-Encoding', 'gzip, br']), 'E1 /\naccept-encoding: br,gzip')
  assert.equal(keyOf(by, '/', ['Accept-Encoding', 'gzip, br'], 'GET', '1.0'), 'E1 /')
  assert.equal(keyOf(by, '/', ['Accept-Encoding', 'zstd']), 'E1 /')
  assert.equal(keyOf(recipe({ gzip: true }), '/', ['accept-encoding', 'br, GZIP;q=0.5']), 'E1 /\naccept-encoding: gzip')
})

test('the part that comes from headers is worked out once for a header block', () => {
  const by = recipe({ headers: ['x-a'] })
  const headers = new ParsedHeaders(['x-a', '1'], 0, FACTS)
  const ask = (path: string) =>
    cacheKey(
      '',
      by,
      path,
      { method: 'GET', query: null, httpVersion: '1.1', headers, connection: { scheme: 'http' } },
      VIEWER,
    )
  assert.equal(ask('/a'), 'E1 /a\nx-a: 1')
  assert.equal(headers.derived.size, 1)
  assert.equal(ask('/b'), 'E1 /b\nx-a: 1')
  assert.equal(headers.derived.size, 1)
})

test('strict mode: by meaning, by Host where the origin sees it, and apart from the other mode', () => {
  const by = recipe({ strict: true, headers: ['accept-language', 'x-a'] })
  const languages = (value: string) => keyOf(by, '/', ['Accept-Language', value, 'X-A', '1 , 2'])
  assert.equal(languages('en, DE;q=1.0'), 'E1 /\nrfc-strict\naccept-language: de,en\nx-a: 1,2')
  assert.equal(languages('de,en'), languages('en, DE;q=1.0'))
  assert.notEqual(keyOf(recipe({ strict: true }), '/'), keyOf(recipe(), '/'))
  assert.equal(keyOf(recipe({ strict: true, host: true }), '/'), 'E1 /\nrfc-strict\nhost: h')
})
