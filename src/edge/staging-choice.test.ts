import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unframedHeaders } from './listen/header-block.ts'
import { readSession, SESSION_COOKIE, writeSession } from './session-cookie.ts'
import { sessionCookies, withoutSession } from './session-header.ts'
import type { StagingPlan } from './snapshot/snapshot.ts'
import { chooseStaging } from './staging-choice.ts'

const SECRET = Buffer.alloc(32, 7)
const NOW = Date.UTC(2026, 10, 30)
const SECONDS = NOW / 1000

const header: StagingPlan = {
  ...{ policyId: 'p', stagingId: 'E2', sessionSecret: null },
  traffic: { kind: 'header', header: 'aws-cf-cd-test', value: 'Yes' },
}
const weighted = (share: number): StagingPlan => ({
  ...{ policyId: 'p', stagingId: 'E2', sessionSecret: null },
  traffic: { kind: 'weight', share, sticky: null },
})
const sticky: StagingPlan = {
  ...{ policyId: 'p', stagingId: 'E2', sessionSecret: SECRET },
  traffic: { kind: 'weight', share: 0.15, sticky: { idleSeconds: 300, maximumSeconds: 600, secret: '' } },
}
const block = (...raw: string[]) => unframedHeaders(raw, 'd1.test')
const never = (): number => assert.fail('no dice are needed')

test('a header decides by its exact value, its name in any case, one of several will do', () => {
  const rows: [raw: string[], toStaging: boolean][] = [
    [['aws-cf-cd-test', 'Yes'], true],
    [['AWS-CF-CD-TEST', 'Yes'], true],
    [['aws-cf-cd-test', 'yes'], false],
    [['aws-cf-cd-test', 'Yes, Yes'], false],
    [['aws-cf-cd-test', 'no', 'aws-cf-cd-test', 'Yes'], true],
    [['aws-cf-cd-other', 'Yes'], false],
    [[], false],
  ]
  for (const [raw, toStaging] of rows) {
    const choice = chooseStaging(header, { headers: block(...raw), sessions: [], nowMs: NOW, roll: never })
    assert.equal(choice.toStaging, toStaging, raw.join())
    assert.equal(choice.field, 'TrafficConfig.SingleHeaderConfig')
    assert.equal(choice.session, null)
  }
})

test('a weight takes what is rolled below it', () => {
  const rows: [share: number, roll: number, toStaging: boolean][] = [
    [0.15, 0, true],
    [0.15, 0.1499, true],
    [0.15, 0.15, false],
    [0.15, 0.9999, false],
    [0, 0, false],
  ]
  for (const [share, roll, toStaging] of rows) {
    const choice = chooseStaging(weighted(share), { headers: block(), sessions: [], nowMs: NOW, roll: () => roll })
    assert.equal(choice.toStaging, toStaging, `${roll} of ${share}`)
  }
})

test('a session stays where it began until it is idle or over', () => {
  const session = (begunAgo: number, usedAgo: number, toStaging = true, secret = SECRET) =>
    writeSession({ toStaging, begunAt: SECONDS - begunAgo, usedAt: SECONDS - usedAgo }, secret)
  const rows: [about: string, cookies: string[], toStaging: boolean | 'rolled', maxAge: number][] = [
    ['none', [], 'rolled', 300],
    ['new', [session(0, 0)], true, 300],
    ['a new one of the primary', [session(0, 0, false)], false, 300],
    ['one second before it is idle', [session(299, 299)], true, 300],
    ['idle', [session(300, 300)], 'rolled', 300],
    ['one second before its end', [session(599, 1)], true, 1],
    ['over', [session(600, 1)], 'rolled', 300],
    ['signed by another policy', [session(0, 0, true, Buffer.alloc(32, 8))], 'rolled', 300],
    ['with its side changed', [session(0, 0, false).replace(/^p/, 's')], 'rolled', 300],
    ['cut off', [session(0, 0).slice(0, -1)], 'rolled', 300],
    ['of a time to come', [session(-120, -120)], 'rolled', 300],
    ['of a clock a little ahead', [session(-5, -5)], true, 300],
    ['behind one that is none', ['x', session(0, 0)], true, 300],
  ]
  for (const [about, sessions, expected, maxAge] of rows) {
    let rolled = 0
    const roll = () => {
      rolled++
      return 0.5
    }
    const choice = chooseStaging(sticky, { headers: block(), sessions, nowMs: NOW, roll })
    assert.equal(choice.toStaging, expected === 'rolled' ? false : expected, about)
    assert.equal(rolled, expected === 'rolled' ? 1 : 0, about)
    assert.equal(choice.session?.maxAge, maxAge, about)
    const next = readSession(choice.session?.value ?? '', SECRET)
    assert.equal(next?.toStaging, choice.toStaging, about)
    assert.ok((next?.usedAt ?? 0) >= SECONDS, `${about}: used now`)
  }
})

test('the share of many sessions is the weight', () => {
  // Every thousandth of the dice once: no chance in it.
  const taken = Array.from({ length: 1_000 }, (_, at) =>
    chooseStaging(sticky, { headers: block(), sessions: [], nowMs: NOW, roll: () => at / 1_000 }),
  ).filter(({ toStaging }) => toStaging)
  assert.equal(taken.length, 150)
})

test('the cookie is found among others and taken out, and nothing else is', () => {
  const raw = [
    'Host',
    'd1.test:8080',
    'Cookie',
    `a=1; ${SESSION_COOKIE}=one; b=2`,
    'X-A',
    '1',
    'cookie',
    `${SESSION_COOKIE}=two`,
  ]
  const headers = block(...raw)
  assert.deepEqual(sessionCookies(headers), ['one', 'two'])
  const without = withoutSession(headers)
  assert.deepEqual(without.raw, ['Host', 'd1.test:8080', 'Cookie', 'a=1; b=2', 'X-A', '1'])
  assert.equal(without.host, 'd1.test')
  assert.equal(withoutSession(headers), without)
  assert.deepEqual(sessionCookies(block('Cookie', `not-${SESSION_COOKIE}=x`)), [])
})
