import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailureMemory } from './failures.ts'
import { Invalidations } from './invalidation.ts'

const failed = (uri: string, until = 10_000) =>
  ({ kind: 'refused', until, asOf: 1, distributionId: 'E1', uri }) as const

test('a failure counts until its time is over, or its path is invalidated', () => {
  const failures = new FailureMemory()
  const invalidations = new Invalidations()
  failures.remember('E1 /a', failed('/a'))
  failures.remember('E1 /b', failed('/b'))
  assert.equal(failures.of('E1 /a', 9_999, invalidations), 'refused')
  assert.equal(failures.of('E1 /a', 10_000, invalidations), null)
  assert.equal(failures.size, 1, 'and is forgotten')
  invalidations.add('E1', '/b', 2)
  assert.equal(failures.of('E1 /b', 1, invalidations), null)
})

test('what is remembered is bounded by its characters: the oldest go', () => {
  const failures = new FailureMemory(1_000)
  const invalidations = new Invalidations()
  for (let at = 0; at < 100; at++) failures.remember(`E1 /${at}`, failed(`/${at}${'x'.repeat(90)}`))
  assert.ok(failures.size <= 10)
  assert.equal(failures.of('E1 /0', 1, invalidations), null)
  assert.equal(failures.of('E1 /99', 1, invalidations), 'refused')
  failures.remember('E1 /99', failed('/99'))
  assert.equal(failures.of('E1 /99', 1, invalidations), 'refused', 'again, in place of the old one')
})
