import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SamplesFound } from '../domain/waf/seen.ts'
import type { Answer, Question } from '../edge/feed-protocol.ts'
import { wafAtEdges } from './waf-at-edges.ts'

const found = (population: number, ...times: number[]): SamplesFound => ({
  population,
  samples: times.map((at) => ({ weight: population / times.length, sample: { at } as never })),
})

/** Edges that answer so; each question is kept. */
function edges(...answers: Answer[]) {
  const asked: Question[] = []
  const ask = async (question: Question) => {
    asked.push(question)
    return { answers: answers.map((answer, at) => ({ worker: `worker-${at}`, answer })), missing: [] }
  }
  return { asked, waf: wafAtEdges({ ask }) }
}

test('samples of all workers are one list, newest first; of too many some stand for the others', async () => {
  const { waf, asked } = edges(
    { kind: 'waf-samples', found: found(100, 1, 5) },
    { kind: 'waf-samples', found: found(20, 3, 4) },
    { kind: 'error', message: 'busy' },
  )
  const wanted = { webAcl: 'arn', metric: 'm', from: 0, to: 9 }
  const all = await waf.samples({ ...wanted, max: 10 })
  assert.deepEqual([all.population, all.samples.map(({ sample }) => sample.at)], [120, [5, 4, 3, 1]])
  const some = await waf.samples({ ...wanted, max: 2 })
  assert.deepEqual([some.population, some.samples.map(({ sample }) => sample.at)], [120, [5, 3]])
  assert.deepEqual(
    some.samples.map(({ weight }) => weight),
    [100, 20],
  )
  assert.deepEqual(asked.at(-1), { kind: 'waf-samples', ...wanted, max: 2 })
})

test('addresses over a limit at several workers are told once', async () => {
  const keys = (...list: string[]): Answer => ({ kind: 'waf-rate-keys', keys: list })
  const { waf, asked } = edges(keys('192.0.2.1', '::1'), keys('::1'))
  assert.deepEqual(await waf.rateLimited({ webAcl: 'arn', group: null, rule: 'r' }), ['192.0.2.1', '::1'])
  assert.deepEqual(asked, [{ kind: 'waf-rate-keys', ids: 'arn\n\nr\n', max: 10_000 }])
})
