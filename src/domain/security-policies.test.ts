import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSecureContext, getCiphers } from 'node:tls'
import {
  CIPHERS,
  DEFAULT_POLICY,
  fits,
  GROUPS,
  NOT_OFFERED,
  SECURITY_POLICY_NAMES,
  securityPolicy,
} from './security-policies.ts'

describe('the table of security policies', () => {
  it('offers what the OpenSSL of this Node has, and names the rest', () => {
    const known = new Set(getCiphers())
    for (const { name } of CIPHERS) assert.equal(known.has(name.toLowerCase()), !NOT_OFFERED.has(name), name)
  })

  it('has groups and signature schemes that OpenSSL takes', () => {
    for (const { name } of GROUPS) createSecureContext({ ecdhCurve: name })
    for (const policy of SECURITY_POLICY_NAMES) {
      const { signatures } = securityPolicy(policy)!
      createSecureContext({ sigalgs: signatures.map(({ name }) => name).join(':') })
    }
  })

  it('becomes stricter from policy to policy', () => {
    const policies = SECURITY_POLICY_NAMES.map((name) => securityPolicy(name)!)
    for (const [at, stricter] of policies.entries()) {
      const looser = policies[at - 1]
      if (looser === undefined) continue
      for (const protocol of stricter.protocols) assert.ok(looser.protocols.includes(protocol), stricter.name)
      // TLSv1.2_2025 leaves ChaCha20 out, TLSv1.3_2025 has it again.
      const back = stricter.name === 'TLSv1.3_2025' ? ['TLS_CHACHA20_POLY1305_SHA256'] : []
      const grown = stricter.ciphers.filter((cipher) => !looser.ciphers.includes(cipher)).map(({ name }) => name)
      assert.deepEqual(grown, back, stricter.name)
    }
    assert.deepEqual(securityPolicy(DEFAULT_POLICY)?.protocols, ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'])
    assert.equal(securityPolicy('TLSv1.4'), undefined)
  })

  it('has forward secrecy alone from TLSv1.2_2019 on, and a cipher for each protocol and kind of key', () => {
    for (const name of SECURITY_POLICY_NAMES) {
      const { ciphers, protocols } = securityPolicy(name)!
      const isStrict = SECURITY_POLICY_NAMES.indexOf(name) >= SECURITY_POLICY_NAMES.indexOf('TLSv1.2_2019')
      if (isStrict) assert.ok(ciphers.every(({ forwardSecrecy }) => forwardSecrecy))
      for (const protocol of protocols) {
        const kinds = new Set(ciphers.filter((cipher) => fits(cipher, protocol)).map((row) => row.authentication))
        assert.deepEqual([...kinds], protocol === 'TLSv1.3' ? ['any'] : ['ECDSA', 'RSA'], `${name} ${protocol}`)
      }
    }
  })
})
