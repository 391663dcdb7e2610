import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { unframedHeaders } from '../../listen/header-block.ts'
import { KEY_BYTES } from './sealed.ts'
import { type Asked, cookieDomain, judge, readToken, tokenFor, writeToken } from './token.ts'
import { TokenReader } from './tokens-of.ts'

const NOW = 1_800_000_000_000
const SECONDS = NOW / 1000
const keys = { current: randomBytes(KEY_BYTES), previous: randomBytes(KEY_BYTES) }
const asked: Asked = { kind: 'CHALLENGE', host: 'a.example.com', tokenDomains: [], immunitySeconds: 300, now: NOW }
const solved = tokenFor(asked, SECONDS, null)

describe('tokens', () => {
  const rows: readonly [string, Parameters<typeof judge>[0], Partial<Asked>, string][] = [
    ['just solved', solved, {}, 'accepted'],
    ['until the immunity time is over', solved, { now: NOW + 299_999 }, 'accepted'],
    ['not longer', solved, { now: NOW + 300_000 }, 'TOKEN_EXPIRED'],
    ['longer where the rule says so', solved, { now: NOW + 300_000, immunitySeconds: 600 }, 'accepted'],
    ['none', undefined, {}, 'TOKEN_MISSING'],
    ['none of ours', null, {}, 'TOKEN_INVALID'],
    ['of another host', solved, { host: 'b.example.com' }, 'TOKEN_DOMAIN_MISMATCH'],
    ['of a host below a token domain', solved, { host: 'b.example.com', tokenDomains: ['example.com'] }, 'accepted'],
    ['of a name that only ends so', solved, { host: 'x.org', tokenDomains: ['le.com'] }, 'TOKEN_DOMAIN_MISMATCH'],
    ['capitals in a token domain', solved, { host: 'b.example.com', tokenDomains: ['Example.com'] }, 'accepted'],
    ['without the puzzle', solved, { kind: 'CAPTCHA' }, 'TOKEN_MISSING'],
    ['of the future', { ...solved, challengeAt: SECONDS + 60 }, {}, 'TOKEN_INVALID'],
  ]
  for (const [name, token, changes, expected] of rows)
    it(`${name}: ${expected}`, () => {
      const judgement = judge(token, { ...asked, ...changes })
      assert.equal(judgement.accepted ? 'accepted' : judgement.reason, expected)
    })

  it('keep what was solved before for the same host, and nothing of another', () => {
    const captcha = { ...asked, kind: 'CAPTCHA' } as const
    const both = tokenFor(captcha, SECONDS + 5, solved)
    assert.deepEqual(both, { ...solved, captchaAt: SECONDS + 5 })
    const other = tokenFor({ ...captcha, host: 'b.example.com' }, SECONDS + 5, solved)
    assert.equal(other.challengeAt, 0)
    assert.notEqual(other.id, solved.id)
    const below = tokenFor({ ...captcha, host: 'b.example.com', tokenDomains: ['example.com'] }, SECONDS + 5, solved)
    assert.deepEqual(below, { ...both, domain: 'b.example.com' })
  })

  it('are read with the keys of this period and of the one before', () => {
    const text = writeToken(solved, keys)
    assert.deepEqual(readToken(text, keys), solved)
    assert.deepEqual(readToken(text, { current: randomBytes(KEY_BYTES), previous: keys.current }), solved)
    assert.equal(readToken(text, { current: randomBytes(KEY_BYTES), previous: null }), null)
  })

  it('with a character changed, cut, or added, or another text are none', () => {
    const text = writeToken(solved, keys)
    const change = fc.record({ at: fc.nat(text.length), cut: fc.nat(3), put: fc.string({ maxLength: 3 }) })
    fc.assert(
      fc.property(change, ({ at, cut, put }) => {
        const other = text.slice(0, at) + put + text.slice(at + cut)
        fc.pre(other !== text)
        assert.equal(readToken(other, keys), null)
      }),
      { numRuns: 2_000 },
    )
    for (const other of ['', '.', 'x', 'a.b', `${text}.${text}`, 'A'.repeat(100_000), `${text}=`])
      assert.equal(readToken(other, keys), null)
    fc.assert(fc.property(fc.string(), (other) => assert.equal(readToken(other, keys), null)))
  })

  it('lie in the cookie of the widest token domain of the host', () => {
    assert.equal(cookieDomain('a.b.example.com', ['b.example.com', 'example.com', 'example.org']), 'example.com')
    assert.equal(cookieDomain('a.example.com', []), null)
    assert.equal(cookieDomain('badexample.com', ['example.com']), null)
  })

  it('are found among the cookies of a request, verified once, and again with other keys', () => {
    let now = keys
    const reader = new TokenReader(() => now)
    const text = writeToken(solved, keys)
    const headers = unframedHeaders(
      ['Cookie', `a=b; aws-waf-token=${text}; xaws-waf-token=1`, 'cookie', 'aws-waf-token=bad; aws-waf-token'],
      '',
    )
    const tokens = reader.tokensOf(headers)
    assert.deepEqual(tokens, [solved, null])
    assert.equal(reader.tokensOf(headers), tokens)
    now = { current: randomBytes(KEY_BYTES), previous: randomBytes(KEY_BYTES) }
    assert.deepEqual(reader.tokensOf(headers), [null, null])
    const many = unframedHeaders(['Cookie', Array(100).fill('aws-waf-token=x').join(';')], '')
    assert.equal(reader.tokensOf(many).length, 4)
  })
})
