import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Invalidations } from './invalidation.ts'
import { InvalidationPreview } from './invalidation-preview.ts'

const preview = (paths: readonly string[], rootObject = '') =>
  new InvalidationPreview({ id: 'I', distributionId: 'E1', paths, tagHeader: 'h' }, rootObject)

test('names every item that hits, in the order they were given', () => {
  const items = preview(['#Sale', '/img/*', '/img/a.jpg', '/*', '/img/a.jpg', '/other'])
  assert.deepEqual(items.itemsFor({ uri: '/img/a.jpg', tags: 'h,x,sale,' }), ['#Sale', '/img/*', '/img/a.jpg', '/*'])
  assert.deepEqual(items.itemsFor({ uri: '/b', tags: '' }), ['/*'])
  assert.deepEqual(preview(['/x', '#a']).itemsFor({ uri: '/b', tags: 'other,a,' }), [])
  assert.deepEqual(preview(['/'], 'index.html').itemsFor({ uri: '/index.html', tags: '' }), ['/'])
})

test('hits what the invalidation itself would kill', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '?'), maxLength: 4 }).map((rest) => `/${rest}`)
  const item = fc.oneof(
    text,
    text.map((path) => `${path}*`),
    fc.constantFrom('#a', '#B', '#ab'),
  )
  const tags = fc.uniqueArray(fc.constantFrom('a', 'b', 'ab'))
  fc.assert(
    fc.property(fc.array(item, { maxLength: 10 }), text, tags, (items, uri, own) => {
      const invalidations = new Invalidations()
      for (const one of items) {
        if (one.startsWith('#')) invalidations.addTag('E1', 'h', one.slice(1), 2)
        else invalidations.add('E1', one, 2)
      }
      const object = { uri, tags: own.length === 0 ? '' : `h,${own.join(',')},` }
      assert.equal(preview(items).itemsFor(object).length > 0, invalidations.isDead('E1', uri, 1, object.tags))
    }),
  )
})
