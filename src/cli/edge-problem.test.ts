import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeProblem } from './edge-problem.ts'

test('what the edge failed for, with what to do', () => {
  const rows: readonly (readonly [code: string, url: string, says: RegExp])[] = [
    [
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'https://www.a.test/',
      /^The edge at 127\.0\.0\.1:8443 has no certificate for www\.a/,
    ],
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'https://www.a.test/',
      /no authority that is known here \(words\).*NODE_EXTRA_CA_CERTS/,
    ],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'https://www.a.test/', /NODE_EXTRA_CA_CERTS/],
    ['ECONNRESET', 'https://www.a.test/', /closed the connection: .*ViewerMtlsConfig/],
    ['ECONNRESET', 'http://www.a.test/', /failed: words$/],
    ['ECONNREFUSED', 'https://www.a.test/', /failed: words$/],
  ]
  for (const [code, url, says] of rows) {
    assert.match(edgeProblem('127.0.0.1:8443', new URL(url), Object.assign(new Error('words'), { code })), says)
  }
})
