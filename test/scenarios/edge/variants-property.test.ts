//! Strict mode against RFC 9111 4.1 in a few lines: whatever an origin varies by and viewers ask for, a hit is an answer
//! whose selecting fields the request has too, and of several such answers the most recent one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseVary, selectingValue } from '../../../src/http/vary.ts'
import { MovableClock } from '../../../src/lib/clock.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

/** No two answers are of the same millisecond. */
class TickingClock extends MovableClock {
  #ticks = 0
  override now(): number {
    return super.now() + this.#ticks++
  }
}

const NAMES = ['foo', 'bar', 'accept-language', 'user-agent'] as const
type Fields = Partial<Record<(typeof NAMES)[number], string>>

const fields: fc.Arbitrary<Fields> = fc.record(
  {
    foo: fc.constantFrom('1', '2', '1, 2', '1,2', '', 'x'.repeat(400)),
    bar: fc.constantFrom('a', 'b'),
    'accept-language': fc.constantFrom('en, de', 'DE,en', 'de;q=0.9, en', 'fr'),
    'user-agent': fc.constantFrom('one', 'two'),
  },
  { requiredKeys: [] },
)
const vary = fc.oneof(
  { weight: 8, arbitrary: fc.subarray([...NAMES]).map((names) => names.join(', ')) },
  { weight: 1, arbitrary: fc.constantFrom('*', 'FOO,,foo', 'no token', ', *', 'x-never-sent') },
)
const step = fc.record({ worker: fc.nat(2), fields, vary })

interface Given {
  readonly vary: string
  readonly fields: Fields
}

function matches({ vary: header, fields: stored }: Given, asked: Fields): boolean {
  const names = parseVary([header])
  if (names === null) return false
  return names.every((name) => {
    const [one, other] = [stored, asked].map((all) => all[name as keyof Fields])
    return one === undefined || other === undefined
      ? one === other
      : selectingValue(name, [one]) === selectingValue(name, [other])
  })
}

for (const workers of [1, 3]) {
  test(`any sequence of requests and Vary (${workers} workers)`, async (t) => {
    const given: Given[] = []
    let next: Given = { vary: '', fields: {} }
    const origin = await startOrigin((_asked, response) => {
      given.push(next)
      response.setHeader('cache-control', 'max-age=3600')
      if (next.vary !== '') response.setHeader('vary', next.vary)
      response.end(String(given.length - 1))
    })
    t.after(() => origin.close())
    const document = distributionDoc(origin.port, {
      rfcStrict: true,
      behaviors: [
        behaviorDoc({
          cachePolicy: cachePolicy(),
          originRequestPolicy: {
            id: 'all-viewer',
            headers: { behavior: 'allViewer', names: [] },
            cookies: { behavior: 'none', names: [] },
            queryStrings: { behavior: 'none', names: [] },
          },
        }),
      ],
    })
    const edge = await EdgeScenario.start(t, [document], { count: workers, clock: new TickingClock() })
    let path = 0
    let hits = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        path++
        const first = given.length
        for (const { worker, fields: asked, vary: header } of steps) {
          next = { vary: header, fields: asked }
          const answer = await edge.get(`/${path}`, {
            worker: worker % workers,
            headers: asked as Record<string, string>,
          })
          const at = Number(answer.body)
          if (answer.xCache === 'Miss') {
            assert.equal(at, given.length - 1)
            continue
          }
          hits++
          assert.ok(at >= first && matches(given[at] as Given, asked), `answer ${at} to ${JSON.stringify(asked)}`)
          // A worker serves its copies for as long as they are fresh, without asking the owner of the key for newer ones.
          if (workers > 1) continue
          const newer = given.findIndex((one, index) => index > at && matches(one, asked))
          assert.equal(newer, -1, `answer ${newer} is more recent than ${at}`)
        }
      }),
      { numRuns: 25 },
    )
    assert.ok(hits > 100, `${hits} hits`)
  })
}
