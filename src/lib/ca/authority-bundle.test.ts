//! What a bundle of authorities may be, and what is said of one that is wrong.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { ClientAuthority } from '../../../test/support/client-certificates.ts'
import { type Bundle, readBundle } from './authority-bundle.ts'

const LIMITS = { bytes: 20_000, certificates: 3 }
const read = (text: string): Bundle => readBundle(Buffer.from(text, 'latin1'), Date.now(), LIMITS)

describe('a bundle', () => {
  let root: ClientAuthority
  let below: ClientAuthority
  let other: ClientAuthority
  before(async () => {
    root = await ClientAuthority.root()
    below = await root.intermediate()
    other = await ClientAuthority.root({ name: 'CN=Other', rsa: 2048 })
  })

  test('of roots and intermediates, with text between them, is read in its order', () => {
    const bundle = read(`# one\r\n${root.pem}\n two: ${below.pem}${other.pem.replaceAll('\n', '\r\n')}`)
    const certificates = 'certificates' in bundle ? bundle.certificates : assert.fail(bundle.problem)
    assert.deepEqual(certificates, [root.pem, below.pem, other.pem])
  })

  const rows: readonly (readonly [string, () => string | Promise<string>, RegExp])[] = [
    ['empty', () => '', /^it holds no certificate in PEM$/],
    ['text', () => 'no certificates here', /^it holds no certificate in PEM$/],
    ['too large', () => `${root.pem}${' '.repeat(20_001)}`, /^it has more than 20000 bytes$/],
    ['too many', () => root.pem + below.pem + other.pem + root.pem, /^it holds more than 3 certificates$/],
    ['of beginnings', () => '-----BEGIN CERTIFICATE-----'.repeat(740), /does not end/],
    ['cut off', () => root.pem + below.pem.slice(0, -30), /does not end/],
    ['damaged', () => root.pem.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'), /^certificate 1 is damaged$/],
    ['twice the same', () => root.pem + below.pem + root.pem, /^certificate 3 \(.*\) is the same as certificate 1$/],
    [
      'with a key',
      async () => root.pem + (await root.issue()).key,
      /^block 2 is no certificate: only those belong here$/,
    ],
    [
      'of a viewer',
      async () => (await root.issue()).leaf,
      /^certificate 1 \(CN=viewer\) is not that of a certificate auth/,
    ],
    ['expired', async () => (await ClientAuthority.root({ from: -9, to: -1 })).pem, /expired on 20/],
    ['of tomorrow', async () => (await ClientAuthority.root({ from: 1 })).pem, /is not valid before 20/],
    [
      'of no authority',
      async () => (await ClientAuthority.root({ notCa: true })).pem,
      /is not that of a certificate auth/,
    ],
    [
      'of two kinds',
      () => root.pem.replace('END CERTIFICATE', 'END PUBLIC KEY'),
      /begins as CERTIFICATE and ends as PUB/,
    ],
  ]
  for (const [what, text, problem] of rows) {
    test(`${what} is refused`, async () => {
      const bundle = read(await text())
      assert.match('problem' in bundle ? bundle.problem : 'taken', problem)
      assert.doesNotMatch(JSON.stringify(bundle), /PRIVATE KEY/)
    })
  }
})
