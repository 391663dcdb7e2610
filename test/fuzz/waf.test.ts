import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzWaf } from './waf.ts'

test('a compiled web ACL says of each request what its document says', () => {
  const { finding, ended } = fuzzWaf(1, 400)
  assert.equal(finding, null, finding?.what ?? '')
  // The cases are of all kinds.
  for (const end of ['ALLOW by default', 'BLOCK by default', 'ALLOW by rule', 'BLOCK by rule']) {
    assert.ok((ended[end] ?? 0) >= 20, JSON.stringify(ended))
  }
})
