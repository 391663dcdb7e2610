import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distributionDoc } from '../../../test/support/edge-scenario.ts'
import type { DistributionDoc } from '../../domain/distribution.ts'
import { SharedParts } from './shared-parts.ts'

const copy = (document: DistributionDoc): DistributionDoc => JSON.parse(JSON.stringify(document)) as DistributionDoc

test('what behaviors have in common is there once, and the documents are what they were', () => {
  const shared = new SharedParts()
  const document = distributionDoc(1)
  const first = shared.one(copy(document))
  const [second, third] = shared.all([copy(document), copy(document)])
  for (const one of [first, second, third]) {
    assert.deepEqual(one, document)
    assert.equal(one?.behaviors[0]?.cachePolicy, first.behaviors[0]?.cachePolicy)
    assert.equal(one?.behaviors[0]?.allowedMethods, first.behaviors[0]?.allowedMethods)
  }
})

test('thousands of policies that nobody has any more are forgotten, those in use are not', () => {
  const shared = new SharedParts()
  const document = distributionDoc(1)
  const [behavior] = document.behaviors
  assert.ok(behavior)
  const withTtl = (maxTtl: number): DistributionDoc =>
    copy({ ...document, behaviors: [{ ...behavior, cachePolicy: { ...behavior.cachePolicy, maxTtl } }] })
  const kept = shared.one(withTtl(1))
  for (let ttl = 2; ttl < 5_000; ttl++) shared.one(withTtl(ttl))
  assert.equal(shared.one(withTtl(1)).behaviors[0]?.cachePolicy, kept.behaviors[0]?.cachePolicy)
})
