import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { buildClient, CommitmentPolicy, RawRsaKeyringNode } from '@aws-crypto/client-node'
import { FieldCipher, loadLibrary } from './cipher.ts'

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const ENTITY = { providerId: 'provider', keyName: 'key', publicKey, patterns: [] }

const keyring = (keyNamespace: string, keyName: string) =>
  new RawRsaKeyringNode({ keyNamespace, keyName, rsaKey: { privateKey }, oaepHash: 'sha256' })

test("the SDK's own decryptor reads a value, under the policies that it reads CloudFront's own under", async () => {
  const cipher = new FieldCipher()
  for (const value of [Buffer.from('4111 1111'), Buffer.alloc(0), Buffer.alloc(16_384, 0xff)]) {
    const message = Buffer.from(await cipher.encrypt(ENTITY, value))
    // Message format 1, customer authenticated encrypted data, AES-256 with HKDF-SHA256.
    assert.equal(message.subarray(0, 4).toString('hex'), '01800178')
    for (const policy of ['FORBID_ENCRYPT_ALLOW_DECRYPT', 'REQUIRE_ENCRYPT_ALLOW_DECRYPT'] as const) {
      const { decrypt } = buildClient(CommitmentPolicy[policy])
      assert.deepEqual((await decrypt(keyring('provider', 'key'), message)).plaintext, value)
      await assert.rejects(decrypt(keyring('provider', 'other'), message), 'the name of the key is part of it')
      await assert.rejects(decrypt(keyring('other', 'key'), message), 'and so is the provider')
    }
  }
  const [one, other] = await Promise.all([
    cipher.encrypt(ENTITY, Buffer.from('a')),
    cipher.encrypt(ENTITY, Buffer.from('a')),
  ])
  assert.notDeepEqual(one, other)
})

test('without the library nothing is encrypted, and the next value tries again', async () => {
  let loads = 0
  const cipher = new FieldCipher(() => (++loads === 1 ? Promise.reject(new Error('not installed')) : loadLibrary()))
  await assert.rejects(cipher.encrypt(ENTITY, Buffer.from('a')), /not installed/)
  assert.ok((await cipher.encrypt(ENTITY, Buffer.from('a'))).length > 0)
  await cipher.encrypt(ENTITY, Buffer.from('b'))
  assert.equal(loads, 2)
})

test('what is no key encrypts nothing', async () => {
  await assert.rejects(new FieldCipher().encrypt({ ...ENTITY, publicKey: 'none' }, Buffer.from('a')))
})
