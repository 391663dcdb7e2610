//! Fuzzing of signed requests: queries and cookies put together of good, broken, doubled and hostile parts. Nothing may
//! throw; nothing is let in whose policy was not signed by us, or is over; and what is taken off a URL is exactly what signs
//! it. `npm run fuzz -- --only signed` runs it for as long as wanted, `npm test` for a fixed count (signed.test.ts).
import { sign } from 'node:crypto'
import { checkSigned, type SignedVerdict } from '../../src/edge/access/check-signed.ts'
import { signedCookies, signedQuery } from '../../src/edge/access/signed-material.ts'
import { signersPlan } from '../../src/edge/access/signer-keys.ts'
import { decodeSigned } from '../../src/edge/access/signing-base64.ts'
import { VerifiedPolicies } from '../../src/edge/access/verified-policies.ts'
import { type Random, randomOf } from '../support/random.ts'
import { ecKey, rsaKey, type SigningKey } from '../support/signing-keys.ts'

export interface SignedFinding {
  readonly seed: number
  readonly query: string | null
  readonly cookies: readonly string[]
  readonly why: string
}

export interface SignedRun {
  readonly findings: readonly SignedFinding[]
  readonly letIn: number
  readonly refused: number
}

const NOW = 1_700_000_000
const URL = { scheme: 'https', host: 'h.example', path: '/a/b' } as const
const NAMES = ['Policy', 'Signature', 'Key-Pair-Id', 'Expires', 'Hash-Algorithm']
const ODD = ['policy', 'Policy ', '%50olicy', 'Signature[]', 'Key-Pair-ID', 'CloudFront-Policy', 'a', '']

const encoded = (bytes: Buffer | string): string =>
  Buffer.from(bytes as string)
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('=', '_')
    .replaceAll('/', '~')

const condition = (time: unknown, more = '') => `"Condition":{"DateLessThan":{"AWS:EpochTime":${String(time)}}${more}}`
const POLICIES = [
  `{"Statement":[{"Resource":"*",${condition(NOW + 60)}}]}`,
  `{"Statement":{"Resource":"https://h.example/a/*",${condition(NOW + 60)}}}`,
  `{"Statement":[{"Resource":"https://h.example/c",${condition(NOW + 60)}}]}`,
  `{"Statement":[{"Resource":"*",${condition(NOW - 60)}}]}`,
  `{"Statement":[{"Resource":"*",${condition(NOW + 60, ',"IpAddress":{"AWS:SourceIp":"10.0.0.0/8"}')}}]}`,
  `{"Statement":[{"Resource":"${'*a'.repeat(500)}",${condition(NOW + 60)}}]}`,
  `{"Statement":[{"Resource":"https://h.example/a/b",${condition(NOW + 60)}}]}`,
  `{"Statement":[{${condition(`"${NOW + 60}"`)}}]}`,
  '{}',
  '[[[[',
  '',
  'null',
]
/** Signed by nobody here. */
const FORGED = [
  `{"Statement":[{"Resource":"*",${condition(NOW + 600)}}]}`,
  '{'.repeat(3_000),
  '\u0000',
  '{"__proto__":{}}',
]

const KEYS: readonly (readonly [string, SigningKey])[] = [
  ['KRSA', rsaKey()],
  ['KEC', ecKey()],
]
const PLAN = signersPlan({
  keyGroups: [{ id: 'group', keys: KEYS.map(([id, { publicKey: pem }]) => ({ id, pem })) }],
  accounts: [],
})
const CANNED = `{"Statement":[{"Resource":"https://h.example/a/b",${condition(NOW + 60)}}]}`
const SIGNED = new Set([...POLICIES, CANNED])
/** By policy, hash and key: made once. */
const SIGNATURES = [...SIGNED].flatMap((text) =>
  KEYS.flatMap(([id, { privateKey }]) =>
    (['sha1', 'sha256'] as const).map((hash) => ({
      text,
      id,
      hash,
      value: encoded(sign(hash, Buffer.from(text), privateKey)),
    })),
  ),
)

function pairsOf(random: Random): [string, string][] {
  const one = random.pick(SIGNATURES)
  const forged = random.chance(0.2)
  const policy = encoded(forged ? random.pick(FORGED) : one.text)
  const pairs: [string, string][] = [
    one.text === CANNED && random.chance(0.8) ? ['Expires', String(NOW + 60)] : ['Policy', policy],
    ['Signature', one.value],
    ['Key-Pair-Id', one.id],
  ]
  if (one.hash === 'sha256' || random.chance(0.1))
    pairs.push(['Hash-Algorithm', one.hash === 'sha256' ? 'SHA256' : 'SHA1'])
  const changes = random.chance(0.4) ? 0 : 1 + random.whole(3)
  for (let n = 0; n < changes; n++) change(random, pairs)
  return pairs
}

function change(random: Random, pairs: [string, string][]): void {
  const at = random.whole(pairs.length)
  const pair = pairs[at]
  if (pair === undefined) return
  const [name, value] = pair
  const place = random.whole(value.length + 1)
  const acts: readonly (() => void)[] = [
    () => pairs.splice(at, 1),
    () => pairs.push([name, random.chance(0.5) ? value : value.slice(1)]),
    () => pairs.splice(at, 1, [random.pick(ODD), value]),
    () =>
      pairs.splice(at, 1, [
        name,
        value.slice(0, place) +
          random.pick(['!', '=', '+', '/', '%', '%7E', '~', '_', 'A', ' ']) +
          value.slice(place + 1),
      ]),
    () => pairs.splice(at, 1, [name, value.slice(0, place)]),
    () => pairs.splice(at, 1, [name, value + value]),
    () => pairs.splice(at, 1, [name, random.pick(['', '0', '-1', '9'.repeat(40), 'A'.repeat(20_000), '____'])]),
    () => pairs.push([random.pick(NAMES), random.pick(['', 'x', String(NOW + 60)])]),
    () => pairs.push([random.pick(ODD), 'x']),
    () => void pairs.sort(() => (random.chance(0.5) ? 1 : -1)),
  ]
  random.pick(acts)()
}

/** Why the verdict cannot be right; null when it can. */
function wrongWith(verdict: SignedVerdict, policyText: string | null): string | null {
  if (verdict.code !== null) return null
  const { policy } = verdict
  if (policy.lessThan <= NOW) return 'it is over'
  if (policy.source !== null) return 'the viewer is elsewhere'
  if (policyText === null) return 'no policy at all'
  return SIGNED.has(policyText) ? null : 'nobody signed this policy'
}

/** What must be left of a query: told without the code that is tried. */
function restOf(query: string): string | null {
  const kept = query.split('&').filter((part) => !NAMES.some((name) => part === name || part.startsWith(`${name}=`)))
  return kept.length === 0 ? null : kept.join('&')
}

export function fuzzSigned(seed: number, cases: number): SignedRun {
  const findings: SignedFinding[] = []
  let letIn = 0
  const verified = new VerifiedPolicies(50)
  for (let at = 0; at < cases; at++) {
    const random = randomOf(seed + at)
    const pairs = pairsOf(random)
    const inUrl = random.chance(0.5)
    const query = inUrl ? pairs.map(([name, value]) => `${name}=${value}`).join('&') : null
    const cookies = inUrl ? [] : [pairs.map(([name, value]) => `CloudFront-${name}=${value}`).join('; ')]
    const found = (why: string) => findings.push({ seed: seed + at, query, cookies, why })
    try {
      const signed = signedQuery(query)
      if (signed !== null && signed.rest !== restOf(query as string)) found('something else was taken off the URL')
      const material = signed === null ? signedCookies(cookies) : signed.material
      const url = { ...URL, query: signed === null ? query : signed.rest }
      const verdict = checkSigned(PLAN, material, { url, viewerAddress: '192.0.2.1', now: NOW * 1_000 }, verified)
      const { Policy: policy, Expires: expires } = material?.values ?? {}
      const text =
        policy === undefined
          ? expires === String(NOW + 60)
            ? CANNED
            : null
          : (decodeSigned(policy)?.toString() ?? null)
      const why = wrongWith(verdict, text)
      if (why !== null) found(why)
      if (verdict.code === null) letIn++
    } catch (error) {
      found(`it threw: ${String(error)}`)
    }
  }
  return { findings, letIn, refused: cases - letIn }
}
