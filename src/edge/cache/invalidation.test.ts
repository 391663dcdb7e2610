import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type InvalidationEntry, Invalidations, type Standing } from './invalidation.ts'

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

test('tags: any of them, in any case, of the header they were read from', () => {
  const invalidations = new Invalidations()
  invalidations.addTag('E1', 'x-tags', 'Brand:ACME', 5)
  const rows: [tags: string | null, asOf: number, Standing][] = [
    ['x-tags,brand:acme,', 4, 'dead'],
    ['x-tags,a,brand:acme,b,', 4, 'dead'],
    ['x-tags,brand:acme,', 5, 'valid'],
    ['x-tags,brand:acm,', 4, 'valid'],
    ['x-tags,brand:acme2,', 4, 'valid'],
    ['other,brand:acme,', 4, 'valid'],
    ['x-tags,a,b,', 4, 'valid'],
    ['', 4, 'valid'],
    [null, 4, 'dead'],
    [null, 5, 'valid'],
  ]
  for (const [tags, asOf, standing] of rows)
    assert.equal(invalidations.standing({ distributionId: 'E1', uri: '/', tags, asOf }), standing, `${tags} ${asOf}`)
  assert.equal(invalidations.isDead('E2', '/', 4, 'x-tags,brand:acme,'), false, 'another distribution')
  assert.equal(invalidations.isDead('E1', 'x-tags,brand:acme', 4, ''), false, 'a path is no tag')
})

test('a soft invalidation makes soft, unless another one kills', () => {
  const invalidations = new Invalidations()
  invalidations.add('E1', '/a*', 5, true)
  invalidations.addTag('E1', 'h', 't', 6, true)
  invalidations.add('E1', '/a', 4)
  const standing = (uri: string, asOf: number, tags = '') =>
    invalidations.standing({ distributionId: 'E1', uri, tags, asOf })
  assert.equal(standing('/ab', 4), 'soft')
  assert.equal(standing('/b', 5, 'h,t,'), 'soft')
  assert.equal(standing('/ab', 6, 'h,t,'), 'valid')
  assert.equal(standing('/a', 3), 'dead', 'the older one still counts for what is older than it')
  assert.equal(standing('/a', 4), 'soft')
  invalidations.add('E1', '/a*', 7)
  assert.equal(standing('/ab', 4), 'dead')
  assert.equal(standing('/ab', 7), 'valid')
})

test('of what is too old to be remembered: dead, unless it was compared in time', () => {
  const invalidations = new Invalidations(2)
  for (let revision = 1; revision <= 5; revision++) invalidations.add('E1', `/${revision}`, revision)
  assert.equal(invalidations.patterns, 3, 'the two oldest are forgotten')
  assert.equal(invalidations.isDead('E1', '/1', 0), true)
  assert.equal(invalidations.isDead('E1', '/untouched', 1), true, 'older than what is remembered')
  assert.equal(invalidations.isDead('E1', '/untouched', 2), false)
  assert.equal(invalidations.isDead('E1', '/3', 2), true)
  assert.equal(invalidations.isDead('E1', '/5', 4), true)
  const hot = { distributionId: 'E1', uri: '/untouched', tags: '', asOf: 0, checkedRevision: 5 }
  assert.equal(invalidations.standing(hot), 'valid')
  invalidations.forgetBefore(9)
  assert.equal(invalidations.isDead('E1', '/untouched', 8), true)
  assert.equal(invalidations.isDead('E1', '/untouched', 9), false)
})

test('soft ones that are too old to be remembered leave objects soft, not dead', () => {
  const invalidations = new Invalidations(2)
  for (let revision = 1; revision <= 5; revision++) invalidations.add('E1', `/${revision}`, revision, true)
  assert.equal(invalidations.standing({ distributionId: 'E1', uri: '/untouched', tags: '', asOf: 1 }), 'soft')
})

test('memory is bounded however many there are; the same ones again take none', () => {
  const invalidations = new Invalidations(5_000)
  for (let revision = 1; revision <= 100_000; revision++) {
    const path = `/${revision % 20_000}/${'x'.repeat(revision % 50)}${revision % 3 === 0 ? '*' : ''}`
    invalidations.add('E1', path, revision)
    assert.ok(invalidations.patterns <= 10_000)
  }
  assert.ok(invalidations.bytes <= 2 * 65_536 * 24, `${invalidations.bytes}`)
  assert.equal(invalidations.isDead('E1', '/new', 99_999), false)
  assert.equal(invalidations.isDead('E1', '/100', 0), true)
  const again = new Invalidations(100)
  for (let revision = 1; revision <= 10_000; revision++) again.add('E1', `/${revision % 50}`, revision)
  assert.equal(again.patterns, 50)
  assert.equal(again.isDead('E1', '/untouched', 0), false, 'nothing had to be forgotten')
})

test('an older one that comes after a newer one counts, also for what was compared in between', () => {
  const invalidations = new Invalidations()
  invalidations.addExact('E1', '/a*', 6.5)
  const object = { distributionId: 'E1', uri: '/b', tags: '', asOf: 3, checkedRevision: invalidations.revision }
  invalidations.add('E1', '/b', 6)
  assert.ok(object.checkedRevision < invalidations.revision, 'it is looked at again')
  assert.equal(invalidations.standing(object), 'dead')
  assert.equal(invalidations.isDead('E1', '/a*', 3), true)
  assert.equal(invalidations.isDead('E1', '/ab', 3), false)
  const checked = invalidations.revision
  invalidations.add('E1', '/c', checked)
  assert.ok(checked < invalidations.revision, 'and so is one of the same revision')
})

const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 5 }).map((rest) => `/${rest}`)
const tag = fc.constantFrom('a', 'B', 'ab', 'a:b')
const item = fc.record({ path: text, tag: fc.option(tag), soft: fc.boolean() })

test('agrees with looking at every path and tag, also when entered again', () => {
  const object = fc.record({ uri: text, tags: fc.uniqueArray(tag), asOf: fc.nat(20) })
  fc.assert(
    fc.property(
      fc.array(item, { maxLength: 20 }),
      object,
      fc.constantFrom(10, 1_000),
      (items, { uri, tags, asOf }, generation) => {
        const invalidations = new Invalidations(generation)
        const heard: InvalidationEntry[] = []
        invalidations.onEntry = (entry) => heard.push(JSON.parse(JSON.stringify(entry)) as InvalidationEntry)
        for (const [at, one] of items.entries()) {
          if (one.tag === null) invalidations.add('E1', one.path, at + 1, one.soft)
          else invalidations.addTag('E1', 'h', one.tag, at + 1, one.soft)
        }
        const matching = items.filter(({ path, tag }, at) => {
          if (at + 1 <= asOf) return false
          if (tag !== null) return tags.some((own) => own.toLowerCase() === tag.toLowerCase())
          return path.endsWith('*') ? uri.startsWith(path.slice(0, -1)) : uri === path
        })
        const expected = matching.some(({ soft }) => !soft) ? 'dead' : matching.length > 0 ? 'soft' : 'valid'
        const own = tags.length === 0 ? '' : `h,${tags.map((one) => `${one.toLowerCase()},`).join('')}`
        const compared = { distributionId: 'E1', uri, tags: own, asOf }
        assert.equal(invalidations.standing(compared), expected)
        const restored = new Invalidations()
        for (const entry of heard) restored.enter(entry)
        assert.equal(restored.standing(compared), expected)
      },
    ),
  )
})
