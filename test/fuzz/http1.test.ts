import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzHttp1 } from './http1.ts'

test('2,000 hostile requests: what Node rejects we reject, what both accept is understood alike', async () => {
  assert.deepEqual(await fuzzHttp1(20_261_121, 2_000), [])
})
