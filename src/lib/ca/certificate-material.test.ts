//! What ImportCertificate's scenarios do not show of the checks of material (test/scenarios/api): texts and chains that
//! would stop this process, or an edge, and not the caller alone.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { ClientAuthority } from '../../../test/support/client-certificates.ts'
import { checkMaterial, type GivenMaterial, MaterialError } from './certificate-material.ts'

describe('material', () => {
  let good: GivenMaterial
  let root: ClientAuthority
  before(async () => {
    root = await ClientAuthority.root()
    const { key, leaf } = await root.issue({ name: 'CN=www.example.com' })
    good = { certificate: leaf, privateKey: key, chain: root.pem }
  })
  const check = (given: GivenMaterial) => checkMaterial(given, { now: Date.now(), wall: Date.now() })
  const problem = (given: GivenMaterial): string => {
    try {
      check(given)
      return 'taken'
    } catch (error) {
      assert.ok(error instanceof MaterialError)
      assert.doesNotMatch(error.message, /PRIVATE KEY/)
      return error.what
    }
  }

  test('of certificates with blanks around them is taken, with other text beside them refused', () => {
    const { chain, served } = check({ ...good, certificate: `\r\n ${good.certificate}\n`, chain: `\n${root.pem}\n` })
    assert.equal(chain, root.pem)
    assert.equal(served, check(good).certificate)
    assert.equal(problem({ ...good, certificate: `${good.certificate}x` }), 'certificate-malformed')
    assert.equal(problem({ ...good, certificate: good.certificate.repeat(2) }), 'more-than-one')
    assert.equal(problem({ ...good, chain: `subject: x\n${root.pem}` }), 'chain-malformed')
    assert.equal(problem({ ...good, chain: root.pem.slice(0, -30) }), 'chain-malformed')
  })

  test('with a certificate more than once is refused: an authority has issued itself as often as one likes', () => {
    assert.equal(problem({ ...good, chain: root.pem.repeat(100) }), 'chain-repeats')
  })

  test('with as many beginnings as fit, and no end, is refused after one look', () => {
    assert.equal(problem({ ...good, chain: '-----BEGIN CERTIFICATE-----'.repeat(70_000) }), 'chain-malformed')
  })

  test('whose chain has a key that OpenSSL does not serve with is refused before an edge has it', async () => {
    const weak = await root.intermediate({ rsa: 1024 })
    const { key, leaf } = await weak.issue({ name: 'CN=www.example.com' })
    assert.equal(problem({ certificate: leaf, privateKey: key, chain: weak.pem + root.pem }), 'not-servable')
  })
})
