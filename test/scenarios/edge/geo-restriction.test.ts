//! Geo restriction through the front door (spec/cloudfront.md 12.1): both lists, IPv6, viewers of no known country, whose
//! address counts, custom error pages, staging distributions, several workers, a damaged database, and the log.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { DistributionDoc, GeoRestrictionDoc } from '../../../src/domain/distribution.ts'
import { accessLogRecords } from '../../support/edge-access-log.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import { distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'
import { traceOf } from '../../support/edge-trace.ts'

const GERMAN = '2a02:2e0::1'
const AMERICAN = '8.8.8.8'
const NOBODY = '203.0.113.9'

const from = (address: string) => ({ headers: { 'x-cachefront-viewer-address': address } })
const only = (...countries: string[]): GeoRestrictionDoc => ({ type: 'whitelist', countries })
const allBut = (...countries: string[]): GeoRestrictionDoc => ({ type: 'blacklist', countries })

async function originOf(t: TestContext, handler: OriginHandler) {
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  return origin
}

test('lists of countries, with one worker and with three', async (t) => {
  const origin = await originOf(t, (_request, response) => response.end('page'))
  for (const count of [1, 3]) {
    const scenario = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count })
    let path = 0
    const statuses = async (geoRestriction: GeoRestrictionDoc) => {
      await scenario.feed.put(distributionDoc(origin.port, { geoRestriction }))
      path++
      const found: Record<string, number[]> = {}
      for (const address of [GERMAN, AMERICAN, `::ffff:${AMERICAN}`, NOBODY, '127.0.0.1']) {
        found[address] = []
        for (let worker = 0; worker < count; worker++) {
          found[address].push((await scenario.get(`/${path}`, { ...from(address), worker })).status)
        }
      }
      return Object.values(found).map((each) => [...new Set(each)].join())
    }
    assert.deepEqual(await statuses(only('DE', 'FR')), ['200', '403', '403', '200', '200'])
    assert.deepEqual(await statuses(allBut('DE')), ['403', '200', '200', '200', '200'])
    assert.deepEqual(await statuses(allBut('US', 'CA')), ['200', '403', '403', '200', '200'])
  }
})

test('what a refused viewer gets, what is logged, and what explains it', async (t) => {
  const origin = await originOf(t, (request, response) => response.end(request.url))
  const geoRestriction = only('DE')
  const scenario = await EdgeScenario.start(t, [distributionDoc(origin.port, { geoRestriction })])
  assert.equal((await scenario.get('/kept', from(GERMAN))).xCache, 'Miss')
  const refused = await scenario.get('/kept?a=b', from(AMERICAN))
  assert.deepEqual([refused.status, refused.xCache], [403, 'Error'])
  assert.match(refused.body, /The Amazon CloudFront distribution is configured to block access from your country\./)
  const trace = await traceOf(scenario, '/kept', { 'x-cachefront-viewer-address': AMERICAN })
  assert.match(JSON.stringify(trace), /Restrictions\.GeoRestriction.*whitelist: US is not listed/)
  const page = distributionDoc(origin.port, {
    geoRestriction,
    errorResponses: [{ errorCode: 403, cachingMinTtlSeconds: 10, page: { path: '/sorry.html', responseCode: 451 } }],
  })
  await scenario.feed.put(page)
  const sorry = await scenario.get('/kept', from(AMERICAN))
  assert.deepEqual([sorry.status, sorry.body, sorry.xCache], [451, '/sorry.html', 'Error'])
  await scenario.pause()
  const lines = await accessLogRecords(scenario)
  assert.deepEqual(
    lines.map((line) => [
      line['sc-status'],
      line['x-edge-result-type'],
      line['x-edge-detailed-result-type'],
      line['c-ip'],
    ]),
    [
      ['200', 'Miss', 'Miss', GERMAN],
      ['403', 'Error', 'ClientGeoBlocked', AMERICAN],
      ['403', 'Error', 'ClientGeoBlocked', AMERICAN],
      ['451', 'Error', 'ClientGeoBlocked', AMERICAN],
    ],
  )
})

test('an address cannot be forged: only a trusted proxy says who the viewer is', async (t) => {
  const origin = await originOf(t, (_request, response) => response.end('page'))
  const document = distributionDoc(origin.port, { geoRestriction: allBut('US') })
  const open = await EdgeScenario.start(t, [document])
  const behind = await EdgeScenario.start(t, [document], { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] })
  const says = (forwardedFor: string) => ({ headers: { 'x-forwarded-for': forwardedFor } })
  // Nobody is trusted: whoever is connected is the viewer.
  assert.equal((await open.get('/', says(AMERICAN))).status, 200)
  assert.equal((await behind.get('/', says(AMERICAN))).status, 403)
  assert.equal((await behind.get('/', says(`${AMERICAN}, 10.0.0.7`))).status, 403)
  assert.equal((await behind.get('/', says(`[::ffff:${AMERICAN}]:4000`))).status, 403)
  // What the viewer itself wrote stands to the left of what the proxy appended.
  assert.equal((await behind.get('/', says(`${GERMAN}, ${AMERICAN}`))).status, 403)
  assert.equal((await behind.get('/', says(`${AMERICAN}, ${GERMAN}`))).status, 200)
  // The header of tests counts for nothing once a proxy has passed the request on.
  const both = { headers: { 'x-forwarded-for': AMERICAN, 'x-cachefront-viewer-address': GERMAN } }
  assert.equal((await behind.get('/', both)).status, 403)
})

test('the staging distribution has a list of its own', async (t) => {
  const origin = await originOf(t, (_request, response) => response.end('page'))
  const staging: Partial<DistributionDoc> = {
    id: 'E2STAGINGDISTR',
    domainName: 'd222222abcdef8.cloudfront.localhost',
    staging: true,
    geoRestriction: only('FR'),
  }
  const primary: Partial<DistributionDoc> = {
    geoRestriction: only('DE'),
    continuousDeployment: {
      policyId: 'policy',
      stagingId: 'E2STAGINGDISTR',
      traffic: { kind: 'header', header: 'aws-cf-cd-staging', value: 'yes' },
    },
  }
  const scenario = await EdgeScenario.start(t, [
    distributionDoc(origin.port, primary),
    distributionDoc(origin.port, staging),
  ])
  const asks = (headers: Record<string, string>) =>
    scenario.get('/', { host: HOST, headers: { 'x-cachefront-viewer-address': GERMAN, ...headers } })
  assert.equal((await asks({})).status, 200)
  assert.equal((await asks({ 'aws-cf-cd-staging': 'yes' })).status, 403)
})

test('a restriction without a database that can be read refuses everybody and says so', async (t) => {
  const origin = await originOf(t, (_request, response) => response.end('page'))
  const scenario = await EdgeScenario.start(t, [])
  const path = join(scenario.directory, 'damaged.mmdb')
  await writeFile(path, 'no database')
  await scenario.pause()
  await scenario.resume(1, { geoip: [path] })
  await scenario.feed.put(distributionDoc(origin.port))
  assert.equal((await scenario.get('/')).status, 200)
  await scenario.feed.put(distributionDoc(origin.port, { geoRestriction: allBut('US') }))
  const refused = await scenario.get('/', from(GERMAN))
  assert.equal(refused.status, 503)
  assert.match(refused.body, /no GeoIP database to tell them by/)
  assert.match(scenario.problems.join('\n'), /damaged\.mmdb cannot be read/)
})
