import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyCharacter } from '../../test/support/any-character.ts'
import { formatHttpDate, parseHttpDate } from './http-date.ts'

const NOW = Date.UTC(2026, 10, 21)
const second = fc.integer({ min: Date.UTC(1, 0, 1) / 1000, max: Date.UTC(9999, 11, 31, 23, 59, 59) / 1000 })

test('what is written is read as the same second, in any case of letters', () => {
  fc.assert(
    fc.property(second, (seconds) => {
      const text = formatHttpDate(seconds * 1000)
      assert.equal(parseHttpDate(text, NOW), seconds * 1000)
      assert.equal(parseHttpDate(text.toUpperCase(), NOW), seconds * 1000)
      assert.equal(parseHttpDate(text.toLowerCase(), NOW), seconds * 1000)
    }),
  )
})

const two = fc.integer({ min: 0, max: 99 }).map((n) => `${n}`.padStart(2, '0'))
const near = fc
  .tuple(fc.constantFrom('Sun', 'Mon', 'Sunday', 'x'), two, fc.constantFrom('Jan', 'Feb', 'Foo'), fc.constantFrom('1994', '94', '12345'), two, two, two, fc.constantFrom(' GMT', ' UTC', '', ' +0000'))
  .chain(([day, date, month, year, h, m, s, zone]) =>
    fc.constantFrom(`${day}, ${date} ${month} ${year} ${h}:${m}:${s}${zone}`, `${day}, ${date}-${month}-${year} ${h}:${m}:${s}${zone}`, `${day} ${month} ${date} ${h}:${m}:${s} ${year}${zone}`),
  ) // biome-ignore format: the three forms

test('any text is a whole number of milliseconds or none; reading what was read and written again changes nothing', () => {
  fc.assert(
    fc.property(
      fc.oneof(near, fc.string(), fc.string({ unit: anyCharacter })),
      fc.integer({ min: 0, max: NOW * 2 }),
      (text, now) => {
        const ms = parseHttpDate(text, now)
        if (ms === null) return
        assert.ok(Number.isInteger(ms) && ms % 1000 === 0)
        assert.equal(parseHttpDate(formatHttpDate(ms), now), ms)
      },
    ),
    { numRuns: 300 },
  )
})
