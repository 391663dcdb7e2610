import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzSigned } from './signed.ts'

test('signed requests of good, broken and hostile parts: none throws, none is let in that nobody signed', () => {
  const { findings, letIn, refused } = fuzzSigned(1, 3_000)
  assert.deepEqual(findings, [])
  assert.ok(letIn > 200, `${letIn} were let in`)
  assert.ok(refused > 1_000, `${refused} were refused`)
})
