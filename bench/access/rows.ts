//! THE TABLE of hits that `npm run bench:access` compares: each is asked for in every round. A feature that decides who may
//! see what adds its row here, with the distribution that has it.
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import type { DistributionDoc, SignersDoc } from '../../src/domain/distribution.ts'
import { behaviorDoc, distributionDoc } from '../../test/support/edge-scenario.ts'
import { EDGE_BENCH } from '../edge.config.ts'

export interface AccessRow {
  readonly name: string
  readonly path: string
  /** Besides those that every request has. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Every request has a header block of its own, as those of many viewers have: nothing is found again with the block. */
  readonly blocks: 'one' | 'many'
  /** Name of the row that it is compared with; null for those that others are compared with. */
  readonly against: string | null
  /** CPU as a multiple of that row's that is asked for; null where nothing is. */
  readonly atMost: number | null
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const KEY = createPrivateKey(privateKey)
const KEY_ID = 'K2JCJMDEHXQW5F'

export const SIGNERS: SignersDoc = {
  keyGroups: [{ id: '5f0a2a52-6e0d-4b7b-8d6a-2f5c5a0f3f11', keys: [{ id: KEY_ID, pem: publicKey }] }],
  accounts: [],
}

const encoded = (bytes: Buffer): string =>
  bytes.toString('base64').replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~')

/** A Cookie field with a custom policy, signed; `n` makes it one that no other is like. */
export function signedCookie(n: number): string {
  const Condition = { DateLessThan: { 'AWS:EpochTime': 4_000_000_000 + n } }
  const Resource = `http://${EDGE_BENCH.host}/private/*`
  const policy = Buffer.from(JSON.stringify({ Statement: [{ Resource, Condition }] }))
  const signature = encoded(sign('sha1', policy, KEY))
  return `CloudFront-Policy=${encoded(policy)}; CloudFront-Signature=${signature}; CloudFront-Key-Pair-Id=${KEY_ID}`
}

export const documentOf = (originPort: number): DistributionDoc =>
  distributionDoc(originPort, {
    behaviors: [behaviorDoc({ pathPattern: '/private/*', signers: SIGNERS }), behaviorDoc()],
  })

const COOKIE = [['Cookie', signedCookie(0)]] as const
const PUBLIC = { path: '/assets/product-12345.jpg', headers: [], against: null, atMost: null } as const
const PRIVATE = { path: '/private/product-12345.jpg', headers: COOKIE } as const

export const ACCESS_ROWS: readonly AccessRow[] = [
  { name: 'public', ...PUBLIC, blocks: 'one' },
  { name: 'private, a cookie seen before', ...PRIVATE, blocks: 'one', against: 'public', atMost: 1.15 },
  { name: 'public, other headers each time', ...PUBLIC, blocks: 'many' },
  { name: 'public with that cookie, other headers each time', ...PUBLIC, headers: COOKIE, blocks: 'many' },
  {
    ...{ name: 'private, a cookie seen before, other headers each time', ...PRIVATE, blocks: 'many' as const },
    ...{ against: 'public, other headers each time', atMost: null },
  },
]
