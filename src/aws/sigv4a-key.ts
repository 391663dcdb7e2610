//! The P-256 key that SigV4A derives from a secret access key: a counter-mode KDF with HMAC-SHA256 (NIST SP 800-108), as
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html describes it.
import { createECDH, createHmac, createPublicKey, type KeyObject } from 'node:crypto'
import { ALGORITHM_V4A } from './authorization.ts'

/** The order of P-256, less two (SEC 2 2.4.2): a candidate above it is thrown away. */
const N_MINUS_TWO = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f', 'hex')
const TRIALS_MAX = 254
const COORDINATE_BYTES = 32

/** @throws Error when no trial gives a key, which no secret of this world does */
export function sigv4aPublicKey(accessKeyId: string, secretAccessKey: string): KeyObject {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(privateScalar(accessKeyId, secretAccessKey))
  const point = ecdh.getPublicKey()
  const x = point.subarray(1, 1 + COORDINATE_BYTES).toString('base64url')
  const y = point.subarray(1 + COORDINATE_BYTES).toString('base64url')
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
}

function privateScalar(accessKeyId: string, secretAccessKey: string): Buffer {
  for (let trial = 1; trial <= TRIALS_MAX; trial++) {
    const input = Buffer.concat([
      Buffer.from([0, 0, 0, 1]),
      Buffer.from(ALGORITHM_V4A),
      Buffer.from([0]),
      Buffer.from(accessKeyId),
      Buffer.from([trial]),
      Buffer.from([0, 0, 1, 0]),
    ])
    const candidate = createHmac('sha256', `AWS4A${secretAccessKey}`).update(input).digest()
    if (candidate.compare(N_MINUS_TWO) > 0) continue
    const scalar = (BigInt(`0x${candidate.toString('hex')}`) + 1n).toString(16)
    return Buffer.from(scalar.padStart(2 * COORDINATE_BYTES, '0'), 'hex')
  }
  throw new Error('no signing key can be derived from this secret')
}
