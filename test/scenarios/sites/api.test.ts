//! An API behind CachingDisabled and AllViewer: every method, cookies, credentials and bodies reach it, nothing is kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserIsMissing, startBrowser } from '../../support/browser.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { ALL_METHODS, ALL_VIEWER, CACHING_DISABLED, startSite } from '../../support/site.ts'

const CALL = `async (method, body) => {
  const headers = { authorization: 'Bearer t', 'x-request': method, ...(body ? { 'content-type': 'application/json' } : {}) }
  const response = await fetch('/api/items?of=' + method, { method, body, headers })
  return { status: response.status, cache: response.headers.get('x-cache'), text: await response.text() }
}`

test('an API answers each call itself', { skip: browserIsMissing, timeout: 120_000 }, async (t) => {
  let calls = 0
  const origin = await startOrigin((asked, response) => {
    if (!asked.url.startsWith('/api/')) {
      response
        .setHeader('content-type', 'text/html')
        .setHeader('set-cookie', 'session=abc; Path=/')
        .end('<!doctype html>')
      return
    }
    calls++
    const { cookie, authorization } = asked.headers
    response.setHeader('cache-control', 'max-age=3600').writeHead(asked.method === 'POST' ? 201 : 200)
    response.end(
      JSON.stringify({ call: calls, method: asked.method, url: asked.url, cookie, authorization, body: asked.body }),
    )
  })
  t.after(() => origin.close())
  const { secureUrl, name } = await startSite(t, origin.port, (config) => ({
    ...config,
    DefaultCacheBehavior: {
      ...config.DefaultCacheBehavior!,
      ViewerProtocolPolicy: 'redirect-to-https',
      AllowedMethods: {
        ...ALL_METHODS,
        Items: [...ALL_METHODS.Items],
        CachedMethods: { Quantity: 2, Items: ['GET', 'HEAD'] },
      },
      CachePolicyId: CACHING_DISABLED,
      OriginRequestPolicyId: ALL_VIEWER,
    },
  }))
  const browser = await startBrowser()
  t.after(() => browser.close())
  const tab = await browser.newPage({ ignoreHTTPSErrors: true })
  await tab.goto(`${secureUrl}/`)
  for (const [n, method] of ['GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE'].entries()) {
    const body = ['POST', 'PUT', 'PATCH'].includes(method) ? '{"a":1}' : ''
    const answer = (await tab.evaluate(`(${CALL})('${method}', ${body === '' ? 'undefined' : `'${body}'`})`)) as {
      status: number
      cache: string
      text: string
    }
    assert.deepEqual([answer.status, answer.cache], [method === 'POST' ? 201 : 200, 'Miss from cloudfront'], method)
    assert.deepEqual(JSON.parse(answer.text), {
      call: n + 1,
      method,
      url: `/api/items?of=${method}`,
      cookie: 'session=abc',
      authorization: 'Bearer t',
      body,
    })
  }
  assert.ok(origin.asked.every(({ headers }) => headers.host?.startsWith(name)))
})
