//! What is told of the tiers: X-Cache, the access log, Server-Timing and the trace say which of them answered.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { OriginDoc } from '../../../src/domain/distribution.ts'
import type { Topology } from '../../../src/domain/topology.ts'
import type { Trace } from '../../../src/observe/trace.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import { distributionDoc, EdgeScenario, originDoc } from '../../support/edge-scenario.ts'
import { listening, network } from '../../support/edge-topology.ts'

async function setup(
  t: TestContext,
  count: number,
  topology: Topology,
  changes: Partial<OriginDoc> = {},
  handler: OriginHandler = (asked, response) => response.end(asked.url),
) {
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, { origins: [originDoc(origin.port, changes)] })
  return EdgeScenario.start(t, [document], { count, ...listening(topology) })
}

/** Each of these fields of each line, in the order of the requests, which the ends of the workers have written. */
async function logged(edge: EdgeScenario, ...fields: readonly number[]): Promise<string[][]> {
  await edge.pause()
  const directory = join(edge.directory, 'logs')
  const names = (await readdir(directory)).filter((name) => name.startsWith('access-'))
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => fields.map((field) => line.split('\t')[field] ?? ''))
}

const LOCATION = 2
const RESULT = 13
const DETAILED = 28

async function traced(edge: EdgeScenario, path: string, pop: number): Promise<Trace> {
  const { headers } = await edge.get(path, { pop, headers: { 'x-cachefront-explain': '1' } })
  const answer = await edge.feed.ask({ kind: 'trace', traceId: String(headers['x-cachefront-trace']) }, 'worker-0')
  assert.equal(answer.kind, 'trace')
  return (answer as { trace: Trace }).trace
}

for (const count of [1, 3]) {
  const workers = count === 1 ? 'one worker' : `${count} workers`

  test(`${workers}: the log names the POP, and a hit in the shield by its own word`, async (t) => {
    // POPs 0 and 2 ask the regional edge cache of eu-central-1, 1 and 3 that of us-east-1, which is the shield.
    const edge = await setup(t, count, network(4, 2), { shieldRegion: 'us-east-1' })
    const answers = []
    for (const pop of [1, 0, 2, 3]) answers.push(await edge.get('/a', { pop }))
    assert.deepEqual(
      answers.map(({ xCache }) => xCache),
      ['Miss', 'Hit', 'Hit', 'Hit'],
    )
    assert.deepEqual(await logged(edge, LOCATION, RESULT, DETAILED), [
      ['POP1', 'Miss', 'Miss'],
      ['POP0', 'Hit', 'OriginShieldHit'],
      ['POP2', 'Hit', 'Hit'],
      ['POP3', 'Hit', 'Hit'],
    ])
  })

  test(`${workers}: a trace tells what each tier saw, down to what the origin was asked`, async (t) => {
    const edge = await setup(t, count, network(2), {
      shieldRegion: 'us-west-2',
      customHeaders: [['X-Origin-Verify', 'secret']],
    })
    const miss = await traced(edge, '/a', 0)
    const places = new Set(miss.steps.map(({ place }) => place ?? 'POP0'))
    assert.deepEqual(places, new Set(['POP0', 'REC-eu-central-1', 'REC-us-west-2']))
    assert.deepEqual(
      miss.steps.flatMap(({ name, facts }) => (facts.asked === undefined ? [] : [[name, facts.asked, facts.answered]])),
      [
        ['regional-lookup', 'REC-eu-central-1', 'Miss, Origin Shield'],
        ['shield-lookup', 'REC-us-west-2', 'Miss, Origin Shield'],
      ],
    )
    assert.deepEqual(
      miss.originRequests.map(({ place, target, status }) => [place, target, status]),
      [['REC-us-west-2', '/a', 200]],
    )
    assert.doesNotMatch(JSON.stringify(miss), /secret/)
    const decided = miss.steps.flatMap(({ decisions }) => decisions)
    const field = 'Origins.Items[0].OriginShield.OriginShieldRegion'
    assert.deepEqual(
      decided.filter((decision) => decision.field === field),
      [{ field, value: 'us-west-2' }],
    )
    const hit = await traced(edge, '/a', 1)
    assert.deepEqual(
      hit.steps.flatMap(({ facts }) => facts.answered ?? []),
      ['Hit, REC'],
    )
    assert.deepEqual(hit.originRequests, [])
  })

  test(`${workers}: an error at the origin is told with the place that asked it`, async (t) => {
    const edge = await setup(t, count, network(2), {}, (_asked, response) => response.destroy())
    const trace = await traced(edge, '/a', 0)
    assert.equal(trace.answer?.status, 502)
    assert.deepEqual(
      trace.originRequests.map(({ place, status }) => [place, status]),
      [['REC-eu-central-1', null]],
    )
  })
}
