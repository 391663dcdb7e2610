//! The headers that CloudFront makes (spec/cloudfront.md 6.3) at a real edge: what an origin gets of each when nothing
//! lists it, when a cache policy or an origin request policy does, also where another worker than the viewer's asks the
//! origin; and that each one in a cache policy tells viewers apart.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GENERATED_HEADERS } from '../../../src/domain/generated-headers.ts'
import { MANAGED_CACHE_POLICIES, managedOriginRequestPolicy } from '../../../src/domain/managed-policies.ts'
import type { CachePolicyDoc, OriginRequestPolicyDoc } from '../../../src/domain/policy.ts'
import { type Asked, startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, NONE } from '../../support/edge-scenario.ts'

/** London, by the city database that npm installs; a network of AS 20712. */
const LONDON = '81.2.69.142'
const IPAD =
  'Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Mobile/15E148 Safari/604.1'

interface Row {
  readonly name: string
  /** For a viewer in London with an iPad over plain HTTP/1.1; null: not sent. */
  readonly gets: RegExp | null
  /** A viewer of whom it says something else: a header of the request. */
  readonly other?: readonly [name: string, value: string]
}

const NOWHERE = ['x-cachefront-viewer-address', '192.0.2.1'] as const
const CALIFORNIA = ['x-cachefront-viewer-address', '8.8.8.8'] as const
const DESKTOP = ['user-agent', 'curl/8'] as const
const TELEVISION = ['user-agent', 'Roku/DVP-9.10'] as const
const ANDROID = ['user-agent', 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/124.0.0.0 Mobile Safari/537.36'] as const // biome-ignore format: one

const ROWS: readonly Row[] = [
  { name: 'Is-Android-Viewer', gets: /^false$/, other: ANDROID },
  { name: 'Is-Desktop-Viewer', gets: /^false$/, other: DESKTOP },
  { name: 'Is-IOS-Viewer', gets: /^true$/, other: DESKTOP },
  { name: 'Is-Mobile-Viewer', gets: /^true$/, other: DESKTOP },
  { name: 'Is-SmartTV-Viewer', gets: /^false$/, other: TELEVISION },
  { name: 'Is-Tablet-Viewer', gets: /^true$/, other: DESKTOP },
  { name: 'Viewer-Country', gets: /^GB$/, other: CALIFORNIA },
  { name: 'Viewer-Country-Name', gets: /^United Kingdom$/, other: CALIFORNIA },
  { name: 'Viewer-Country-Region', gets: /^ENG$/, other: CALIFORNIA },
  { name: 'Viewer-Country-Region-Name', gets: /^England$/, other: CALIFORNIA },
  { name: 'Viewer-City', gets: /^London$/, other: NOWHERE },
  { name: 'Viewer-Latitude', gets: /^51\.\d{5}$/, other: NOWHERE },
  { name: 'Viewer-Longitude', gets: /^-?0\.\d{5}$/, other: NOWHERE },
  // The database that npm installs has neither.
  { name: 'Viewer-Metro-Code', gets: null },
  { name: 'Viewer-Postal-Code', gets: null },
  { name: 'Viewer-Time-Zone', gets: /^Europe\/London$/, other: CALIFORNIA },
  { name: 'Viewer-Address', gets: /^81\.2\.69\.142:\d{4,5}$/ },
  { name: 'Viewer-ASN', gets: /^20712$/ },
  { name: 'Viewer-Header-Order', gets: /^host:user-agent:X-Mixed:(cloudfront-[a-z-]+:)?Connection$/, other: ['accept', '*/*'] },
  { name: 'Viewer-Header-Count', gets: /^[45]$/, other: ['accept', '*/*'] },
  { name: 'Viewer-TLS', gets: null },
  { name: 'Forwarded-Proto', gets: /^http$/ },
  { name: 'Viewer-Http-Version', gets: /^1\.1$/ },
  // Of a custom error page's request alone: error-pages.test.ts.
  { name: 'Error-Uri', gets: null },
  { name: 'Error-Args', gets: null },
] // biome-ignore format: a table

const FROM_LONDON = { 'user-agent': IPAD, 'X-Mixed': 'v', 'x-cachefront-viewer-address': LONDON }

const listing = (name: string): OriginRequestPolicyDoc => ({
  ...{ id: 'orp', cookies: NONE, queryStrings: NONE },
  headers: { behavior: 'whitelist', names: [name] },
})
const keying = (name: string): CachePolicyDoc =>
  cachePolicy({ id: 'keyed', headers: { behavior: 'whitelist', names: [name] } })
const made = (asked: Asked): string[] => Object.keys(asked.headers).filter((name) => name.startsWith('cloudfront-'))

test('the table has a row for each header that is built', () => {
  // Those of viewers' certificates: viewer-mtls.test.ts.
  const tried = GENERATED_HEADERS.filter(({ make, from }) => make !== null && from !== 'client')
  const built = tried.map(({ name }) => name.replace('CloudFront-', ''))
  assert.deepEqual(
    ROWS.map(({ name }) => name),
    built,
  )
})

for (const count of [1, 3]) {
  test(`each header, ${count === 1 ? 'one worker' : 'three workers'}`, async (t) => {
    const origin = await startOrigin((_asked, response) => response.end('x'))
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count })
    for (const { name, gets, other } of ROWS) {
      const lower = `cloudfront-${name.toLowerCase()}`
      const keyable = GENERATED_HEADERS.find((header) => header.name === `CloudFront-${name}`)?.keyable === true
      await t.test(name, async () => {
        const behaviors = [
          behaviorDoc({ pathPattern: '/listed/*', originRequestPolicy: listing(lower) }),
          ...(keyable ? [behaviorDoc({ pathPattern: '/keyed/*', cachePolicy: keying(lower) })] : []),
          behaviorDoc({ originRequestPolicy: { ...listing(''), headers: { behavior: 'allViewer', names: [] } } }),
        ]
        await edge.feed.put(distributionDoc(origin.port, { behaviors }))
        const ask = async (path: string, headers: Record<string, string> = {}, worker = 0) => {
          const answer = await edge.get(path, { headers: { ...FROM_LONDON, ...headers }, worker })
          const asked = origin.asked.findLast(({ url }) => url === path)
          return { answer, got: asked?.headers[lower], asked: asked ?? assert.fail() }
        }
        const forged = { [lower]: 'forged' }
        const expect = (got: unknown, where: string) =>
          gets === null ? assert.equal(got, undefined, where) : assert.match(String(got), gets, where)
        const listed = await ask(`/listed/${name}`, forged, count - 1)
        expect(listed.got, 'origin request policy')
        assert.deepEqual(made(listed.asked), gets === null ? [] : [lower])
        const spelling = listed.asked.rawHeaders.find((text) => text.toLowerCase() === lower)
        if (gets !== null) assert.equal(spelling, `CloudFront-${name}`)
        // Of a viewer's own neither this one nor any other passes.
        assert.deepEqual(made((await ask(`/all/${name}`, forged)).asked), [])
        if (!keyable) return
        const keyed = await ask(`/keyed/${name}`)
        for (let worker = 0; worker < count; worker++)
          expect((await ask(`/keyed/${name}`, {}, worker)).got, 'cache policy')
        assert.equal(origin.count(`/keyed/${name}`), 1)
        if (other === undefined) return
        const another = await ask(`/keyed/${name}`, { [other[0]]: other[1] })
        assert.equal(another.answer.xCache, 'Miss')
        assert.notEqual(another.got, keyed.got)
      })
    }
  })
}

test('the managed policies that list them, by their settings', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const id = '33f36d7e-f396-46d9-90e0-52428a34d9dc'
  const settings = managedOriginRequestPolicy(id)?.settings ?? assert.fail()
  const amplify = MANAGED_CACHE_POLICIES.find(({ name }) => name === 'Amplify')?.settings ?? assert.fail()
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      behaviors: [
        behaviorDoc({ pathPattern: '/amplify', cachePolicy: { ...amplify, id: 'amplify' } }),
        behaviorDoc({ originRequestPolicy: { ...settings, id } }),
      ],
    }),
  ])
  await edge.get('/a', { headers: { ...FROM_LONDON, cookie: 'b=1' } })
  const { headers } = origin.asked[0] ?? assert.fail()
  assert.deepEqual([headers['x-mixed'], headers.cookie], ['v', 'b=1'])
  const known = settings.headers.names.filter((name) => headers[name] !== undefined)
  const unknown = settings.headers.names.filter((name) => headers[name] === undefined)
  assert.deepEqual(unknown, ['cloudfront-viewer-metro-code', 'cloudfront-viewer-postal-code', 'cloudfront-viewer-tls'])
  assert.equal(known.length, 18)
  for (const address of [LONDON, '8.8.8.8', LONDON]) {
    await edge.get('/amplify', { headers: { 'x-cachefront-viewer-address': address } })
  }
  const countries = origin.asked.slice(1).map((asked) => asked.headers['cloudfront-viewer-country'])
  assert.deepEqual(countries, ['GB', 'US'])
})

test('values that are no ASCII are percent-encoded', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const originRequestPolicy = listing('cloudfront-viewer-country-region-name')
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, { behaviors: [behaviorDoc({ originRequestPolicy })] }),
  ])
  await edge.get('/a', { headers: { 'x-cachefront-viewer-address': '109.87.31.1' } })
  assert.equal(origin.asked[0]?.headers['cloudfront-viewer-country-region-name'], 'Kharkivs%E2%80%99ka Oblast%E2%80%99')
})

test('a trace tells where the viewer is and which field of the policies has each header sent', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const behaviors = [
    behaviorDoc({
      cachePolicy: keying('cloudfront-viewer-country'),
      originRequestPolicy: listing('cloudfront-viewer-city'),
    }),
  ]
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })])
  const answer = await edge.get('/a', { headers: { ...FROM_LONDON, 'x-cachefront-explain': '1' } })
  const told = await edge.feed.ask({ kind: 'trace', traceId: String(answer.headers['x-cachefront-trace']) })
  const text = JSON.stringify(told)
  assert.match(text, /"viewer":"81\.2\.69\.142: GB, ENG, London, Europe\/London, AS20712"/)
  assert.match(text, /OriginRequestPolicy\S*Headers/)
  assert.match(text, /cloudfront-viewer-country: GB/)
})
