import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { requestToken, tokenHolds } from './request-token.ts'

const KEY = randomBytes(32)
const LINE = { method: 'GET', host: 'd1.cloudfront.localhost:8080', target: '/a?b=c' }
const UNTIL = 1_800_000_000_000

test('a token is good for its request until its time is over', () => {
  const token = requestToken(KEY, LINE, UNTIL)
  assert.ok(tokenHolds(KEY, token, LINE, UNTIL - 1))
  assert.ok(!tokenHolds(KEY, token, LINE, UNTIL))
  assert.ok(!tokenHolds(randomBytes(32), token, LINE, 0))
  for (const other of [
    { method: 'HEAD' },
    { host: 'd2.cloudfront.localhost:8080' },
    { target: '/a?b=d' },
    { target: '/a' },
  ]) {
    assert.ok(!tokenHolds(KEY, token, { ...LINE, ...other }, 0))
  }
})

test('nothing else is a token: one flipped bit, a later end, any text', () => {
  const token = requestToken(KEY, LINE, UNTIL)
  const bytes = Buffer.from(token)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.ok(!tokenHolds(KEY, flipped.toString('latin1'), LINE, 0), `bit ${bit}`)
  }
  fc.assert(fc.property(fc.string(), (text) => !tokenHolds(KEY, text, LINE, 0)))
})
