//! Media with byte ranges: a real <video> element seeks, and gets the bytes from there on and not all before them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserIsMissing, startBrowser } from '../../support/browser.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { startSite } from '../../support/site.ts'

const RATE = 22_050
const SECONDS = 300

/** A WAV file: 16 bit, one channel, a tone that rises. About 13 MB. */
function wave(): Buffer {
  const samples = RATE * SECONDS
  const file = Buffer.alloc(44 + samples * 2)
  file.write('RIFF', 0).toString()
  file.writeUInt32LE(file.length - 8, 4)
  file.write('WAVEfmt ', 8)
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(RATE, 24)
  file.writeUInt32LE(RATE * 2, 28)
  file.writeUInt16LE(2, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36)
  file.writeUInt32LE(samples * 2, 40)
  for (let n = 0; n < samples; n++) file.writeInt16LE(((n * (n >> 16)) % 2_000) - 1_000, 44 + n * 2)
  return file
}

test('a video element seeks by ranges that the edge answers', {
  skip: browserIsMissing,
  timeout: 120_000,
}, async (t) => {
  const file = wave()
  const origin = await startOrigin((asked, response) => {
    if (asked.url === '/') {
      response.setHeader('content-type', 'text/html').end('<!doctype html><video src="/tone.wav" muted></video>')
      return
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(asked.headers.range ?? '')
    response.setHeader('content-type', 'audio/wav').setHeader('accept-ranges', 'bytes').setHeader('etag', '"tone"')
    if (range === null) {
      response.setHeader('content-length', file.length).end(file)
      return
    }
    const first = Number(range[1])
    const last = Math.min(file.length - 1, range[2] === '' ? file.length : Number(range[2]))
    response.writeHead(206, {
      'content-range': `bytes ${first}-${last}/${file.length}`,
      'content-length': last - first + 1,
    })
    response.end(file.subarray(first, last + 1))
  })
  t.after(() => origin.close())
  const { secureUrl } = await startSite(t, origin.port, (config) => config)
  const browser = await startBrowser()
  t.after(() => browser.close())
  const tab = await browser.newPage({ ignoreHTTPSErrors: true })
  const answers: { status: number; range: string; type: string }[] = []
  tab.on('response', (response) => {
    if (!response.url().endsWith('/tone.wav')) return
    const headers = response.headers()
    answers.push({
      status: response.status(),
      range: headers['content-range'] ?? '',
      type: headers['content-type'] ?? '',
    })
  })
  await tab.goto(secureUrl)
  const duration = await tab.evaluate(`new Promise((resolve, reject) => {
    const video = document.querySelector('video')
    const tell = () => resolve(video.duration)
    video.onerror = () => reject(new Error(video.error.message))
    if (video.readyState >= 1) tell(); else video.onloadedmetadata = tell
  })`)
  assert.equal(duration, SECONDS)
  const landed = await tab.evaluate(`new Promise((resolve, reject) => {
    const video = document.querySelector('video')
    video.onerror = () => reject(new Error(video.error.message))
    video.onseeked = () => resolve([video.currentTime, video.readyState >= 2])
    video.currentTime = 290
  })`)
  assert.deepEqual(landed, [290, true])
  assert.ok(answers.length > 0 && answers.every(({ status, type }) => status === 206 && type === 'audio/wav'))
  const firsts = answers.map(({ range }) => Number(/^bytes (\d+)-/.exec(range)?.[1]))
  assert.ok(
    firsts.some((first) => first > file.length * 0.9),
    firsts.join(),
  )
})
