import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatHttpDate, parseHttpDate } from './http-date.ts'

const NOW = Date.UTC(2026, 10, 21)
const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37)

test('the three forms of RFC 9110 5.6.7', () => {
  assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT', NOW), EXAMPLE)
  assert.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', NOW), EXAMPLE)
  assert.equal(parseHttpDate('Sun Nov  6 08:49:37 1994', NOW), EXAMPLE)
  assert.equal(formatHttpDate(EXAMPLE), 'Sun, 06 Nov 1994 08:49:37 GMT')
})

test('in any case of letters', () => {
  assert.equal(parseHttpDate('SUN, 06 nov 1994 08:49:37 gMT', NOW), EXAMPLE)
  assert.equal(parseHttpDate('sunday, 06-NOV-94 08:49:37 gmt', NOW), EXAMPLE)
  assert.equal(parseHttpDate('sun nov  6 08:49:37 1994', NOW), EXAMPLE)
})

test('a two-digit year over 50 years ahead lies in the past century', () => {
  assert.equal(parseHttpDate('Tuesday, 01-Jan-77 00:00:00 GMT', NOW), Date.UTC(1977, 0, 1))
  assert.equal(parseHttpDate('Wednesday, 01-Jan-76 00:00:00 GMT', NOW), Date.UTC(2076, 0, 1))
})

test('written and read again', () => {
  for (let ms = 0; ms < 5e12; ms += 86_399_000 * 997) {
    const whole = Math.floor(ms / 1000) * 1000
    assert.equal(parseHttpDate(formatHttpDate(ms), NOW), whole)
    assert.equal(formatHttpDate(ms), new Date(ms).toUTCString())
  }
})

for (const text of [
  '',
  '0',
  '-1',
  'now',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 94 08:49:37 GMT',
  'Sun, 06-Nov-1994 08:49:37 GMT',
  'Sun 06 Nov 1994 08:49:37 GMT',
  'Sun, 06  Nov  1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 08.49.37 GMT',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  '1994-11-06T08:49:37Z',
]) {
  test(`no HTTP-date: ${text}`, () => assert.equal(parseHttpDate(text, NOW), null))
}
