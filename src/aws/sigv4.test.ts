import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireRequest } from './protocol.ts'
import { type Authorization, readAuthorization, verifySignature } from './sigv4.ts'

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

const verdict = (sent: WireRequest, now = NOW, keyPair = KEY_PAIR) =>
  verifySignature(sent, authorizationOf(sent), keyPair, now)

test("AWS's worked example verifies, whatever the order of its query", async () => {
  assert.equal(await verdict(request()), 'valid')
  assert.equal(await verdict(request({}, 'Version=2010-05-08&Action=ListUsers')), 'valid')
})

test('spaces around a signed header do not count, its content does', async () => {
  const type = '  application/x-www-form-urlencoded;   charset=utf-8 '
  assert.equal(await verdict(request({ 'content-type': type })), 'valid')
  assert.equal(await verdict(request({ 'content-type': 'text/plain' })), 'mismatch')
})

test('each verdict has its word', async () => {
  assert.equal(await verdict(request({}, 'Action=DeleteUser&Version=2010-05-08')), 'mismatch')
  assert.equal(await verdict(request(), NOW, { ...KEY_PAIR, secretAccessKey: 'x' }), 'mismatch')
  assert.equal(await verdict(request(), NOW, { ...KEY_PAIR, accessKeyId: 'AKIDOTHER' }), 'unknown-key')
  assert.equal(await verdict(request(), NOW + 15 * 60_000), 'valid')
  assert.equal(await verdict(request(), NOW + 15 * 60_000 + 1), 'skewed')
  assert.equal(await verdict(request(), NOW - 15 * 60_000 - 1), 'skewed')
  assert.equal(await verdict(request({ 'x-amz-date': '20150831T000000Z' }), NOW + 86_400_000 / 2), 'skewed')
  assert.equal(await verdict(request({ 'x-amz-date': '20150829T235959Z' }), NOW - 45_361_000), 'scope')
  assert.equal(await verdict(request({ 'x-amz-security-token': 't' })), 'headers-not-signed')
  const hostless = HEADERS.authorization.replace('content-type;host;', 'content-type;')
  assert.equal(await verdict(request({ authorization: hostless })), 'headers-not-signed')
})

test('what is not a SigV4 header is told apart from what is missing', () => {
  const read = (authorization: string | undefined, query = '') =>
    readAuthorization(new Map(authorization === undefined ? [] : [['authorization', authorization]]), query).found
  assert.equal(read(undefined), 'nothing')
  assert.equal(read(undefined, 'a=b&X-Amz-Signature=c'), 'presigned')
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
})
