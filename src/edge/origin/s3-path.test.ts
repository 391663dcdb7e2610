import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyCharacter } from '../../../test/support/any-character.ts'
import { climbs, encodedKey, encodedQuery } from './s3-path.ts'

const KEYS = [
  ['/a/b-c_d.e~f', '/a/b-c_d.e~f'],
  ['/a b', '/a%20b'],
  ['/a%20b', '/a%20b'],
  ['/a+b', '/a%2Bb'],
  ['/a%2bb', '/a%2Bb'],
  ['/%7Euser', '/~user'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  [Buffer.from('/café').toString('latin1'), '/caf%C3%A9'],
  ['/100%', '/100%25'],
  ['/%zz', '/%25zz'],
  ['/a%2Fb', '/a/b'],
  ['/a//b/', '/a//b/'],
  ["/!'()*", '/%21%27%28%29%2A'],
  ['/a&b=c:d@e', '/a%26b%3Dc%3Ad%40e'],
] as const
for (const [sent, wanted] of KEYS) test(`the key ${sent}`, () => assert.equal(encodedKey(sent), wanted))

const QUERIES = [
  ['list-type=2&prefix=a%2Fb', 'list-type=2&prefix=a%2Fb'],
  ['prefix=a/b c', 'prefix=a%2Fb%20c'],
  ['q=a+b', 'q=a%20b'],
  ['q=a%2Bb', 'q=a%2Bb'],
  ['uploads', 'uploads'],
  ['a=b=c', 'a=b%3Dc'],
  ['a=&=b&&', 'a=&=b&&'],
] as const
for (const [sent, wanted] of QUERIES) test(`the query ${sent}`, () => assert.equal(encodedQuery(sent), wanted))

test('an encoding is one: what is encoded already stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (text) => {
      const path = encodedKey(`/${Buffer.from(text).toString('latin1')}`)
      assert.equal(encodedKey(path), path)
      const query = encodedQuery(Buffer.from(text).toString('latin1'))
      assert.equal(encodedQuery(query), query)
    }),
  )
})

const CLIMBING = ['/..', '/../x', '/a/../../x', '/a//../../x', '//../x', '/./../x', '/a/..%5C..%5Cx', '/..%5Cx']
const STAYING = ['/', '/a/../b', '/a/b/../../c', '/..a', '/a..b/..c', '/...', '/a/..b/c']
for (const path of CLIMBING) test(`${path} leads out`, () => assert.equal(climbs(path), true))
for (const path of STAYING) test(`${path} stays`, () => assert.equal(climbs(path), false))
