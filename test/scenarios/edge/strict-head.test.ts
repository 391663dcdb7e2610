//! Strict mode: the answer to a HEAD freshens the stored GET, or tells that it is no longer what the origin has.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MovableClock } from '../../../src/lib/clock.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

for (const strict of [true, false]) {
  for (const count of [1, 3]) {
    test(`a HEAD of an expired object, ${strict ? 'strict' : 'default'} mode, ${count} workers`, async (t) => {
      let etag = '"a"'
      const origin = await startOrigin(({ method }, response) => {
        response
          .writeHead(200, { 'cache-control': 'max-age=60', etag, 'x-by': method, 'content-length': '4' })
          .end('body')
      })
      t.after(() => origin.close())
      const clock = new MovableClock()
      const behaviors = [behaviorDoc({ cachePolicy: cachePolicy({ defaultTtl: 0 }) })]
      const document = distributionDoc(origin.port, { rfcStrict: strict, behaviors })
      const edge = await EdgeScenario.start(t, [document], { clock, count })
      const head = async () => {
        clock.moveTo(clock.offsetMs + 61_000)
        const { headers, xCache } = await edge.get('/a', { method: 'HEAD' })
        assert.deepEqual([headers['x-by'], xCache], ['HEAD', 'Miss'])
        return edge.get('/a')
      }
      const gets = () => origin.asked.filter(({ method }) => method === 'GET').length
      await edge.get('/a')
      const freshened = await head()
      assert.deepEqual(
        [freshened.body, freshened.headers['x-by'], gets()],
        strict ? ['body', 'HEAD', 1] : ['body', 'GET', 2],
      )
      etag = '"b"'
      const another = await head()
      assert.deepEqual([another.headers.etag, another.headers['x-by'], gets()], ['"b"', 'GET', strict ? 2 : 3])
      // It was not asked whether the old one is still good.
      assert.equal(origin.asked.at(-1)?.headers['if-none-match'], strict ? undefined : '"a"')
    })
  }
}
