import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignatureV4 } from '@smithy/signature-v4'
import { Sha256 } from '../../aws/sigv4.ts'
import { verifyToken } from './token.ts'

const NOW = Date.parse('2026-01-31T12:00:00Z')
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret' }

test('where callers need keys and caches know none, no token is right', async () => {
  const signer = new SignatureV4({ credentials: KEYS, region: 'us-east-1', service: 'elasticache', sha256: Sha256 })
  const query = { Action: 'connect', User: 'ann' }
  const url = { method: 'GET', protocol: 'http:', hostname: 'shop', path: '/', query, headers: { host: 'shop' } }
  const signed = await signer.presign(url, { expiresIn: 900, signingDate: new Date(NOW) })
  const token = `shop/?${new URLSearchParams(signed.query as Record<string, string>)}`
  const verdict = (wish: object) =>
    verifyToken(token, 'ann', 'shop', { keyPair: null, region: 'us-east-1', ...wish }, NOW)
  assert.equal(await verdict({ keyPair: KEYS }), 'valid')
  assert.equal(await verdict({}), 'valid')
  assert.equal(await verdict({ nobody: true }), 'unknown-key')
})
