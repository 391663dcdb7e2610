//! Large objects: kept in slices, so that a 5 GB file seeks at once and never sits in memory.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { WorkerOptions } from '../../../src/edge/worker.ts'
import { type LargeOptions, LargeOrigin, largeBytes } from '../../support/edge-large-origin.ts'
import { distributionDoc, EdgeScenario, type ViewerAnswer } from '../../support/edge-scenario.ts'

const MIB = 1024 * 1024
const FIVE_GB = 5 * 1024 * MIB + 12_345

async function scenario(
  t: TestContext,
  options: LargeOptions,
  more: Partial<WorkerOptions> & { readonly count?: number } = {},
): Promise<{ edge: EdgeScenario; origin: LargeOrigin }> {
  const origin = await LargeOrigin.start(options)
  t.after(() => origin.close())
  return { origin, edge: await EdgeScenario.start(t, [distributionDoc(origin.port)], more) }
}

const range = (edge: EdgeScenario, value: string, asks: { worker?: number; headers?: Record<string, string> } = {}) =>
  edge.get('/film', { ...asks, headers: { range: value, ...asks.headers } })

const brief = ({ status, xCache, headers }: ViewerAnswer) => `${status} ${xCache} ${headers['content-range'] ?? '-'}`

function assertBytes(answer: ViewerAnswer, from: number, to: number, version = 1): void {
  assert.equal(answer.body.length, to - from)
  assert.ok(Buffer.from(answer.body, 'latin1').equals(largeBytes(from, to, version)), `bytes ${from}-${to - 1}`)
}

for (const count of [1, 3]) {
  test(`5 GB seeks to start, middle, end and suffix, a slice or two each (workers: ${count})`, async (t) => {
    const { edge, origin } = await scenario(t, { length: FIVE_GB }, { count })
    const middle = 2_500 * MIB + 700_000
    const rows = [
      [`bytes=${FIVE_GB - 100}-`, FIVE_GB - 100, FIVE_GB],
      ['bytes=0-999', 0, 1_000],
      [`bytes=${middle}-${middle + MIB - 1}`, middle, middle + MIB],
      ['bytes=-5000', FIVE_GB - 5_000, FIVE_GB],
    ] as const
    for (const [round, expected] of [
      [1, 'Miss'],
      [2, 'Hit'],
    ] as const) {
      for (const [value, from, to] of rows) {
        const worker = (round + from) % count
        const got = await range(edge, value, { worker })
        // The suffix lies in the slice that the first row fetched.
        const xCache = value === 'bytes=-5000' ? 'Hit' : expected
        assert.equal(brief(got), `206 ${xCache} bytes ${from}-${to - 1}/${FIVE_GB}`, `${value} in round ${round}`)
        assertBytes(got, from, to)
      }
    }
    const slice = (at: number) => `bytes=${at * MIB}-${Math.min((at + 1) * MIB, FIVE_GB) - 1}`
    assert.deepEqual(origin.ranges, [null, slice(5_120), slice(0), slice(2_500), slice(2_501)])
    assert.ok(origin.bytesSent < 8 * MIB, `${origin.bytesSent} bytes were asked of the origin`)
    const head = await edge.get('/film', { method: 'HEAD' })
    assert.deepEqual([head.status, head.xCache, head.headers['content-length']], [200, 'Hit', String(FIVE_GB)])
    assert.equal(head.headers['accept-ranges'], 'bytes')
    assert.equal(origin.asked.length, 5)
  })
}
