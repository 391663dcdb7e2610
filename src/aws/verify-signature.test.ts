import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { SignatureV4 } from '@smithy/signature-v4'
import { SignatureV4a } from '@smithy/signature-v4a'
import fc from 'fast-check'
import { type Authorization, readAuthorization } from './authorization.ts'
import type { WireRequest } from './protocol.ts'
import { Sha256 } from './sigv4.ts'
import { verifySignature } from './verify-signature.ts'

/** AWS's own worked example (GET ListUsers of IAM), with the keys that all of AWS's examples use. */
const KEY_PAIR = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const SIGNATURE = '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7'
const HEADERS = {
  host: 'iam.amazonaws.com',
  'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
  'x-amz-date': '20150830T123600Z',
  authorization:
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, ' +
    `SignedHeaders=content-type;host;x-amz-date, Signature=${SIGNATURE}`,
}
const NOW = Date.parse('2015-08-30T12:36:00Z')

function request(headers: Record<string, string> = {}, rawQuery = 'Action=ListUsers&Version=2010-05-08'): WireRequest {
  const all = new Map(Object.entries({ ...HEADERS, ...headers }))
  return { method: 'GET', rawPath: '/', rawQuery, headers: all, body: new Uint8Array() }
}

function authorizationOf({ headers, rawQuery }: WireRequest): Authorization {
  const reading = readAuthorization(headers, rawQuery)
  assert.equal(reading.found, 'authorization')
  return (reading as { authorization: Authorization }).authorization
}

const REGIONS = ['eu-central-1', 'us-east-1']
const verdict = (sent: WireRequest, now = NOW, secrets = [KEY_PAIR.secretAccessKey]) =>
  verifySignature(sent, authorizationOf(sent), secrets, REGIONS, now).verdict

test("AWS's worked example verifies, whatever the order of its query", async () => {
  assert.equal(verdict(request()), 'valid')
  assert.equal(verdict(request({}, 'Version=2010-05-08&Action=ListUsers')), 'valid')
})

test('spaces around a signed header do not count, its content does', async () => {
  const type = '  application/x-www-form-urlencoded;   charset=utf-8 '
  assert.equal(verdict(request({ 'content-type': type })), 'valid')
  assert.equal(verdict(request({ 'content-type': 'text/plain' })), 'mismatch')
})

test('each verdict has its word', async () => {
  assert.equal(verdict(request({}, 'Action=DeleteUser&Version=2010-05-08')), 'mismatch')
  assert.equal(verdict(request(), NOW, ['x']), 'mismatch')
  assert.equal(verdict(request(), NOW, []), 'mismatch')
  assert.equal(verdict(request(), NOW, ['x', KEY_PAIR.secretAccessKey]), 'valid')
  assert.equal(verdict(request(), NOW + 15 * 60_000), 'valid')
  assert.equal(verdict(request(), NOW + 15 * 60_000 + 1), 'skewed')
  assert.equal(verdict(request(), NOW - 15 * 60_000 - 1), 'skewed')
  assert.equal(verdict(request({ 'x-amz-date': '20150831T000000Z' }), NOW + 86_400_000 / 2), 'skewed')
  assert.equal(verdict(request({ 'x-amz-date': '20150829T235959Z' }), NOW - 45_361_000), 'scope')
  assert.equal(verdict(request({ 'x-amz-new': 't' })), 'headers-not-signed')
  assert.equal(verdict(request({ 'if-match': 'E1' })), 'headers-not-signed')
  assert.equal(verdict(request({ 'x-amz-security-token': 't' })), 'session-token')
  assert.equal(verdict(request({}, 'Action=ListUsers&Version=2010-05-08&X-Amz-Security-Token=t')), 'session-token')
  assert.equal(verdict(request({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })), 'headers-not-signed')
  assert.equal(verdict({ ...request(), rawPath: '//' }), 'path')
  assert.equal(verdict({ ...request(), rawPath: '/./' }), 'path')
  assert.equal(verdict({ ...request(), rawPath: '/a/../' }), 'path')
  assert.equal(verdict(request({}, 'Action=ListUsers&Version=2010-05-08&a=b+c')), 'query')
  assert.equal(verdict(request({}, 'Action=ListUsers&Version=2010-05-08&a=%4')), 'query')
  const hostless = HEADERS.authorization.replace('content-type;host;', 'content-type;')
  assert.equal(verdict(request({ authorization: hostless })), 'headers-not-signed')
})

test('what is not a signature is told apart from what is missing', () => {
  const read = (authorization: string | undefined, query = '') =>
    readAuthorization(new Map(authorization === undefined ? [] : [['authorization', authorization]]), query).found
  assert.equal(read(undefined), 'nothing')
  for (const text of [
    '',
    'AWS4-HMAC-SHA256',
    'Bearer abc',
    HEADERS.authorization, // without X-Amz-Date
    HEADERS.authorization.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'),
    HEADERS.authorization.replace('/iam', ''),
    HEADERS.authorization.replace('SignedHeaders=', 'Headers='),
    HEADERS.authorization.replace(SIGNATURE, 'abc'),
    `${HEADERS.authorization}, Signature=${SIGNATURE}`,
  ]) {
    assert.equal(read(text), 'incomplete', text)
  }
  // Signed twice: which of the two counts would be a guess.
  assert.equal(readAuthorization(new Map(Object.entries(HEADERS)), 'X-Amz-Signature=a').found, 'incomplete')
})

test('a presigned query has all its parts, once, within their bounds', () => {
  const parts: Record<string, string> = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': 'AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request',
    'X-Amz-Date': '20150830T123600Z',
    'X-Amz-Expires': '60',
    'X-Amz-SignedHeaders': 'host',
    'X-Amz-Signature': SIGNATURE,
  }
  const read = (changed: Record<string, string | null>, more = '') => {
    const pairs = Object.entries({ ...parts, ...changed }).filter(([, value]) => value !== null)
    const query = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value!)}`).join('&')
    return readAuthorization(new Map(), `Action=GetCallerIdentity&${query}${more}`).found
  }
  assert.equal(read({}), 'authorization')
  for (const seconds of ['1', '604800']) assert.equal(read({ 'X-Amz-Expires': seconds }), 'authorization', seconds)
  for (const seconds of ['0', '604801', '-1', '1.5', '1e3', '', ' 60', '0x10']) {
    assert.equal(read({ 'X-Amz-Expires': seconds }), 'incomplete', seconds)
  }
  for (const name of Object.keys(parts)) {
    assert.equal(read({ [name]: null }), 'incomplete', name)
    assert.equal(read({}, `&${name}=${parts[name]}`), 'incomplete', `${name} twice`)
  }
  assert.equal(read({ 'X-Amz-Algorithm': 'AWS4-ECDSA-P256-SHA256' }), 'incomplete')
})

/** What the SDK's own signers make of a request: header and presigned, SigV4 and SigV4A. */
const DATE = new Date(NOW)
const SIGNERS = {
  'SigV4 header': { v4a: false, presigned: false },
  'SigV4 presigned': { v4a: false, presigned: true },
  'SigV4A header': { v4a: true, presigned: false },
  'SigV4A presigned': { v4a: true, presigned: true },
} as const

interface Plain {
  readonly method: string
  readonly path: string
  readonly query: Record<string, string | string[]>
  readonly body: string
}

const OPTIONS = { credentials: KEY_PAIR, service: 'cloudfront', sha256: Sha256, applyChecksum: false }

async function signed(plain: Plain, { v4a, presigned }: { v4a: boolean; presigned: boolean }): Promise<WireRequest> {
  const headers = { host: '127.0.0.1:4566', 'content-type': 'text/xml', 'if-match': 'E1  2', 'x-amz-meta': 'a' }
  const { path, query, method, body } = plain
  const asked = { method, protocol: 'http:', hostname: '127.0.0.1', path, query, headers, body }
  let made: { headers: Record<string, string>; query?: Record<string, string | string[] | null> }
  if (v4a) {
    const signer = new SignatureV4a({ ...OPTIONS, region: 'us-east-1,eu-*' })
    made = presigned ? await presignedV4a(signer, asked) : await signer.sign(asked, { signingDate: DATE })
  } else {
    const signer = new SignatureV4({ ...OPTIONS, region: 'us-east-1' })
    const how = { signingDate: DATE, expiresIn: 60 }
    made = presigned ? await signer.presign(asked, how) : await signer.sign(asked, how)
  }
  const all = Object.entries(made.headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return {
    method,
    rawPath: path,
    rawQuery: queryText(made.query ?? {}),
    headers: new Map(all),
    body: Buffer.from(body),
  }
}

/** The parts of the SDK's signer that a presigned SigV4A request takes; it has no method of its own for it. */
interface SignerParts {
  createCanonicalRequest(request: object, headers: Record<string, string>, payloadHash: string): string
  createStringToSign(date: string, scope: string, canonical: string, algorithm: string): Promise<string>
  getSignature(key: Uint8Array, text: string): Promise<string>
}

async function presignedV4a(
  signer: SignatureV4a,
  asked: Parameters<SignatureV4a['sign']>[0] & { query: Plain['query']; body: string },
) {
  const parts = signer as unknown as SignerParts
  const getSignature = parts.getSignature.bind(signer)
  let key = new Uint8Array()
  parts.getSignature = (given, text) => {
    key = new Uint8Array(given)
    return getSignature(given, text)
  }
  await signer.sign(asked, { signingDate: DATE })
  const date = '20150830T123600Z'
  const scope = '20150830/cloudfront/aws4_request'
  const { host } = asked.headers as { host: string }
  const query = {
    ...asked.query,
    'X-Amz-Algorithm': 'AWS4-ECDSA-P256-SHA256',
    'X-Amz-Credential': `${KEY_PAIR.accessKeyId}/${scope}`,
    'X-Amz-Date': date,
    'X-Amz-Expires': '60',
    'X-Amz-Region-Set': 'us-east-1,eu-*',
    'X-Amz-SignedHeaders': 'host',
  }
  const hash = createHash('sha256').update(asked.body).digest('hex')
  const canonical = parts.createCanonicalRequest({ ...asked, query }, { host }, hash)
  const text = await parts.createStringToSign(date, scope, canonical, 'AWS4-ECDSA-P256-SHA256')
  return { headers: { host }, query: { ...query, 'X-Amz-Signature': await getSignature(key, text) } }
}

const escapedText = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** As the SDK's HTTP handlers write it. */
function queryText(query: Record<string, string | string[] | null>): string {
  return Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((one) => `${escapedText(name)}=${escapedText(one ?? '')}`))
    .join('&')
}

const outcome = (sent: WireRequest): string => {
  const reading = readAuthorization(sent.headers, sent.rawQuery)
  if (reading.found !== 'authorization') return reading.found
  if (reading.authorization.accessKeyId !== KEY_PAIR.accessKeyId) return 'unknown-key'
  return verifySignature(sent, reading.authorization, [KEY_PAIR.secretAccessKey], REGIONS, NOW).verdict
}

/** One bit of a text, as bytes; what HTTP would not let through as a header or target is flipped all the same. */
function flipped(text: string, bit: number): string {
  const bytes = Buffer.from(text, 'latin1')
  const at = bit % (bytes.length * 8)
  bytes[at >> 3]! ^= 1 << (at & 7)
  return bytes.toString('latin1')
}

/** The same names with the same values: escapes in the other case of letters mean no other thing. */
function sameQuery(one: string, other: string): boolean {
  const decoded = (query: string) =>
    query.split('&').map((part) => part.replace(/%[0-9a-f]{2}/gi, (hex) => hex.toUpperCase()))
  return decoded(one).join('&') === decoded(other).join('&')
}

const segment = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 6 })
  .filter((text) => !/^\.{1,2}$/.test(text) && text.isWellFormed())
const plain: fc.Arbitrary<Plain> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  path: fc
    .array(segment, { minLength: 1, maxLength: 3 })
    .map((parts) => `/2020-05-31/${parts.map(escapedText).join('/')}`),
  query: fc.dictionary(
    segment.filter((name) => !/^x-amz-/i.test(name) && name !== '__proto__'),
    fc.oneof(segment, fc.array(segment, { minLength: 2, maxLength: 3 })),
    { maxKeys: 3 },
  ),
  body: fc.string({ maxLength: 12 }),
})

describe('requests signed by the SDK', () => {
  for (const [name, how] of Object.entries(SIGNERS)) {
    test(`${name}: valid as sent, whatever is in path, query and body; one flipped bit anywhere is refused`, async () => {
      await fc.assert(
        fc.asyncProperty(plain, fc.nat(), async (asked, bit) => {
          const sent = await signed(asked, how)
          assert.equal(outcome(sent), 'valid')
          const mutants: WireRequest[] = [
            { ...sent, method: flipped(sent.method, bit) },
            { ...sent, rawPath: flipped(sent.rawPath, bit) },
            { ...sent, body: Buffer.from(`${asked.body} `) },
          ]
          if (sent.body.length > 0) mutants.push({ ...sent, body: Buffer.from(flipped(asked.body, bit), 'latin1') })
          const query = sent.rawQuery === '' ? '' : flipped(sent.rawQuery, bit)
          if (!sameQuery(query, sent.rawQuery)) mutants.push({ ...sent, rawQuery: query })
          for (const [header, value] of sent.headers) {
            if (how.presigned && header !== 'host') continue
            const headers = new Map(sent.headers).set(header, flipped(value, bit))
            // Blanks of another number or kind are the same to whoever signs, and those between fields to whoever reads.
            const blank = (text: string) => text.replace(/[ \t]+/g, header === 'authorization' ? '' : ' ')
            if (blank(headers.get(header)!) !== blank(value)) mutants.push({ ...sent, headers })
            const without = new Map(sent.headers)
            without.delete(header)
            mutants.push({ ...sent, headers: without })
          }
          for (const mutant of mutants)
            assert.notEqual(outcome(mutant), 'valid', JSON.stringify([...mutant.headers, mutant]))
        }),
        { numRuns: how.v4a ? 25 : 150 },
      )
    })
  }

  test('a presigned request ends with its time, and does not begin long before it', async () => {
    for (const how of [SIGNERS['SigV4 presigned'], SIGNERS['SigV4A presigned']]) {
      const sent = await signed({ method: 'GET', path: '/2020-05-31/distribution', query: {}, body: '' }, how)
      assert.equal(verdict(sent, NOW + 59_999), 'valid')
      assert.equal(verdict(sent, NOW + 60_000), 'expired')
      assert.equal(verdict(sent, NOW - 15 * 60_000), 'valid')
      assert.equal(verdict(sent, NOW - 15 * 60_000 - 1), 'skewed')
    }
  })

  test('nothing is added to a presigned query, in escapes neither', async () => {
    const sent = await signed({ method: 'GET', path: '/', query: { a: 'b' }, body: '' }, SIGNERS['SigV4 presigned'])
    for (const more of [
      'c=d',
      '%58-Amz-Signature=x',
      'X-Amz-Signatur%65=x',
      'x-amz-signature=x',
      'X-Amz-Signature=x',
    ]) {
      for (const rawQuery of [`${sent.rawQuery}&${more}`, `${more}&${sent.rawQuery}`]) {
        assert.notEqual(outcome({ ...sent, rawQuery }), 'valid', more)
      }
    }
  })

  test('a region set that leaves our regions out is another scope', async () => {
    const asked = { method: 'GET', path: '/', query: {}, body: '' }
    const sent = await signed(asked, SIGNERS['SigV4A header'])
    const verdictIn = (regions: readonly string[]) =>
      verifySignature(sent, authorizationOf(sent), [KEY_PAIR.secretAccessKey], regions, NOW).verdict
    assert.equal(verdictIn(['us-east-1']), 'valid')
    assert.equal(verdictIn(['eu-west-3']), 'valid')
    assert.equal(verdictIn(['ap-south-1']), 'scope')
  })

  test('the digest is that of what was signed, not of the signature', async () => {
    const asked = { method: 'POST', path: '/a', query: {}, body: 'x' }
    const digest = async (plain: Plain) => {
      const sent = await signed(plain, SIGNERS['SigV4A header'])
      const found = verifySignature(sent, authorizationOf(sent), [KEY_PAIR.secretAccessKey], REGIONS, NOW)
      return found.verdict === 'valid' ? found.digest : ''
    }
    assert.equal(await digest(asked), await digest(asked))
    assert.notEqual(await digest(asked), await digest({ ...asked, body: 'y' }))
  })
})
