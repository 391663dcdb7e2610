import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distributionDoc } from '../../test/support/edge-scenario.ts'
import { packed, unpacked } from './feed-packing.ts'

test('documents come out of a message as they went in, equal parts as one', () => {
  const document = distributionDoc(1)
  const [behavior] = document.behaviors
  assert.ok(behavior)
  const behaviors = [
    ...['a*', 'b*'].map((pathPattern) => ({ ...structuredClone(behavior), pathPattern })),
    { ...behavior, cachePolicy: { ...behavior.cachePolicy, maxTtl: 7 } },
  ]
  const documents = [{ ...document, behaviors }, distributionDoc(2, { id: 'E2', aliases: ['a.test', 'b.test'] })]
  const { shared, distributions } = JSON.parse(JSON.stringify(packed(documents)))
  const out: (typeof document)[] = distributions.map((one: typeof document) => unpacked(one, shared))
  assert.deepEqual(out, documents)
  const [first, second, third, other] = out.flatMap((one) => one.behaviors.map(({ cachePolicy }) => cachePolicy))
  assert.equal(first, second)
  assert.equal(first, other)
  assert.notEqual(first, third)
})

test('a document that was never packed is read as it is', () => {
  const document = distributionDoc(1)
  assert.equal(unpacked(document, undefined), document)
})
