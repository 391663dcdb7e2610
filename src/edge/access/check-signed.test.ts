import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { ecKey, rsaKey, type SigningKey } from '../../../test/support/signing-keys.ts'
import { checkSigned, SIGNED_MESSAGES, signedRefusalXml, stillGood } from './check-signed.ts'
import { compileResource } from './resource-pattern.ts'
import { signedCookies, signedQuery } from './signed-material.ts'
import { signersPlan } from './signer-keys.ts'
import { decodeSigned } from './signing-base64.ts'
import { VerifiedPolicies } from './verified-policies.ts'

/** Seconds; the requests come at NOW. */
const NOW = 1_700_000_000
const SOON = NOW + 60
const URL = { scheme: 'https', host: 'h.example.com', path: '/a/b.jpg', query: null } as const
const REQUEST = { url: URL, viewerAddress: '192.0.2.7', now: NOW * 1_000 }

const plan = signersPlan({
  keyGroups: [
    {
      id: 'group',
      keys: [
        { id: 'KRSA', pem: rsaKey().publicKey },
        { id: 'KEC', pem: ecKey().publicKey },
      ],
    },
    { id: 'broken', keys: [{ id: 'KBROKEN', pem: 'no key' }] },
  ],
  accounts: [{ account: '123456789012', keys: [{ id: 'APKAOLD', pem: rsaKey('old', 1_024).publicKey }] }],
})

const text64 = (bytes: string | Uint8Array): string =>
  Buffer.from(bytes as string)
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('=', '_')
    .replaceAll('/', '~')
const signature = (text: string, key: SigningKey = rsaKey(), hash = 'sha1'): string =>
  text64(sign(hash, Buffer.from(text), key.privateKey))

const CANNED = `{"Statement":[{"Resource":"https://h.example.com/a/b.jpg","Condition":{"DateLessThan":{"AWS:EpochTime":${SOON}}}}]}`
const canned = (changes: Record<string, string | undefined> = {}) =>
  queryOf({ Expires: String(SOON), Signature: signature(CANNED), 'Key-Pair-Id': 'KRSA', ...changes })

function queryOf(fields: Record<string, string | undefined>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

const condition = (changes: object = {}) => ({ DateLessThan: { 'AWS:EpochTime': SOON }, ...changes })
const policy = (changes: object = {}) =>
  JSON.stringify({ Statement: [{ Resource: '*', Condition: condition(), ...changes }] })
const custom = (text: string, changes: Record<string, string | undefined> = {}) =>
  queryOf({ Policy: text64(text), Signature: signature(text), 'Key-Pair-Id': 'KRSA', ...changes })

const check = (query: string | null, changes: object = {}, verified = new VerifiedPolicies()) => {
  const signed = signedQuery(query)
  const request = { ...REQUEST, ...changes }
  const url = { ...request.url, query: signed === null ? query : signed.rest }
  return checkSigned(plan, signed?.material ?? null, { ...request, url }, verified)
}
const code = (query: string | null, changes: object = {}) => check(query, changes).code

describe('what is let in', () => {
  const rows: readonly (readonly [string, string, object?])[] = [
    ['a canned policy', canned()],
    ['with another order of its parameters', canned().split('&').reverse().join('&')],
    ['SHA1 by name', canned({ 'Hash-Algorithm': 'SHA1' })],
    ['SHA256', canned({ Signature: signature(CANNED, rsaKey(), 'sha256'), 'Hash-Algorithm': 'SHA256' })],
    ['ECDSA with SHA1', canned({ Signature: signature(CANNED, ecKey()), 'Key-Pair-Id': 'KEC' })],
    [
      'ECDSA with SHA256',
      canned({ Signature: signature(CANNED, ecKey(), 'sha256'), 'Key-Pair-Id': 'KEC', 'Hash-Algorithm': 'SHA256' }),
    ],
    [
      'RSA of 1024 bits of an account',
      canned({ Signature: signature(CANNED, rsaKey('old', 1_024)), 'Key-Pair-Id': 'APKAOLD' }),
    ],
    ['escaped tildes', canned({ Signature: signature(CANNED).replaceAll('~', '%7E') })],
    ['a custom policy', custom(policy())],
    ['with white space, which is signed too', custom(` ${policy().replaceAll(',', ' ,\n ')}`)],
    [
      'a statement that is in no list',
      custom(JSON.stringify({ Statement: { Resource: '*', Condition: condition() } })),
    ],
    ['no Resource', custom(JSON.stringify({ Statement: [{ Condition: condition() }] }))],
    [
      'since the second before',
      custom(policy({ Condition: condition({ DateGreaterThan: { 'AWS:EpochTime': NOW - 1 } }) })),
    ],
    ['from this address', custom(policy({ Condition: condition({ IpAddress: { 'AWS:SourceIp': '192.0.2.7' } }) }))],
    ['from this network', custom(policy({ Condition: condition({ IpAddress: { 'AWS:SourceIp': '192.0.2.0/24' } }) }))],
    ['from anywhere', custom(policy({ Condition: condition({ IpAddress: { 'AWS:SourceIp': '0.0.0.0/0' } }) }))],
    ['Policy beside Expires', custom(policy(), { Expires: '1' })],
  ]
  for (const [name, query, changes] of rows) test(name, () => assert.deepEqual(code(query, changes), null))
})

describe('what is refused', () => {
  const at = (seconds: number) => ({ now: seconds * 1_000 })
  const withCondition = (changes: object) => custom(policy({ Condition: condition(changes) }))
  const rows: readonly (readonly [string, string, string | null, object?])[] = [
    ['MissingKey', 'nothing', null],
    ['MissingKey', 'a query that signs nothing', 'a=1&Hash-Algorithm=SHA1'],
    ['MissingKey', 'names in other cases', canned().toLowerCase()],
    [
      'MissingKey',
      'names with percent signs',
      canned()
        .replaceAll('Key-Pair-Id', 'Key%2DPair-Id')
        .replaceAll('Signature', '%53ignature')
        .replaceAll('Expires', '%45xpires'),
    ],
    ['MissingKey', 'no Key-Pair-Id', canned({ 'Key-Pair-Id': undefined })],
    ['MissingKey', 'an empty Key-Pair-Id', canned({ 'Key-Pair-Id': '' })],
    ['InvalidKey', 'an unknown key', canned({ 'Key-Pair-Id': 'KOTHER' })],
    ['InvalidKey', 'a key that cannot be read', canned({ 'Key-Pair-Id': 'KBROKEN' })],
    ['InvalidKey', 'two keys', `${canned()}&Key-Pair-Id=KRSA`],
    ['MissingSignature', 'no Signature', canned({ Signature: undefined })],
    ['MalformedSignature', 'two signatures', `${canned()}&Signature=${signature(CANNED)}`],
    ['MalformedSignature', 'plain base64', canned({ Signature: `${signature(CANNED).slice(0, -4)}+/==` })],
    ['MalformedSignature', 'without its padding', canned({ Signature: signature(CANNED).replaceAll('_', '') })],
    ['MalformedSignature', 'bits behind the last byte', canned({ Signature: 'AAB_' })],
    ['MalformedSignature', 'a signature of 8 KB', canned({ Signature: 'AAAA'.repeat(2_000) })],
    ['AccessDenied', 'a short signature', canned({ Signature: 'AAAA' })],
    ['AccessDenied', 'an RSA signature said to be of ECDSA', canned({ 'Key-Pair-Id': 'KEC' })],
    ['AccessDenied', 'another hash', canned({ 'Hash-Algorithm': 'SHA256' })],
    ['AccessDenied', 'a hash that is none', canned({ 'Hash-Algorithm': 'MD5' })],
    ['AccessDenied', 'a hash twice', `${canned()}&Hash-Algorithm=SHA1&Hash-Algorithm=SHA1`],
    ['MissingPolicy', 'neither Policy nor Expires', canned({ Expires: undefined })],
    ['MalformedPolicy', 'Expires twice', `${canned()}&Expires=${SOON}`],
    ['MalformedPolicy', 'Policy twice', `${custom(policy())}&Policy=${text64(policy())}`],
    ['MalformedPolicy', 'a time that is none', canned({ Expires: 'tomorrow' })],
    ['MalformedPolicy', 'a time with a zero before it', canned({ Expires: `0${SOON}` })],
    ['MalformedPolicy', 'a negative time', canned({ Expires: '-1' })],
    ['AccessDenied', 'a later time', canned({ Expires: String(SOON + 1) })],
    ['AccessDenied', 'the very second', canned(), at(SOON)],
    ['AccessDenied', 'another path', canned(), { url: { ...URL, path: '/a/c.jpg' } }],
    ['AccessDenied', 'another host', canned(), { url: { ...URL, host: 'i.example.com' } }],
    ['AccessDenied', 'with a port', canned(), { url: { ...URL, host: 'h.example.com:443' } }],
    ['AccessDenied', 'over HTTP', canned(), { url: { ...URL, scheme: 'http' } }],
    ['AccessDenied', 'one more parameter', `${canned()}&a=1`],
    ['AccessDenied', 'an empty query', `&${canned()}`],
    ['AccessDenied', 'not yet', withCondition({ DateGreaterThan: { 'AWS:EpochTime': NOW } })],
    ['AccessDenied', 'another address', withCondition({ IpAddress: { 'AWS:SourceIp': '192.0.2.8' } })],
    ['AccessDenied', 'another network', withCondition({ IpAddress: { 'AWS:SourceIp': '198.51.100.0/24' } })],
    [
      'AccessDenied',
      'IPv6',
      withCondition({ IpAddress: { 'AWS:SourceIp': '0.0.0.0/0' } }),
      { viewerAddress: '2001:db8::1' },
    ],
    ['AccessDenied', 'another resource', custom(policy({ Resource: 'https://h.example.com/b/*' }))],
    ['AccessDenied', 'another policy', custom(policy(), { Policy: text64(policy({ Resource: 'https://*' })) })],
    ['MalformedPolicy', 'a text', custom('no JSON')],
    ['MalformedPolicy', 'another alphabet', custom(policy(), { Policy: '!' })],
    ['MalformedPolicy', 'null', custom('null')],
    ['MalformedPolicy', 'a list', custom(`[${policy()}]`)],
    [
      'MalformedPolicy',
      'two statements',
      custom(JSON.stringify({ Statement: [{ Condition: condition() }, { Condition: condition() }] })),
    ],
    ['MalformedPolicy', 'no statement', custom('{"Statement":[]}')],
    ['MalformedPolicy', 'no condition', custom('{"Statement":[{"Resource":"*"}]}')],
    ['MalformedPolicy', 'no DateLessThan', custom('{"Statement":[{"Resource":"*","Condition":{}}]}')],
    ['MalformedPolicy', 'a time as a text', withCondition({ DateLessThan: { 'AWS:EpochTime': String(SOON) } })],
    ['MalformedPolicy', 'half a second', withCondition({ DateLessThan: { 'AWS:EpochTime': SOON + 0.5 } })],
    ['MalformedPolicy', 'a condition that nobody checks', withCondition({ StringEquals: { 'AWS:UserAgent': 'x' } })],
    ['MalformedPolicy', 'a member that nobody reads', custom(policy({ Effect: 'Deny' }))],
    ['MalformedPolicy', 'an IPv6 network', withCondition({ IpAddress: { 'AWS:SourceIp': '2001:db8::/32' } })],
    [
      'MalformedPolicy',
      'two networks',
      withCondition({ IpAddress: { 'AWS:SourceIp': ['192.0.2.0/24', '198.51.100.0/24'] } }),
    ],
    ['MalformedPolicy', '33 bits', withCondition({ IpAddress: { 'AWS:SourceIp': '192.0.2.7/33' } })],
    ['MalformedPolicy', 'an octet of 256', withCondition({ IpAddress: { 'AWS:SourceIp': '192.0.2.256' } })],
    ['MalformedPolicy', 'an octal octet', withCondition({ IpAddress: { 'AWS:SourceIp': '192.0.02.7' } })],
    ['MalformedPolicy', 'a resource that is no text', custom(policy({ Resource: ['*'] }))],
    ['MalformedPolicy', 'an empty resource', custom(policy({ Resource: '' }))],
    ['MalformedPolicy', 'bytes that are no UTF-8', custom(policy(), { Policy: text64(Buffer.from([123, 255, 125])) })],
    ['MalformedPolicy', 'ten KB', custom(policy({ Resource: 'x'.repeat(10_000) }))],
    ['MalformedPolicy', 'deep', custom('['.repeat(5_000))],
  ]
  for (const [expected, name, query, changes] of rows) {
    test(`${expected}: ${name}`, () => assert.equal(code(query, changes), expected))
  }
})

test('cookies: names are case sensitive, two that say the same are one, two that differ are refused', () => {
  const text = policy()
  const cookies = (changes: string) =>
    `a=b; CloudFront-Policy=${text64(text)}; CloudFront-Signature=${signature(text)}; CloudFront-Key-Pair-Id=KRSA${changes}`
  const of = (...headers: string[]) => checkSigned(plan, signedCookies(headers), REQUEST, new VerifiedPolicies()).code
  assert.equal(of(cookies('')), null)
  assert.equal(of(...cookies('').split('; ')), null, 'HTTP/2 sends one field for each')
  assert.equal(of(cookies('; CloudFront-Key-Pair-Id=KRSA')), null)
  assert.equal(of(cookies('; CloudFront-Expires=1')), null, 'an older canned policy')
  assert.equal(of(cookies('; CloudFront-Key-Pair-Id=KOTHER')), 'InvalidKey')
  assert.equal(of(cookies('; CloudFront-Hash-Algorithm=SHA256')), 'AccessDenied')
  assert.equal(of(cookies('').toLowerCase()), 'MissingKey')
  assert.equal(of('a=b'), 'MissingKey')
  assert.equal(
    of(`CloudFront-Policy=${'A'.repeat(30_000)}; CloudFront-Signature=x; CloudFront-Key-Pair-Id=KRSA`),
    'MalformedSignature',
  )
})

describe('policies that were verified', () => {
  test('are known again by the exact bytes and the set of keys, and are looked at anew', () => {
    const verified = new VerifiedPolicies()
    const query = custom(policy({ Resource: 'https://h.example.com/a/*' }))
    const first = check(query, {}, verified)
    assert.deepEqual([first.code, first.code === null && first.remembered], [null, false])
    const second = check(query, {}, verified)
    assert.ok(second.code === null && second.remembered)
    assert.equal(check(query, { url: { ...URL, path: '/b' } }, verified).code, 'AccessDenied')
    assert.equal(stillGood(second.policy, { ...REQUEST, url: { ...URL, path: '/b' } })?.code, 'AccessDenied')
    assert.equal(check(query, { now: SOON * 1_000 }, verified).code, 'AccessDenied')
    assert.equal(verified.size, 0, 'one that is over is forgotten')
    check(query, {}, verified)
    const other = signersPlan({
      keyGroups: [{ id: 'group', keys: [{ id: 'KRSA', pem: rsaKey('other').publicKey }] }],
      accounts: [],
    })
    const material = signedQuery(query)?.material ?? null
    assert.equal(checkSigned(other, material, REQUEST, verified).code, 'AccessDenied', 'the same id of another key')
  })

  test('the text of a canned policy, given as a custom one, is not the one that was verified', () => {
    const verified = new VerifiedPolicies()
    const query = canned()
    assert.equal(check(query, {}, verified).code, null)
    const other = { url: { ...URL, path: '/other' } }
    const said = query.replace(/Expires=[0-9]+/, `Policy=${encodeURIComponent(CANNED)}`)
    assert.equal(check(said, other, verified).code, 'MalformedPolicy')
    const cookies = `CloudFront-Policy=${CANNED}; CloudFront-Signature=${signature(CANNED)}; CloudFront-Key-Pair-Id=KRSA`
    const material = signedCookies([cookies])
    assert.equal(checkSigned(plan, material, { ...REQUEST, ...other }, verified).code, 'MalformedPolicy')
    // Nor is one whose parts are put together otherwise.
    const parted = query.replace(/Signature=([^&]*)/, (_, text: string) => `Signature=${text}%20canned`)
    assert.equal(check(parted, {}, verified).code, 'MalformedSignature')
  })

  test('are bounded by number and by bytes, and those in use stay', () => {
    const one = { resource: compileResource('*'), lessThan: 1, greaterThan: null, source: null }
    const few = new VerifiedPolicies(10)
    for (let at = 0; at < 100; at++) {
      few.set(`${at}`, one)
      assert.ok(few.get('0') !== undefined, 'it is asked for all the time')
      assert.ok(few.size <= 11)
    }
    assert.equal(few.get('50'), undefined)
    const small = new VerifiedPolicies(1_000, 20_000)
    for (let at = 0; at < 100; at++) small.set(`${at} ${'x'.repeat(1_000)}`, one)
    assert.ok(small.size < 20)
  })
})

test('the alphabet of signatures', () => {
  assert.deepEqual(decodeSigned('-~8_'), Buffer.from([251, 255]))
  for (const text of [
    '',
    'A',
    'AA',
    'AAA',
    'AA==',
    'AA_A',
    '____',
    'A___',
    'AA_',
    'A A_',
    'AAA_AAAA',
    '+AAA',
    'AB__',
    'AAAé',
  ]) {
    assert.equal(decodeSigned(text), null, text)
  }
})

test('the XML of each refusal', () => {
  assert.equal(
    signedRefusalXml('MissingKey'),
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>MissingKey</Code><Message>Missing Key-Pair-Id query parameter or cookie value</Message></Error>',
  )
  for (const code of Object.keys(SIGNED_MESSAGES))
    assert.match(signedRefusalXml(code as 'InvalidKey'), /^<\?xml [^&]*<\/Error>$/)
})
