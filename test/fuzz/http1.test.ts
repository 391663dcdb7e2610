import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzHttp1 } from './http1.ts'

test('3,000 hostile inputs: what Node rejects we reject, what both accept is understood alike', async () => {
  const { differences, understood, refused } = await fuzzHttp1(20_261_121, 3_000)
  assert.deepEqual(differences, [])
  assert.ok(understood > 500, `${understood} requests understood`)
  assert.ok(refused > 500, `${refused} inputs refused`)
})
