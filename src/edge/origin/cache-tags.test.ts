import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCacheTag, TAGS_PER_OBJECT_MAX } from '../../domain/cache-tags.ts'
import { cacheTags, refreshedCacheTags } from './cache-tags.ts'

test('tags are trimmed, in lower case, once each; what is no tag is passed over', () => {
  const rows: [string[], string][] = [
    [['X-Tags', 'product:tv, Brand:ACME ,,  a'], 'x-tags,product:tv,brand:acme,a,'],
    [['x-tags', 'a', 'other', 'z', 'X-TAGS', 'b'], 'x-tags,a,b,'],
    [['x-tags', 'a,A, a'], 'x-tags,a,'],
    [['x-tags', 'two words, ok, caf\u00e9'], 'x-tags,ok,'],
    [['x-tags', `${'x'.repeat(256)},${'y'.repeat(257)}`], `x-tags,${'x'.repeat(256)},`],
    [['x-tags', ' , '], ''],
    [['other', 'a'], ''],
  ]
  for (const [headers, expected] of rows) assert.equal(cacheTags('x-tags', headers), expected)
  assert.equal(cacheTags('', ['x-tags', 'a']), '', 'without CacheTagConfig')
})

test('the first 50 are kept', () => {
  const value = Array.from({ length: 60 }, (_, at) => `t${at}`).join(', ')
  const tags = cacheTags('h', ['h', value]).split(',').slice(1, -1)
  assert.equal(tags.length, TAGS_PER_OBJECT_MAX)
  assert.equal(tags.at(-1), 't49')
})

test('a 304 changes the tags when it brings the header, and keeps them otherwise', () => {
  assert.equal(refreshedCacheTags('h', ['h', 'new'], 'h,old,'), 'h,new,')
  assert.equal(refreshedCacheTags('h', ['h', ''], 'h,old,'), '')
  assert.equal(refreshedCacheTags('h', [], 'h,old,'), 'h,old,')
  assert.equal(refreshedCacheTags('other', [], 'h,old,'), '', 'read from another header')
  assert.equal(refreshedCacheTags('', ['h', 'new'], 'h,old,'), '', 'the configuration is gone')
})

test('whatever the header holds, only tags come out', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary-ascii' })), (values) => {
      const tags = cacheTags(
        'h',
        values.flatMap((value) => ['h', value]),
      )
      if (tags === '') return
      const [header, ...rest] = tags.split(',')
      assert.equal(header, 'h')
      assert.equal(rest.pop(), '')
      for (const tag of rest) assert.ok(isCacheTag(tag) && tag === tag.toLowerCase(), tag)
    }),
  )
})
