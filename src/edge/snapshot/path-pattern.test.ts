import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePathPattern } from './path-pattern.ts'

const ROWS: readonly (readonly [pattern: string, path: string, matches: boolean])[] = [
  ['*', '/', true],
  ['*.jpg', '/a/b/c.jpg', true],
  ['*.jpg', '/a.JPG', false],
  ['*.jpg', '/a.jpgx', false],
  ['images/*.jpg', '/images/2020/cat.jpg', true],
  ['/images/*.jpg', '/images/cat.jpg', true],
  ['images/*', '/images/', true],
  ['images/*', '/images', false],
  ['/index.html', '/index.html', true],
  ['index.html', '/index.html', true],
  ['a??.jpg', '/ant.jpg', true],
  ['a??.jpg', '/at.jpg', false],
  ['a?c', '/a/c', true],
  ['*.doc*', '/x.docx', true],
  ['*.doc*', '/x.doc', true],
  ['/api/*/v?/*', '/api/shop/eu/v2/x', true],
  ['a.c', '/abc', false],
]

test('path patterns follow the rules of cache behaviors', () => {
  for (const [pattern, path, matches] of ROWS)
    assert.equal(compilePathPattern(pattern)(path), matches, `${pattern} ${path}`)
})

test('a compiled pattern agrees with the regular expression that the rules describe', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?', '.'), maxLength: 8 })
  const paths = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 10 })
  fc.assert(
    fc.property(letters, paths, (pattern, path) => {
      const wanted = pattern.replace(/^\//, '')
      const source = wanted.replaceAll('.', '\\.').replaceAll('*', '[^]*').replaceAll('?', '[^]')
      const expected = new RegExp(`^${source}$`).test(path)
      assert.equal(compilePathPattern(pattern)(`/${path}`), expected)
    }),
  )
})
