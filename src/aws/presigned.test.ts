import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignatureV4 } from '@smithy/signature-v4'
import { type PresignedVerdict, verifyPresigned } from './presigned.ts'
import { Sha256 } from './sigv4.ts'

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const SCOPE = { service: 'elasticache', region: 'eu-west-1', expiresMax: 900 }
const AT = Date.UTC(2026, 10, 30, 12)

async function presigned(changes: { sessionToken?: string; region?: string; expiresIn?: number } = {}) {
  const { sessionToken, region = SCOPE.region, expiresIn = 900 } = changes
  const credentials = { ...KEYS, ...(sessionToken === undefined ? {} : { sessionToken }) }
  const signer = new SignatureV4({ credentials, region, service: 'elasticache', sha256: Sha256 })
  const signed = await signer.presign(
    {
      method: 'GET',
      protocol: 'http:',
      hostname: 'shop',
      path: '/',
      query: { Action: 'connect', User: 'ann' },
      headers: { host: 'shop' },
    },
    { signingDate: new Date(AT), expiresIn },
  )
  return new URLSearchParams(signed.query as Record<string, string>)
}

const verdict = (query: URLSearchParams, now = AT, keys: typeof KEYS | null = KEYS): Promise<PresignedVerdict> =>
  verifyPresigned({ host: 'shop', path: '/', query }, keys, SCOPE, now)

test("what the SDK's signer makes is valid for its life, with a session token too", async () => {
  assert.equal(await verdict(await presigned()), 'valid')
  assert.equal(await verdict(await presigned({ sessionToken: 'a+b/c=' })), 'valid')
  assert.equal(await verdict(await presigned(), AT + 899_000), 'valid')
  assert.equal(await verdict(await presigned(), AT + 900_000), 'expired')
  assert.equal(await verdict(await presigned(), AT - 301_000), 'expired')
  assert.equal(await verdict(await presigned({ expiresIn: 901 })), 'expired')
})

test('what was changed, is of another region or another key is not', async () => {
  const query = await presigned()
  query.set('User', 'bob')
  assert.equal(await verdict(query), 'mismatch')
  assert.equal(await verdict(await presigned({ region: 'us-east-1' })), 'scope')
  assert.equal(await verdict(await presigned(), AT, { ...KEYS, secretAccessKey: 'other' }), 'mismatch')
  assert.equal(await verdict(await presigned(), AT, { ...KEYS, accessKeyId: 'other' }), 'unknown-key')
  const twice = await presigned()
  twice.append('User', 'bob')
  assert.equal(await verdict(twice), 'malformed')
  const unsigned = await presigned()
  unsigned.delete('X-Amz-Signature')
  assert.equal(await verdict(unsigned), 'malformed')
})

test('without keys everything but the signature is looked at', async () => {
  const query = await presigned()
  query.set('X-Amz-Signature', '0'.repeat(64))
  assert.equal(await verdict(query), 'mismatch')
  assert.equal(await verdict(query, AT, null), 'valid')
  assert.equal(await verdict(query, AT + 900_000, null), 'expired')
})
