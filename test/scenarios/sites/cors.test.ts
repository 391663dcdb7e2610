//! Images and fonts of another origin: with the headers of a response headers policy a canvas stays readable and a font
//! loads; without them neither does.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { crc32, deflateSync } from 'node:zlib'
import { browserIsMissing, startBrowser } from '../../support/browser.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { startSite } from '../../support/site.ts'
import { withRequested } from '../../support/viewer-certificate.ts'

/** Managed-SimpleCORS: `Access-Control-Allow-Origin: *`. */
const SIMPLE_CORS = '60669652-455b-4ae9-85a4-c4c02393f86c'

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

/** One red pixel. */
const PNG = Buffer.concat([
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  chunk('IHDR', Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0])),
  chunk('IDAT', deflateSync(Buffer.from([0, 255, 0, 0]))),
  chunk('IEND', Buffer.alloc(0)),
])

const READ = (url: string) => `new Promise((resolve) => {
  const image = new Image()
  image.crossOrigin = 'anonymous'
  image.onerror = () => resolve('blocked')
  image.onload = () => {
    const context = document.createElement('canvas').getContext('2d')
    context.drawImage(image, 0, 0)
    resolve([...context.getImageData(0, 0, 1, 1).data].join())
  }
  image.src = '${url}'
})`

/** Of Debian's fonts-dejavu-core. */
const FONT = '/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf'

const LOAD_FONT = (url: string) =>
  `new FontFace('Mono', "url('${url}')").load().then((face) => face.status, () => 'blocked')`

test('images and fonts of another origin can be read where a policy allows it', {
  skip: browserIsMissing,
  timeout: 120_000,
}, async (t) => {
  const origin = await startOrigin((asked, response) => {
    if (asked.url === '/') response.setHeader('content-type', 'text/html').end('<!doctype html>')
    else if (asked.url?.endsWith('.ttf')) response.setHeader('content-type', 'font/ttf').end(readFileSync(FONT))
    else response.setHeader('content-type', 'image/png').end(PNG)
  })
  t.after(() => origin.close())
  const { secureUrl } = await startSite(t, origin.port, async (config, _, acm) => ({
    ...config,
    ...(await withRequested(acm, ['app.site.localhost'])),
    CacheBehaviors: {
      Quantity: 1,
      Items: [{ ...config.DefaultCacheBehavior!, PathPattern: '/open/*', ResponseHeadersPolicyId: SIMPLE_CORS }],
    },
  }))
  const browser = await startBrowser()
  t.after(() => browser.close())
  const tab = await browser.newPage({ ignoreHTTPSErrors: true })
  await tab.goto(`https://app.site.localhost:${new URL(secureUrl).port}/`)
  assert.equal(await tab.evaluate(READ(`${secureUrl}/open/dot.png`)), '255,0,0,255')
  assert.equal(await tab.evaluate(READ(`${secureUrl}/closed/dot.png`)), 'blocked')
  // From the cache, too.
  assert.equal(await tab.evaluate(READ(`${secureUrl}/open/dot.png?again`)), '255,0,0,255')
  const loaded = async (path: string) => await tab.evaluate(LOAD_FONT(`${secureUrl}${path}`))
  assert.deepEqual([await loaded('/open/mono.ttf'), await loaded('/closed/mono.ttf')], ['loaded', 'blocked'])
  assert.equal(await loaded('/open/mono.ttf?again'), 'loaded')
  const fetched = (path: string) =>
    tab.evaluate(`fetch('${secureUrl}${path}').then((r) => r.headers.get('content-type'), () => 'blocked')`)
  assert.deepEqual([await fetched('/open/dot.png'), await fetched('/closed/dot.png')], ['image/png', 'blocked'])
})
