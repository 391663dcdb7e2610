//! Our signatures against the SDK's own signer, and against the examples that AWS publishes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { anyCharacter } from '../../../test/support/any-character.ts'
import { Sha256 } from '../../aws/sigv4.ts'
import { encodedKey, encodedQuery } from './s3-path.ts'
import { amzDate, authorization, EMPTY_PAYLOAD } from './sign.ts'

const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, Examples. */
const EXAMPLES = [
  {
    what: 'GET Object',
    ...{ method: 'GET', path: '/test.txt', query: '', payload: EMPTY_PAYLOAD },
    more: [['range', 'bytes=0-9']],
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    what: 'PUT Object',
    ...{ method: 'PUT', path: '/test$file.text', query: '' },
    payload: '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    more: [
      ['date', 'Fri, 24 May 2013 00:00:00 GMT'],
      ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
    ],
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    what: 'GET Bucket Lifecycle',
    ...{ method: 'GET', path: '/', query: 'lifecycle', payload: EMPTY_PAYLOAD, more: [] },
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    what: 'GET Bucket (List Objects)',
    ...{ method: 'GET', path: '/', query: 'max-keys=2&prefix=J', payload: EMPTY_PAYLOAD, more: [] },
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
] as const

for (const { what, method, path, query, payload, more, signature } of EXAMPLES) {
  test(`AWS's example ${what}`, () => {
    const fields = [
      ['host', 'examplebucket.s3.amazonaws.com'],
      ['x-amz-content-sha256', payload],
      ['x-amz-date', '20130524T000000Z'],
      ...more,
    ] as const
    const toSign = { method, path: encodedKey(path), query: encodedQuery(query), fields, payload }
    const value = authorization(toSign, KEYS, 'us-east-1', '20130524T000000Z')
    assert.equal(value.slice(value.indexOf('Signature=')), `Signature=${signature}`)
  })
}

const anyText = fc.string({ unit: anyCharacter, maxLength: 20 })
const raw = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const fieldName = fc
  .stringMatching(/^x-amz-[a-z0-9-]{1,12}$/)
  .filter((name) => !/content-sha256|date|user-agent/.test(name))

test('the same signature as the SDK makes, for any key, query, header, region and time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        method: fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS'),
        key: fc.array(anyText, { minLength: 1, maxLength: 4 }),
        // The SDK's signer puts what it serializes into an object and loses that one name; ours is pieces of text.
        query: fc.dictionary(
          anyText.filter((name) => name !== '__proto__'),
          anyText,
          { maxKeys: 4 },
        ),
        fields: fc.dictionary(fieldName, fc.stringMatching(/^[\x20-\x7e]{0,20}$/), { maxKeys: 4 }),
        region: fc.constantFrom('us-east-1', 'eu-central-1', 'cn-north-1'),
        at: fc.date({ min: new Date('2015-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
      }),
      async ({ method, key, query, fields, region, at }) => {
        const date = amzDate(at.getTime())
        const payload = 'UNSIGNED-PAYLOAD'
        const signed = { host: 'b.example', 'x-amz-content-sha256': payload, 'x-amz-date': date, ...fields }
        const path = `/${key.map((part) => raw(part).replaceAll('%', '%25')).join('/')}`
        const sent = Object.entries(query)
          .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
          .join('&')
        const ours = authorization(
          ...[{ method, path: encodedKey(path), query: encodedQuery(sent), fields: Object.entries(signed), payload }],
          ...([KEYS, region, date] as const),
        )
        const signer = new SignatureV4({
          ...{ credentials: KEYS, region, service: 's3', sha256: Sha256, applyChecksum: false, uriEscapePath: false },
        })
        const strict = (text: string): string =>
          encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
        const theirs = await signer.sign(
          {
            ...{ method, protocol: 'https:', hostname: 'b.example', query, headers: signed },
            // What the key is, spelled by somebody else.
            path: `/${key.map((part) => part.split('/').map(strict).join('/')).join('/')}`,
          },
          { signingDate: at, signableHeaders: new Set(Object.keys(signed)) },
        )
        assert.equal(ours, theirs.headers.authorization)
      },
    ),
  )
})
