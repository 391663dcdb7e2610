import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzEdge } from './edge.ts'

for (const workers of [1, 3]) {
  test(`60 hostile cases against ${workers} running worker(s): it lives, every request ends, each with its own answer`, async () => {
    const { failure, viewers, originRequests } = await fuzzEdge({ seed: 20_261_121, cases: 60, workers })
    assert.equal(failure, null, JSON.stringify(failure, null, 1))
    assert.ok(viewers > 60 && originRequests > 60, `${viewers} viewers, ${originRequests} requests to the origin`)
  })
}
