//! End-to-end fuzz: viewers, running workers, an odd origin. What must hold in every case: the worker lives, every
//! request ends, and every answer is made of the key that was asked for, whoever else asked for what at the same time.
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  originDoc,
} from '../support/edge-scenario.ts'
import { randomOf, seedOf } from '../support/random.ts'
import { startOddOrigin } from './edge-origin.ts'
import { makeScript, runScript, type Script, STRICT_HOST } from './edge-viewer.ts'
import { shrink } from './shrink.ts'

export interface EdgeFailure {
  /** Of the case: `seed` of a run of it alone. */
  readonly seed: number
  readonly why: string
  /** What each viewer sent: the smallest that fails alone, or all of the case when it needs the ones before it. */
  readonly viewers: readonly (readonly string[])[]
  readonly alone: boolean
}

export interface EdgeFuzzOptions {
  readonly seed: number
  readonly cases: number
  readonly workers: number
  /** Told after each case; true stops. */
  readonly stop?: () => boolean
}

export interface EdgeFuzzResult {
  readonly cases: number
  readonly viewers: number
  readonly originRequests: number
  readonly failure: EdgeFailure | null
}

const ALL_METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const
const allowing = { allowedMethods: [...ALL_METHODS], cachedMethods: ['GET', 'HEAD', 'OPTIONS'] } as const

/** `spare` is the port of the origin group's secondary. */
function documents(port: number, spare: number) {
  const all = { behavior: 'all', names: [] } as const
  const everything = {
    id: 'all',
    headers: { behavior: 'allViewer', names: [] },
    cookies: all,
    queryStrings: all,
  } as const
  const keyed = cachePolicy({
    defaultTtl: 30,
    headers: { behavior: 'whitelist', names: ['x-a'] },
    cookies: { behavior: 'whitelist', names: ['a'] },
    queryStrings: all,
  })
  const behaviors = [
    behaviorDoc({ ...allowing, pathPattern: '/n/*', cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }), originRequestPolicy: everything }),
    behaviorDoc({ ...allowing, pathPattern: '/s/*', cachePolicy: keyed }),
    behaviorDoc({ ...allowing, pathPattern: '/z/*', cachePolicy: cachePolicy({ minTtl: 1, gzip: true, brotli: true }), compress: true }),
    behaviorDoc({ ...allowing, originId: 'group', cachePolicy: cachePolicy({ defaultTtl: 10 }) }),
  ] // biome-ignore format: one line a behavior
  const hasty = { connectionAttempts: 2, readTimeoutMs: 120, keepaliveTimeoutMs: 2_000 }
  const origins = [originDoc(port, hasty), originDoc(spare, { ...hasty, id: 'spare' })]
  const originGroups = [{ id: 'group', primary: 'origin', secondary: 'spare', statusCodes: [400, 404, 416, 500, 502] }]
  return [
    distributionDoc(port, { behaviors, origins, originGroups }),
    distributionDoc(port, {
      id: 'E2TESTDISTRIB2',
      domainName: STRICT_HOST,
      behaviors,
      origins,
      originGroups,
      rfcStrict: true,
    }),
  ]
}

/** Workers and their origin, until `close`. */
async function startTarget(seed: number, workers: number) {
  const origin = await startOddOrigin(seed)
  const spare = await startOddOrigin(seed + 1)
  const ends: (() => unknown)[] = []
  const t = { after: (end?: unknown) => void ends.push(end as () => unknown) }
  const edge = await EdgeScenario.start(t, documents(origin.port, spare.port), {
    count: workers,
    // Small enough for objects to leave memory for the disk and come back.
    cacheBytes: 1024 * 1024,
    diskBytes: workers === 1 ? 8 * 1024 * 1024 : 0,
  })
  return {
    origin,
    spare,
    edge,
    close: async () => {
      for (const end of ends) await end()
      await origin.close()
      await spare.close()
    },
  }
}
type Target = Awaited<ReturnType<typeof startTarget>>

/** The viewers of a case, at the same time; null when all is well. */
async function runCase(target: Target, scripts: readonly Script[]): Promise<string | null> {
  const { edge, origin, spare } = target
  const broken: unknown[] = []
  const onBroken = (error: unknown) => broken.push(error)
  process.on('uncaughtException', onBroken).on('unhandledRejection', onBroken)
  const wrongs = await Promise.all(scripts.map((script) => runScript(script, edge.port(script.worker))))
  process.off('uncaughtException', onBroken).off('unhandledRejection', onBroken)
  if (broken.length > 0) return `the worker would have died: ${(broken[0] as Error)?.stack ?? broken[0]}`
  const thrown = edge.problems.find((problem) => /\n\s+at /.test(problem))
  edge.problems.length = 0
  if (thrown !== undefined) return `thrown within: ${thrown}`
  const unreadable = origin.unreadable[0] ?? spare.unreadable[0]
  if (unreadable !== undefined) return `the origin cannot read: ${unreadable}`
  return wrongs.find((wrong) => wrong !== null) ?? null
}

function makeCase(seed: number, workers: number): Script[] {
  const random = randomOf(seed)
  return Array.from({ length: random.pick([1, 1, 2, 4]) }, () => makeScript(random, workers))
}

/** Runs `cases` cases, the first with `seed`, the others with the seeds after it, against the same workers. */
export async function fuzzEdge({ seed, cases, workers, stop }: EdgeFuzzOptions): Promise<EdgeFuzzResult> {
  const target = await startTarget(seed, workers)
  let done = 0
  let viewers = 0
  let failure: EdgeFailure | null = null
  let clockMs = 0
  try {
    while (done < cases && failure === null && stop?.() !== true) {
      const caseSeed = seed + done
      const scripts = makeCase(caseSeed, workers)
      const why = await runCase(target, scripts)
      done++
      viewers += scripts.length
      if (why !== null) failure = await explain(caseSeed, workers, scripts, why)
      const random = randomOf(seedOf(caseSeed, 1))
      if (random.chance(0.2)) {
        clockMs += random.pick([1_000, 6_000, 40_000])
        await target.edge.feed.moveClock(clockMs)
      }
      if (random.chance(0.1)) await target.edge.feed.invalidate(DISTRIBUTION_ID, random.pick(['/*', '/c/k1*', '/c/k2']))
    }
  } finally {
    await target.close()
  }
  return { cases: done, viewers, originRequests: target.origin.requests.length + target.spare.requests.length, failure }
}

/** Does it fail alone, against fresh workers? Then with how few requests? */
async function explain(seed: number, workers: number, scripts: readonly Script[], why: string): Promise<EdgeFailure> {
  const fails = async (some: readonly Script[]): Promise<boolean> => {
    const target = await startTarget(seed, workers)
    try {
      return (await runCase(target, some)) !== null
    } finally {
      await target.close()
    }
  }
  const sent = (some: readonly Script[]) =>
    some.map(({ requests, hostile }) => [...requests.map(({ text }) => text), ...(hostile === null ? [] : [hostile])])
  if (!(await fails(scripts))) return { seed, why, viewers: sent(scripts), alone: false }
  let few = await shrink(scripts, fails)
  for (const [at, script] of few.entries()) {
    const requests = await shrink(script.requests, (fewer) => fails(few.with(at, { ...script, requests: fewer })))
    few = few.with(at, { ...script, requests })
  }
  return { seed, why, viewers: sent(few), alone: true }
}
