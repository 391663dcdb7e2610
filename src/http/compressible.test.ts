import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compressedHeaders, compressionFor, confirmedHeaders, isCompressibleType } from './compressible.ts'

const HEADERS = ['Content-Type', 'text/html; charset=utf-8', 'Content-Length', '1000']

describe('what is compressed', () => {
  test('br before gzip, and only what the key has', () => {
    assert.deepEqual(compressionFor(200, HEADERS, 'br,gzip'), { coding: 'br', length: 1000 })
    assert.deepEqual(compressionFor(200, HEADERS, 'br'), { coding: 'br', length: 1000 })
    assert.deepEqual(compressionFor(200, HEADERS, 'gzip'), { coding: 'gzip', length: 1000 })
    assert.equal(compressionFor(200, HEADERS, ''), null)
  })

  for (const [status, compressed] of [
    [200, true],
    [403, true],
    [404, true],
    [201, false],
    [206, false],
    [304, false],
    [410, false],
    [500, false],
  ] as const) {
    test(`status ${status}: ${compressed}`, () => {
      assert.equal(compressionFor(status, HEADERS, 'gzip') !== null, compressed)
    })
  }

  for (const [length, compressed] of [
    ['999', false],
    ['1000', true],
    ['10000000', true],
    ['10000001', false],
    ['0', false],
    ['1e4', false],
    ['-2000', false],
    ['', false],
  ] as const) {
    test(`Content-Length "${length}": ${compressed}`, () => {
      const headers = ['content-type', 'text/css', 'content-length', length]
      assert.equal(compressionFor(200, headers, 'gzip') !== null, compressed)
    })
  }

  test('not without a length, not what is encoded or must not be transformed', () => {
    assert.equal(compressionFor(200, HEADERS.slice(0, 2), 'gzip'), null)
    assert.equal(compressionFor(200, [...HEADERS, 'Transfer-Encoding', 'chunked'], 'gzip'), null)
    assert.equal(compressionFor(200, [...HEADERS, 'Content-Encoding', 'gzip'], 'br,gzip'), null)
    assert.equal(compressionFor(200, [...HEADERS, 'Content-Encoding', 'identity'], 'br,gzip'), null)
    assert.equal(compressionFor(200, [...HEADERS, 'Cache-Control', 'max-age=5, No-Transform'], 'gzip'), null)
  })

  test('the table of types is exact', () => {
    const listed = ['text/html', 'TEXT/CSS ; charset=x', 'application/json', 'image/svg+xml', 'application/wasm']
    for (const type of [...listed, 'application/pdf', 'vnd.apple.mpegurl', 'font/ttf', 'text/x-script']) {
      assert.equal(isCompressibleType(type), true, type)
    }
    const others = ['', 'text', 'text/', 'text/*', 'text/markdown', 'application/manifest+json', 'application/ld+json']
    for (const type of [...others, 'image/x-icon', 'font/woff2', 'image/png', 'text/html5', 'application/']) {
      assert.equal(isCompressibleType(type), false, type)
    }
  })
})

describe('header fields', () => {
  const etag = (value: string) => compressedHeaders(['ETag', value, 'Content-Length', '2000', 'Vary', 'Cookie'], 'br')
  const rest = ['Vary', 'Cookie', 'Vary', 'Accept-Encoding', 'Content-Encoding', 'br']

  test('a strong tag becomes weak, a weak one stays, what is none goes; the length goes', () => {
    assert.deepEqual(etag('"a"'), ['ETag', 'W/"a"', ...rest])
    assert.deepEqual(etag('W/"a"'), ['ETag', 'W/"a"', ...rest])
    assert.deepEqual(etag('a'), rest)
  })

  test('Vary gets Accept-Encoding once', () => {
    const twice = ['vary', 'cookie, accept-encoding']
    assert.deepEqual(compressedHeaders(twice, 'gzip'), [...twice, 'Content-Encoding', 'gzip'])
    assert.deepEqual(compressedHeaders([], 'gzip'), ['Vary', 'Accept-Encoding', 'Content-Encoding', 'gzip'])
  })

  test('a 304 does not undo it', () => {
    const stored = ['ETag', 'W/"a"', 'Vary', 'Accept-Encoding', 'Content-Encoding', 'br']
    assert.deepEqual(confirmedHeaders(stored, ['ETag', '"a"']), ['ETag', 'W/"a"'])
    assert.deepEqual(confirmedHeaders(stored, ['ETag', '"b"']), ['ETag', '"b"'])
    assert.deepEqual(confirmedHeaders(stored, ['Vary', 'Cookie']), ['Vary', 'Cookie', 'Vary', 'Accept-Encoding'])
    const tagless = stored.slice(2)
    assert.deepEqual(confirmedHeaders(tagless, ['ETag', 'a']), [])
    const plain = ['ETag', 'W/"a"']
    assert.deepEqual(confirmedHeaders(plain, ['ETag', '"a"']), ['ETag', '"a"'])
  })
})
