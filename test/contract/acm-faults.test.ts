//! Every error code of ACM's model: each is provoked over the wire with AWS's SDK and leaves everything that is stored as it
//! was; or this program can never mean it, and a row says why; and what is not built answers 501 with its name.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as acm from '@aws-sdk/client-acm'
import { modelOf } from '../../src/aws/model.ts'
import { ACM_FAULTS } from '../../src/domain/acm-faults.ts'
import { ACM_OPERATIONS } from '../../src/services/acm/operations.ts'
import { AcmSite } from '../support/acm-site.ts'
import { ACM_FAULT_ROWS, ACM_NEVER_MEANT, ACM_NOT_BUILT_ROWS, type Call } from './faults/acm-rows.ts'

/** Codes on the wire of JSON are names of shapes; modelOf has those of the Query protocol, which ACM never spoke. */
const ERRORS = Object.values(acm).flatMap((schema) => (Array.isArray(schema) && schema[0] === -3 ? [schema[2]] : []))
/** The base of the SDK's exceptions, which no service answers. */
const OF_NO_OPERATION: ReadonlySet<string> = new Set(['ACMServiceException'])

interface Refusal extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number }
}

async function refusalOf(site: AcmSite, call: Call): Promise<Refusal> {
  const before = [await site.state.revision(), await site.state.changesSince(0)]
  try {
    await call()
  } catch (error) {
    assert.deepEqual([await site.state.revision(), await site.state.changesSince(0)], before)
    return error as Refusal
  }
  return assert.fail('the call was taken')
}

describe('what ACM refuses, over the wire', { concurrency: 4 }, () => {
  for (const { code, when, says, quotas = {}, provoke } of ACM_FAULT_ROWS) {
    test(`${code}: ${when}`, () =>
      AcmSite.use({ quotas }, async (site) => {
        const refusal = await refusalOf(site, await provoke(site))
        assert.equal(refusal.name, code, refusal.message)
        assert.equal(refusal.$metadata?.httpStatusCode, 400)
        assert.match(refusal.message, says)
        assert.doesNotMatch(refusal.message, /PRIVATE KEY/)
      }))
  }
})

describe('what is not built answers 501', () => {
  for (const { names, provoke } of ACM_NOT_BUILT_ROWS) {
    test(String(names), () =>
      AcmSite.use({}, async (site) => {
        const refusal = await refusalOf(site, await provoke(site))
        assert.equal(refusal.name, 'NotImplemented', refusal.message)
        assert.equal(refusal.$metadata?.httpStatusCode, 501)
        assert.match(refusal.message, names)
      }),
    )
  }
})

test('every code of the model has its row, and every code that this program answers is provoked', () => {
  const provoked = new Set(ACM_FAULT_ROWS.map((row) => row.code))
  const known = [...provoked, ...Object.keys(ACM_NEVER_MEANT), ...OF_NO_OPERATION]
  const codes = [...ERRORS, ...Object.keys(ACM_FAULTS)]
  assert.deepEqual(
    codes.filter((code) => !known.includes(code)),
    [],
  )
  assert.deepEqual(
    Object.keys(ACM_NEVER_MEANT).filter((code) => provoked.has(code)),
    [],
  )
})

test('every operation of the model is built, or answers 501 in a row above', () => {
  const missing = [...modelOf(acm).operations.keys()].filter((name) => !(name in ACM_OPERATIONS))
  const named = missing.filter((name) => !ACM_NOT_BUILT_ROWS.some(({ names }) => names.test(`acm ${name}`)))
  // Of ACM's managed ACME servers, of which one row asks for the first.
  assert.deepEqual(
    named.filter((name) => !/Acme/.test(name)),
    [],
  )
})

const JSON_TYPE = 'application/x-amz-json-1.1'
const DEEP = 80

/** Body, what else of the request differs, code, status. */
const WIRE: readonly (readonly [when: string, body: string, headers: object, code: string, status: number])[] = [
  ['a body that is no JSON', '{"CertificateArn": -----BEGIN PRIVATE KEY-----', {}, 'SerializationException', 400],
  ['a member that is not there', '{"CertificateARN":"x"}', {}, 'SerializationException', 400],
  ['a list where a text belongs', '{"CertificateArn":["x"]}', {}, 'SerializationException', 400],
  ['a body that is no structure', '[]', {}, 'SerializationException', 400],
  ['a required member that is missing', '{}', {}, 'ValidationException', 400],
  ['a required member that is null', '{"CertificateArn":null}', {}, 'ValidationException', 400],
  ['another content type', '{}', { 'content-type': 'text/plain' }, 'SerializationException', 400],
  ['no operation', '{}', { 'x-amz-target': 'CertificateManager.Nonsense' }, 'UnknownOperationException', 404],
  [
    'an operation of another service',
    '{}',
    { 'x-amz-target': 'Other.DescribeCertificate' },
    'UnknownOperationException',
    404,
  ],
  [
    'a filter that is nested without an end',
    `{"FilterStatement":${'{"Not":'.repeat(DEEP)}{}${'}'.repeat(DEEP)}}`,
    { 'x-amz-target': 'CertificateManager.SearchCertificates' },
    'SerializationException',
    400,
  ],
  [
    'bytes that are not base64',
    '{"Certificate":"?","PrivateKey":"?"}',
    { 'x-amz-target': 'CertificateManager.ImportCertificate' },
    'SerializationException',
    400,
  ],
]

test('what is wrong with a request of JSON 1.1 is answered in its shape, and not repeated', () =>
  AcmSite.use({}, async ({ server }) => {
    for (const [when, body, changes, code, status] of WIRE) {
      const answer = await fetch(server.url, {
        method: 'POST',
        headers: {
          'content-type': JSON_TYPE,
          'x-amz-date': '20261130T000000Z',
          'x-amz-target': 'CertificateManager.DescribeCertificate',
          authorization: `AWS4-HMAC-SHA256 Credential=any/20261130/us-east-1/acm/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
          ...changes,
        },
        body,
      })
      const document = (await answer.json()) as { __type: string; message: string }
      assert.deepEqual([document.__type, answer.status], [code, status], `${when}: ${document.message}`)
      assert.equal(answer.headers.get('content-type'), JSON_TYPE)
      assert.doesNotMatch(document.message, /PRIVATE KEY/)
    }
  }))
