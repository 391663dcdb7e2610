//! Large objects in slices beside what else the cache does: the log, stale-while-revalidate, soft invalidation, variants in
//! strict mode, the disk tier, other workers' copies.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type LargeOptions, LargeOrigin, largeBytes } from '../../support/edge-large-origin.ts'
import { brief, largeScenario } from '../../support/edge-large-scenario.ts'
import { DISTRIBUTION_ID, distributionDoc, EdgeScenario, type ViewerAnswer } from '../../support/edge-scenario.ts'
import { ALL_VIEWER } from '../../support/edge-strict.ts'

const MIB = 1024 * 1024
const LENGTH = 7 * MIB + 3

const scenario = (t: TestContext, options: Partial<LargeOptions> = {}, more?: Parameters<typeof largeScenario>[2]) =>
  largeScenario(t, { length: LENGTH, ...options }, more)

function assertBytes(got: ViewerAnswer, from = 0, to = LENGTH): void {
  assert.equal(got.body.length, to - from)
  assert.ok(Buffer.from(got.body, 'latin1').equals(largeBytes(from, to)))
}

test('the access log tells what was sent, and whether all of it came from the cache', async (t) => {
  const { edge } = await scenario(t)
  await edge.get('/film', { headers: { range: 'bytes=10-19' } })
  await edge.get('/film', { headers: { range: 'bytes=20-29' } })
  await edge.get('/film')
  await edge.get('/film')
  await Promise.all(edge.workers.map((worker) => worker.close()))
  const files = await readdir(join(edge.directory, 'logs'), { recursive: true, withFileTypes: true })
  const texts = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'utf8')),
  )
  const lines = texts.flatMap((log) => log.split('\n')).filter((line) => line.includes('\t/film\t'))
  const logged = lines.map((line) => {
    const fields = line.split('\t')
    return [fields[8], fields[13], ...fields.slice(-4)].join(' ')
  })
  assert.deepEqual(logged, [
    '206 Miss video/mp4 10 10 19',
    '206 Hit video/mp4 10 20 29',
    `200 Miss video/mp4 ${LENGTH} - -`,
    `200 Hit video/mp4 ${LENGTH} - -`,
  ])
})

test('stale-while-revalidate: the index is refreshed behind, the slices are served on', async (t) => {
  const headers = { 'cache-control': 'max-age=10, stale-while-revalidate=100' }
  const { edge, origin } = await scenario(t, { headers })
  await edge.get('/film')
  const before = origin.asked.length
  await edge.feed.moveClock(20_000)
  const confirmed = Promise.withResolvers<void>()
  origin.instead = (_asked, response) => {
    response.once('finish', confirmed.resolve)
  }
  const stale = await edge.get('/film')
  assert.equal(brief(stale), '200 Hit -')
  assertBytes(stale)
  await confirmed.promise
  assert.equal(origin.asked.length, before + 1)
  assert.equal(origin.asked.at(-1)?.headers['if-none-match'], '"v1"')
})

test('a soft invalidation has the index confirmed; the slices stay', async (t) => {
  const { edge, origin } = await scenario(t)
  await edge.get('/film')
  const before = origin.asked.length
  await edge.feed.invalidateSoftly(DISTRIBUTION_ID, '/film')
  assertBytes(await edge.get('/film'))
  assertBytes(await edge.get('/film', { headers: { range: 'bytes=5-9' } }), 5, 10)
  assert.ok(origin.ranges.slice(before).every((range) => range === null))
})

test('strict mode: a large object with Vary is a variant like any other', async (t) => {
  const origin = await LargeOrigin.start({ length: LENGTH, headers: { vary: 'Accept-Language' } })
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, { rfcStrict: true })
  const behaviors = document.behaviors.map((behavior) => ({ ...behavior, originRequestPolicy: ALL_VIEWER }))
  const edge = await EdgeScenario.start(t, [{ ...document, behaviors }])
  const asks = (language: string) => edge.get('/film', { headers: { 'accept-language': language } })
  for (const [language, xCache] of [
    ['en', 'Miss'],
    ['en', 'Hit'],
    ['fr', 'Miss'],
    ['en', 'Hit'],
  ] as const) {
    const got = await asks(language)
    assert.equal(brief(got), `200 ${xCache} -`, language)
    assertBytes(got)
  }
  // For each language the head of the whole and eight slices.
  assert.equal(origin.asked.length, 18)
})

test('strict mode: the first range of a large object turns it into slices', async (t) => {
  const origin = await LargeOrigin.start({ length: LENGTH })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { rfcStrict: true })])
  for (const xCache of ['Miss', 'Miss', 'Hit']) {
    const got = await edge.get('/film', { headers: { range: 'bytes=-10' } })
    assert.equal(brief(got), `206 ${xCache} bytes ${LENGTH - 10}-${LENGTH - 1}/${LENGTH}`)
    assertBytes(got, LENGTH - 10)
  }
  const slices = [`bytes=${6 * MIB}-${7 * MIB - 1}`, `bytes=${7 * MIB}-${LENGTH - 1}`]
  assert.deepEqual(origin.ranges, ['bytes=-10', ...slices])
})

test('slices on disk outlive the worker', async (t) => {
  const { edge, origin } = await scenario(t, {}, { diskBytes: 256 * MIB })
  assertBytes(await edge.get('/film'))
  const before = origin.asked.length
  await edge.pause()
  await edge.resume()
  const again = await edge.get('/film')
  assert.equal(brief(again), '200 Hit -')
  assertBytes(again)
  assert.equal(origin.asked.length, before)
})

test('three workers: what one of them fetched costs the origin nothing more at another', async (t) => {
  const { edge, origin } = await scenario(t, {}, { count: 3 })
  for (const worker of [0, 1, 2, 0]) assertBytes(await edge.get('/film', { worker }))
  assert.equal(origin.asked.length, 9)
  assert.equal((await edge.get('/film', { worker: 0 })).xCache, 'Hit')
})
