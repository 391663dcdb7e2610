import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePathPatterns, firstMatch } from './path-patterns.ts'

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
  ['ab*ba', '/aba', false],
]

test('path patterns follow the rules of cache behaviors', () => {
  for (const [pattern, path, matches] of ROWS)
    assert.equal(firstMatch(compilePathPatterns([pattern]), path), matches ? 0 : -1, `${pattern} ${path}`)
})

const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?', '.'), maxLength: 8 })
const path = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 10 })
const withoutSlash = (text: string): string => text.replace(/^\//, '')

/** The rules as they are written down: one pattern after the other, each a regular expression. */
const walked = (patterns: readonly string[], asked: string): number =>
  patterns.findIndex((one) => {
    const source = withoutSlash(one).replaceAll('.', '\\.').replaceAll('*', '[^]*').replaceAll('?', '[^]')
    return new RegExp(`^${source}$`).test(withoutSlash(asked))
  })

test('the table finds the pattern that a walk through the list finds first', () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 12 }), path, fc.boolean(), (patterns, text, slash) => {
      const asked = slash ? `/${text}` : text
      assert.equal(firstMatch(compilePathPatterns(patterns), asked), walked(patterns, asked))
    }),
    { numRuns: 3_000 },
  )
})

test('patterns that a path was made of are found', () => {
  // Paths at random match little but stars: here each star and question mark of a pattern was filled in.
  const filled = pattern.chain((one) =>
    fc.array(path, { minLength: 8, maxLength: 8 }).map((fills) => {
      const text = [...withoutSlash(one)].map((c, at) => (c === '*' ? fills[at] : c === '?' ? 'b' : c)).join('')
      return { one, asked: `/${text}` }
    }),
  )
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 6 }), filled, (others, { one, asked }) => {
      const patterns = [...others, one]
      const found = firstMatch(compilePathPatterns(patterns), asked)
      assert.equal(found, walked(patterns, asked))
      assert.notEqual(found, -1)
    }),
    { numRuns: 3_000 },
  )
})

test('characters beyond ASCII are themselves', () => {
  const patterns = compilePathPatterns(['ä*', '*ö', 'ü?', '*'])
  assert.deepEqual(
    ['/äx', '/xö', '/üx', '/x', '/'].map((asked) => firstMatch(patterns, asked)),
    [0, 1, 2, 3, 3],
  )
})
