//! Trusted proxies at a real edge (DESIGN 6, CACHEFRONT_TRUSTED_PROXIES): the viewer of headers, keys, origins and log is
//! the one that the proxies speak for, and nobody else can say who it is.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { ACCESS_LOG_FIELDS } from '../../../src/observe/access-log.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, NONE } from '../../support/edge-scenario.ts'

const LONDON = '81.2.69.142'
const CALIFORNIA = '8.8.8.8'
const LOCAL_PROXIES = { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] }

const behaviors = [
  behaviorDoc({
    cachePolicy: cachePolicy({ headers: { behavior: 'whitelist', names: ['cloudfront-viewer-country'] } }),
    originRequestPolicy: {
      ...{ id: 'orp', cookies: NONE, queryStrings: NONE },
      headers: { behavior: 'whitelist', names: ['cloudfront-viewer-address', 'cloudfront-viewer-city'] },
    },
  }),
]

interface Row {
  readonly name: string
  readonly sent: string
  readonly trusted: boolean
  /** X-Forwarded-For, CloudFront-Viewer-Address (without a port that is the connection's), -Country at the origin. */
  readonly origin: readonly [string, string, string | undefined]
  /** c-ip and x-forwarded-for of the log. */
  readonly log: readonly [string, string]
}

const ROWS: readonly Row[] = [
  { name: 'a proxy in front', sent: LONDON, trusted: true, origin: [LONDON, `${LONDON}:0`, 'GB'], log: [LONDON, '-'] },
  { name: 'two proxies, and a port', sent: `${LONDON}:4711, 10.1.1.1`, trusted: true, origin: [LONDON, `${LONDON}:4711`, 'GB'], log: [LONDON, '-'] },
  { name: 'what the viewer itself wrote stays to the left', sent: `${CALIFORNIA}, ${LONDON}`, trusted: true, origin: [`${CALIFORNIA}, ${LONDON}`, `${LONDON}:0`, 'GB'], log: [LONDON, CALIFORNIA] },
  { name: 'a viewer that claims to be a proxy', sent: `${CALIFORNIA}, 10.0.0.9, ${LONDON}`, trusted: true, origin: [`${CALIFORNIA}, 10.0.0.9, ${LONDON}`, `${LONDON}:0`, 'GB'], log: [LONDON, `${CALIFORNIA},%2010.0.0.9`] },
  { name: 'no trusted proxy: the field is only added to', sent: LONDON, trusted: false, origin: [`${LONDON}, 127.0.0.1`, '127.0.0.1', undefined], log: ['127.0.0.1', LONDON] },
] // biome-ignore format: a table

for (const count of [1, 3]) {
  for (const row of ROWS) {
    test(`${row.name}, ${count === 1 ? 'one worker' : 'three workers'}`, async (t) => {
      const origin = await startOrigin((_asked, response) => response.end('x'))
      t.after(() => origin.close())
      const options = { count, ...(row.trusted ? LOCAL_PROXIES : {}) }
      const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })], options)
      for (let at = 0; at < 6; at++)
        await edge.get(`/${at}`, { headers: { 'x-forwarded-for': row.sent }, worker: at % count })
      assert.equal(origin.asked.length, 6)
      for (const { headers } of origin.asked) {
        const [forwarded, address, country] = row.origin
        assert.equal(headers['x-forwarded-for'], forwarded)
        const told = String(headers['cloudfront-viewer-address'])
        assert.equal(address.includes(':') ? told : told.replace(/:\d+$/, ''), address)
        assert.equal(headers['cloudfront-viewer-country'], country)
      }
      await edge.pause()
      const lines: string[] = []
      for (let at = 0; at < count; at++) {
        const text = await readFile(join(edge.directory, 'logs', `access-worker-${at}.log`), 'utf8')
        lines.push(...text.split('\n').filter((line) => line !== '' && !line.startsWith('#')))
      }
      assert.equal(lines.length, 6)
      const column = (line: string, name: string) =>
        line.split('\t')[ACCESS_LOG_FIELDS.findIndex((field) => field.name === name)]
      for (const line of lines) assert.deepEqual([column(line, 'c-ip'), column(line, 'x-forwarded-for')], row.log)
    })
  }
}

test('one connection of a proxy carries many viewers, each with an object of its country', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })], LOCAL_PROXIES)
  const request = (viewer: string, end = '') =>
    `GET /a HTTP/1.1\r\nHost: d111111abcdef8.cloudfront.localhost\r\nX-Forwarded-For: ${viewer}\r\n${end}\r\n`
  const last = request(CALIFORNIA, 'Connection: close\r\n')
  const text = await edge.raw(request(LONDON) + request(LONDON) + request(CALIFORNIA) + request(LONDON) + last)
  const results = [...text.matchAll(/X-Cache: (\w+)/g)].map(([, word]) => word)
  assert.deepEqual(results, ['Miss', 'Hit', 'Miss', 'Hit', 'Hit'])
  assert.deepEqual(
    origin.asked.map(({ headers }) => headers['cloudfront-viewer-country']),
    ['GB', 'US'],
  )
})

test('explain is not for requests that a proxy passed on', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })], LOCAL_PROXIES)
  const forged = { 'x-cachefront-explain': '1', 'x-cachefront-viewer-address': CALIFORNIA }
  const answer = await edge.get('/a', { headers: { ...forged, 'x-forwarded-for': LONDON } })
  assert.equal(answer.headers['x-cachefront-trace'], undefined)
  assert.equal(origin.asked[0]?.headers['cloudfront-viewer-country'], 'GB')
})
