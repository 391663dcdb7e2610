//! Large objects: kept in slices, so that a 5 GB file seeks at once and never sits in memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { largeBytes } from '../../support/edge-large-origin.ts'
import { brief, largeScenario } from '../../support/edge-large-scenario.ts'
import type { EdgeScenario, ViewerAnswer } from '../../support/edge-scenario.ts'
import { StillClock } from '../../support/still-clock.ts'

const MIB = 1024 * 1024
const FIVE_GB = 5 * 1024 * MIB + 12_345

const range = (edge: EdgeScenario, value: string, asks: { worker?: number; headers?: Record<string, string> } = {}) =>
  edge.get('/film', { ...asks, headers: { range: value, ...asks.headers } })

function assertBytes(answer: ViewerAnswer, from: number, to: number, version = 1): void {
  assert.equal(answer.body.length, to - from)
  assert.ok(Buffer.from(answer.body, 'latin1').equals(largeBytes(from, to, version)), `bytes ${from}-${to - 1}`)
}

for (const count of [1, 3]) {
  test(`5 GB seeks to start, middle, end and suffix, a slice or two each (workers: ${count})`, async (t) => {
    const { edge, origin } = await largeScenario(t, { length: FIVE_GB }, { count })
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

test('all of a large object: asked for once, slice by slice, and a Hit when every slice is here', async (t) => {
  const length = 7 * MIB + 11
  const { edge, origin } = await largeScenario(t, { length }, { clock: new StillClock() })
  for (const xCache of ['Miss', 'Hit', 'Hit']) {
    const whole = await edge.get('/film')
    assert.equal(brief(whole), `200 ${xCache} -`)
    assert.equal(whole.headers['content-length'], String(length))
    assert.equal(whole.headers['content-type'], 'video/mp4')
    assert.equal(whole.headers.age, '0')
    assertBytes(whole, 0, length)
  }
  assert.equal(origin.asked.length, 9, 'the head of the whole, then eight slices')
})

test('an answer is a Hit only when all of its bytes came from the cache', async (t) => {
  const { edge, origin } = await largeScenario(t, { length: 7 * MIB })
  await range(edge, `bytes=${2 * MIB}-${4 * MIB - 1}`)
  const rows = [
    [`bytes=${2 * MIB + 5}-${4 * MIB - 5}`, 'Hit', 0],
    [`bytes=${3 * MIB}-${4 * MIB}`, 'Miss', 1],
    ['bytes=0-9', 'Miss', 1],
    [`bytes=0-0,${2 * MIB}-${2 * MIB}`, 'Hit', 0],
    [`bytes=0-0,${2 * MIB}-${2 * MIB},-1`, 'Miss', 1],
  ] as const
  for (const [value, xCache, fetched] of rows) {
    const before = origin.asked.length
    const got = await range(edge, value)
    assert.deepEqual([got.status, got.xCache, origin.asked.length - before], [206, xCache, fetched], value)
  }
})

test('the answers that are not all of it: several parts, 304, 412, 416, If-Range', async (t) => {
  const length = 6 * MIB + 1
  const { edge, origin } = await largeScenario(t, { length })
  const several = await range(edge, `bytes=5-6,${MIB - 2}-${MIB + 1},-3`)
  assert.equal(several.status, 206)
  const boundary = /boundary=(.*)$/.exec(String(several.headers['content-type']))?.[1]
  const part = (from: number, to: number) =>
    `--${boundary}\r\nContent-Type: video/mp4\r\nContent-Range: bytes ${from}-${to - 1}/${length}\r\n\r\n${largeBytes(from, to).toString('latin1')}\r\n`
  assert.equal(several.body, `${part(5, 7)}${part(MIB - 2, MIB + 2)}${part(length - 3, length)}--${boundary}--\r\n`)
  assert.deepEqual(origin.ranges.slice(1), [
    `bytes=0-${MIB - 1}`,
    `bytes=${MIB}-${2 * MIB - 1}`,
    `bytes=${5 * MIB}-${6 * MIB - 1}`,
    `bytes=${6 * MIB}-${6 * MIB}`,
  ])
  const asks = (headers: Record<string, string>) => edge.get('/film', { headers })
  assert.equal((await asks({ 'if-none-match': '"v1"' })).status, 304)
  assert.equal((await asks({ 'if-match': '"v0"' })).status, 412)
  const beyond = await asks({ range: `bytes=${length}-` })
  assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, `bytes */${length}`])
  assert.equal((await asks({ range: 'bytes=0-9', 'if-range': '"v1"' })).status, 206)
  const other = await asks({ range: 'bytes=0-9', 'if-range': '"v0"' })
  assert.deepEqual([other.status, other.body.length], [200, length])
})

for (const count of [1, 3]) {
  test(`many viewers of one place cost the origin one request (workers: ${count})`, async (t) => {
    const { edge, origin } = await largeScenario(t, { length: 20 * MIB }, { count })
    await range(edge, 'bytes=0-0')
    const held = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    origin.instead = async () => {
      begun.resolve()
      await held.promise
      return false
    }
    const viewers = Array.from({ length: 12 }, (_, at) =>
      range(edge, `bytes=${5 * MIB + at}-${5 * MIB + 5_000}`, { worker: at % count }),
    )
    await begun.promise
    held.resolve()
    for (const [at, got] of (await Promise.all(viewers)).entries()) assertBytes(got, 5 * MIB + at, 5 * MIB + 5_001)
    assert.equal(origin.asked.length, 3)
  })
}
