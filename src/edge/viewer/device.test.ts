import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unframedHeaders } from '../listen/header-block.ts'
import { deviceOf } from './device.ts'

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)'

const ROWS: readonly (readonly [what: string, userAgent: string, kinds: string])[] = [
  ['no User-Agent', '', 'desktop'],
  ['curl', 'curl/8.5.0', 'desktop'],
  ['a program', 'Custom User Agent String', 'desktop'],
  ['a crawler', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'desktop'],
  ['Chrome on Windows', `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/130.0.0.0 Safari/537.36`, 'desktop'],
  ['Safari on macOS', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15', 'desktop'],
  ['Firefox on Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0', 'desktop'],
  ['Xbox', `Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) ${WEBKIT} Chrome/120 Safari/537.36 Edg/120`, 'desktop'],
  ['iPhone', 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1', 'ios mobile'],
  ['iPad', 'Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Mobile/15E148 Safari/604.1', 'ios mobile tablet'],
  ['Pixel', `Mozilla/5.0 (Linux; Android 14; Pixel 8) ${WEBKIT} Chrome/124.0.0.0 Mobile Safari/537.36`, 'android mobile'],
  ['Galaxy Tab', `Mozilla/5.0 (Linux; Android 13; SM-X710) ${WEBKIT} Chrome/124.0.0.0 Safari/537.36`, 'android tablet'],
  ['Kindle Fire', `Mozilla/5.0 (Linux; Android 9; KFTRWI) ${WEBKIT} Silk/118.2.5 like Chrome/118.0.5993.155 Safari/537.36`, 'android tablet'],
  ['Samsung television', `Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) ${WEBKIT} SamsungBrowser/3.0 Chrome/76.0.3809.146 TV Safari/537.36`, 'smartTv'],
  ['LG television', `Mozilla/5.0 (Web0S; Linux/SmartTV) ${WEBKIT} Chrome/79.0.3945.79 Safari/537.36 WebAppManager`, 'smartTv'],
  ['Android television', `Mozilla/5.0 (Linux; Android 11; BRAVIA 4K VH2 Build/RTM8.230701.001) ${WEBKIT} Chrome/119.0 Safari/537.36`, 'android smartTv'],
  ['HbbTV', 'Mozilla/5.0 (Linux; GNU/Linux) AppleWebKit/601.1 (KHTML, like Gecko) Version/8.0 Safari/601.1 WPE Opera/33 HbbTV/1.5.1 (; LG; 43UK6)', 'smartTv'],
  ['Roku', 'Roku/DVP-9.10 (519.10E04111A)', 'smartTv'],
  ['Apple TV', 'AppleTV11,1/11.1', 'smartTv'],
] // biome-ignore format: a table

for (const [what, userAgent, kinds] of ROWS) {
  test(what, () => {
    const headers = unframedHeaders(userAgent === '' ? [] : ['User-Agent', userAgent], 'h')
    const device = deviceOf(headers)
    const on = Object.entries(device).flatMap(([kind, is]) => (is ? [kind] : []))
    assert.equal(on.sort().join(' '), kinds)
    assert.equal(deviceOf(headers), device)
  })
}

test('of a User-Agent the first characters count', () => {
  const long = `Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 ${'x'.repeat(4_000_000)}`
  assert.equal(deviceOf(unframedHeaders(['User-Agent', long], 'h')).ios, true)
  // What comes behind the first characters is not looked at.
  const late = `${'x'.repeat(1_000)} (iPad; CPU OS 16_5 like Mac OS X)`
  assert.equal(deviceOf(unframedHeaders(['User-Agent', late], 'h')).ios, false)
})
