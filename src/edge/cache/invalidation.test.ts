import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Invalidations } from './invalidation.ts'

test('exact paths, wildcards and query strings (spec 8)', () => {
  const invalidations = new Invalidations()
  invalidations.add('E1', '/a.jpg', 5)
  invalidations.add('E1', '/img/*', 6)
  invalidations.add('E1', '/q?x=1', 7)
  invalidations.add('E1', '/a*b', 8)
  const dead = (uri: string, asOf = 4) => invalidations.isDead('E1', uri, asOf)
  for (const uri of ['/a.jpg', '/img/', '/img/a/b?x=2', '/q?x=1', '/a*b']) assert.equal(dead(uri), true, uri)
  for (const uri of ['/a.jpg?x=1', '/img', '/A.jpg', '/q', '/q?x=12', '/aXb']) assert.equal(dead(uri), false, uri)
  assert.equal(dead('/a.jpg', 5), false, 'fetched after it')
  assert.equal(invalidations.isDead('E2', '/a.jpg', 4), false, 'another distribution')
})

test('what is too old to be remembered counts as invalidated', () => {
  const invalidations = new Invalidations(4)
  for (let revision = 1; revision <= 5; revision++) invalidations.add('E1', `/${revision}`, revision)
  assert.equal(invalidations.isDead('E1', '/1', 0), true)
  assert.equal(invalidations.isDead('E1', '/untouched', 1), true, 'older than what is remembered')
  assert.equal(invalidations.isDead('E1', '/untouched', 2), false)
  assert.equal(invalidations.isDead('E1', '/5', 4), true)
  invalidations.forgetBefore(9)
  assert.equal(invalidations.isDead('E1', '/untouched', 8), true)
  assert.equal(invalidations.isDead('E1', '/untouched', 9), false)
})

test('the trie agrees with looking at every path', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 5 }).map((rest) => `/${rest}`)
  fc.assert(
    fc.property(fc.array(text, { maxLength: 20 }), text, fc.nat(20), (paths, uri, asOf) => {
      const invalidations = new Invalidations()
      for (const [at, path] of paths.entries()) invalidations.add('E1', path, at + 1)
      const expected = paths.some(
        (path, at) => at + 1 > asOf && (path.endsWith('*') ? uri.startsWith(path.slice(0, -1)) : uri === path),
      )
      assert.equal(invalidations.isDead('E1', uri, asOf), expected)
    }),
  )
})
