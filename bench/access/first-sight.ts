//! What a signature costs that was never seen: the deciders of the edge alone, in this process, with cookies that are all
//! different.
import { checkSigned } from '../../src/edge/access/check-signed.ts'
import { signedCookies } from '../../src/edge/access/signed-material.ts'
import { signersPlan } from '../../src/edge/access/signer-keys.ts'
import { VerifiedPolicies } from '../../src/edge/access/verified-policies.ts'
import { EDGE_BENCH } from '../edge.config.ts'
import { SIGNERS, signedCookie } from './rows.ts'

const COOKIES = 500
const REPEATS = 100

const REQUEST = {
  url: { scheme: 'http', host: EDGE_BENCH.host, path: '/private/product-12345.jpg', query: null },
  viewerAddress: '127.0.0.1',
  now: 1_700_000_000_000,
} as const

/** Microseconds of CPU for each, by round. */
export interface Sight {
  readonly first: readonly number[]
  readonly again: readonly number[]
}

export function measureSights(rounds: number): Sight {
  const plan = signersPlan(SIGNERS)
  const first: number[] = []
  const again: number[] = []
  for (let round = -1; round < rounds; round++) {
    const cookies = Array.from({ length: COOKIES }, (_, at) => signedCookie(1 + (round + 1) * COOKIES + at))
    const verified = new VerifiedPolicies()
    const see = () => {
      for (const cookie of cookies) {
        const { code } = checkSigned(plan, signedCookies([cookie]), REQUEST, verified)
        if (code !== null) throw new Error(`a good cookie was refused: ${code}`)
      }
    }
    const took = microsOf(see) / COOKIES
    const repeated = microsOf(() => {
      for (let at = 0; at < REPEATS; at++) see()
    })
    // The first round warms up.
    if (round < 0) continue
    first.push(took)
    again.push(repeated / COOKIES / REPEATS)
  }
  return { first, again }
}

function microsOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}
