import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delayMs, LIMITED, POLL, VALIDATION } from './delays.ts'
import { newAccountKey, readAccountKey, signedRequest } from './jws.ts'
import { type AuthorizationSeen, nextAct, type OrderSeen, readAuthorization, readOrder } from './order-plan.ts'
import {
  AcmeError,
  consequenceOf,
  consequenceOfValidation,
  oneLine,
  type Problem,
  problemWords,
  retryAfterMs,
} from './problem.ts'

const MINUTE_MS = 60_000
const ietf = (type: string, more: Partial<Problem> = {}): Problem => ({
  type: `urn:ietf:params:acme:error:${type}`,
  ...more,
})
const refused = (status: number, problem: Problem, after: number | null = null) =>
  consequenceOf(new AcmeError('https://ca.example/x', status, problem, after))

test('delays double up to a limit, are never all the same, and never before Retry-After', () => {
  assert.equal(delayMs(VALIDATION, 0, 0.5, null), 15 * MINUTE_MS)
  assert.equal(delayMs(VALIDATION, 2, 0.5, null), 60 * MINUTE_MS)
  assert.equal(delayMs(VALIDATION, 1_000, 0.5, null), 360 * MINUTE_MS)
  for (const chance of [0, 0.25, 0.999]) {
    const ms = delayMs(POLL, 3, chance, null)
    assert.ok(ms >= 1_600 && ms <= 2_400, String(ms))
    const asked = delayMs(LIMITED, 0, chance, 180 * MINUTE_MS)
    assert.ok(asked >= 180 * MINUTE_MS && asked <= 198 * MINUTE_MS, String(asked))
  }
  assert.ok(delayMs(LIMITED, 0, 0, 365 * 24 * 60 * MINUTE_MS) <= 24 * 60 * MINUTE_MS)
})

test('what a refused request means', () => {
  const rows: [status: number, type: string, kind: string, reason?: string][] = [
    [429, 'rateLimited', 'later'],
    [503, '', 'later'],
    [500, 'serverInternal', 'later'],
    [400, 'badNonce', 'later'],
    [404, 'malformed', 'again'],
    [400, 'accountDoesNotExist', 'again'],
    [403, 'rejectedIdentifier', 'final', 'DOMAIN_NOT_ALLOWED'],
    [403, 'caa', 'final', 'CAA_ERROR'],
    [400, 'unsupportedIdentifier', 'final', 'INVALID_PUBLIC_DOMAIN'],
    [400, 'invalidContact', 'final', 'NO_AVAILABLE_CONTACTS'],
    [403, 'userActionRequired', 'final', 'ADDITIONAL_VERIFICATION_REQUIRED'],
  ]
  for (const [status, type, kind, reason] of rows) {
    const found = refused(status, type === '' ? {} : ietf(type))
    assert.deepEqual([found.kind, 'reason' in found ? found.reason : undefined], [kind, reason], type)
  }
  const subproblems = [ietf('dns'), ietf('caa', { identifier: { value: 'a.example' } })]
  assert.deepEqual(refused(403, ietf('compound', { subproblems })), { kind: 'final', reason: 'CAA_ERROR' })
  assert.deepEqual(refused(429, ietf('rateLimited'), 5_000), { kind: 'later', afterMs: 5_000 })
  assert.equal(problemWords(ietf('caa', { detail: 'no\nway' })), ': caa: no way')
  assert.equal(oneLine(`${'x'.repeat(2_000)}`).length, 500)
})

test('what a validation that came to nothing means', () => {
  const rows: [type: string, kind: string, reason?: string][] = [
    ['connection', 'pending'],
    ['dns', 'pending'],
    ['tls', 'pending'],
    ['unauthorized', 'final', 'DOMAIN_VALIDATION_DENIED'],
    ['incorrectResponse', 'final', 'DOMAIN_VALIDATION_DENIED'],
    ['caa', 'final', 'CAA_ERROR'],
    ['rateLimited', 'later'],
  ]
  for (const [type, kind, reason] of rows) {
    const found = consequenceOfValidation(ietf(type))
    assert.deepEqual([found.kind, 'reason' in found ? found.reason : undefined], [kind, reason], type)
  }
})

test('Retry-After is seconds or a date; nonsense is nothing', () => {
  const wall = Date.parse('2026-11-30T12:00:00Z')
  assert.deepEqual(
    ['120', 'Mon, 30 Nov 2026 12:01:00 GMT', 'Mon, 30 Nov 2026 11:00:00 GMT', 'soon', undefined].map((value) =>
      retryAfterMs(value, wall),
    ),
    [120_000, 60_000, 0, null, null],
  )
})

test('the next act of an order', () => {
  const key = readAccountKey(newAccountKey())
  const order = (status: OrderSeen['status'], more: Partial<OrderSeen> = {}): OrderSeen => ({
    ...{ status, authorizations: [], finalize: '/finalize' },
    ...more,
  })
  const challenge = { type: 'http-01', url: '/challenge', token: 'token', status: 'pending' as const }
  const authorization = (
    status: AuthorizationSeen['status'],
    more: Partial<AuthorizationSeen> = {},
  ): AuthorizationSeen => ({
    ...{ status, identifier: { type: 'dns', value: 'A.example' }, challenges: [challenge] },
    ...more,
  })
  const act = (seen: OrderSeen, ...authorizations: AuthorizationSeen[]) => nextAct(seen, authorizations, 'http-01', key)
  const name = 'a.example'
  const doc = { kind: 'http-01', name, token: 'token', content: `token.${key.thumbprint}` }
  const open = { url: '/challenge', isTold: false, doc }
  assert.deepEqual(act(order('pending'), authorization('pending'), authorization('valid')), {
    ...{ kind: 'answer', challenges: [open] },
  })
  const processing = { challenges: [{ ...challenge, status: 'processing' as const }] }
  assert.deepEqual(act(order('pending'), authorization('pending', processing)), {
    ...{ kind: 'answer', challenges: [{ ...open, isTold: true }] },
  })
  assert.deepEqual(act(order('pending'), authorization('valid')), { kind: 'wait' })
  assert.deepEqual(act(order('pending'), authorization('expired')), { kind: 'lost' })
  const wildcard = { wildcard: true, challenges: [{ ...challenge, type: 'dns-01' }] }
  assert.deepEqual(act(order('pending'), authorization('pending', wildcard)), {
    ...{ kind: 'impossible', name: '*.a.example' },
  })
  const problem = ietf('caa')
  const bad = { challenges: [{ ...challenge, status: 'invalid' as const, error: problem }] }
  assert.deepEqual(act(order('invalid'), authorization('invalid', bad)), { kind: 'refused', name, problem })
  assert.deepEqual(act(order('invalid', { error: problem })), { kind: 'refused', name: '', problem })
  assert.deepEqual(act(order('invalid')), { kind: 'lost' })
  assert.deepEqual(act(order('ready')), { kind: 'finalize', url: '/finalize' })
  assert.deepEqual(act(order('processing')), { kind: 'wait' })
  assert.deepEqual(act(order('valid', { certificate: '/c' })), { kind: 'download', url: '/c' })
  const texts = nextAct(order('pending'), [authorization('pending', wildcard)], 'dns-01', key)
  assert.ok(texts.kind === 'answer' && /^[\w-]{43}$/.test(texts.challenges[0]?.doc.content ?? ''))
})

test('what is no order, or proves another name, is not acted on', () => {
  const url = 'https://ca.example/1'
  assert.equal(readOrder({ status: 'pending', authorizations: [url], finalize: url }).status, 'pending')
  for (const json of [
    null,
    {},
    { status: 'pending', finalize: url },
    { status: 'x', authorizations: [1], finalize: url },
  ])
    assert.throws(() => readOrder(json), /an order that is none/)
  const token = { type: 'http-01', url, status: 'pending', token: 'evaGxfADs6pSRb2LAv9IZf17' }
  const good = { status: 'pending', identifier: { type: 'dns', value: 'A.example' }, challenges: [token] }
  assert.equal(readAuthorization(good, ['a.example']), good)
  assert.equal(readAuthorization({ ...good, wildcard: true }, ['*.a.example']).wildcard, true)
  const bad = [null, {}, { ...good, wildcard: true }, { ...good, challenges: [{ ...token, token: '<script>' }] }]
  for (const json of bad) assert.throws(() => readAuthorization(json, ['a.example']), /none of the order/)
  assert.throws(() => readAuthorization(good, ['b.example']), /none of the order/)
})

test('a POST-as-GET has an empty payload, which is signed', () => {
  const jws = signedRequest(
    readAccountKey(newAccountKey()),
    { kid: 'https://ca.example/1' },
    { url: 'u', nonce: 'n' },
    undefined,
  )
  assert.equal(jws.payload, '')
  assert.equal(Buffer.from(jws.signature, 'base64url').length, 64)
})
