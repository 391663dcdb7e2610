//! A single-page application: paths that only the browser knows get index.html with 200, on a reload too, while the API
//! below the same name keeps its own errors out of it where it answers with a status that has no page.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserIsMissing, startBrowser } from '../../support/browser.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { startSite } from '../../support/site.ts'

const INDEX = `<!doctype html><title>shop</title><main></main><script src="/app.js"></script>`
const APP = `
  const show = () => { document.querySelector('main').textContent = 'route ' + location.pathname }
  window.go = (path) => { history.pushState(null, '', path); show() }
  addEventListener('popstate', show)
  show()
`

test('routes of a single-page application survive a reload', {
  skip: browserIsMissing,
  timeout: 120_000,
}, async (t) => {
  const origin = await startOrigin((asked, response) => {
    if (asked.url === '/index.html') response.setHeader('content-type', 'text/html').end(INDEX)
    else if (asked.url === '/app.js') response.setHeader('content-type', 'text/javascript').end(APP)
    // A bucket without ListBucket says 403 for what is not there.
    else response.writeHead(asked.url.startsWith('/private') ? 403 : 404).end('not here')
  })
  t.after(() => origin.close())
  const page = (ErrorCode: number) => ({
    ErrorCode,
    ResponsePagePath: '/index.html',
    ResponseCode: '200',
    ErrorCachingMinTTL: 0,
  })
  const { secureUrl } = await startSite(t, origin.port, (config) => ({
    ...config,
    DefaultRootObject: 'index.html',
    CustomErrorResponses: { Quantity: 2, Items: [page(403), page(404)] },
  }))
  const browser = await startBrowser()
  t.after(() => browser.close())
  const tab = await browser.newPage({ ignoreHTTPSErrors: true })
  const shown = () => tab.textContent('main')
  assert.equal((await tab.goto(secureUrl))?.status(), 200)
  assert.equal(await shown(), 'route /')
  await tab.evaluate("go('/orders/7')")
  assert.equal(await shown(), 'route /orders/7')
  const reloaded = await tab.reload()
  assert.deepEqual([reloaded?.status(), await shown()], [200, 'route /orders/7'])
  const deep = await tab.goto(`${secureUrl}/private/settings?tab=2`)
  assert.deepEqual([deep?.status(), await shown()], [200, 'route /private/settings'])
  assert.equal(deep?.headers()['x-cache'], 'Error from cloudfront')
  await tab.goBack()
  assert.equal(await shown(), 'route /orders/7')
  // The page itself is an object like any other: one request to the origin for all of these.
  assert.equal(origin.count('/index.html'), 1)
})
