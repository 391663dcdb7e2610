//! `npm run pattern -- NAME ...`: runs patterns on a replication group of their own (one primary, one replica), or on the
//! one that CACHE_PRIMARY and CACHE_READER name, and prints what they do.
import { demo as cart } from './cart.ts'
import { demo as counters } from './counters.ts'
import { demo as geo } from './geo.ts'
import { demo as lambdaState } from './lambda-state.ts'
import { demo as leaderboard } from './leaderboard.ts'
import { demo as lock } from './lock.ts'
import { demo as pageCache } from './page-cache.ts'
import { demo as pubSub } from './pub-sub.ts'
import { demo as rateLimit } from './rate-limit.ts'
import { demo as s3Index } from './s3-index.ts'
import { demo as searchCache } from './search-cache.ts'
import { demo as sessions } from './sessions.ts'
import { demo as streamQueue } from './stream-queue.ts'
import { type Cache, connect, endpointOf } from './support/cache.ts'
import { startGroup } from './support/group.ts'
import { demo as writeBehind } from './write-behind.ts'
import { demo as writeThrough } from './write-through.ts'

type Demo = (cache: Cache, say: (line: string) => void) => Promise<void>

/** By file name. */
export const PATTERNS: Readonly<Record<string, Demo>> = {
  sessions,
  'page-cache': pageCache,
  'search-cache': searchCache,
  leaderboard,
  counters,
  'rate-limit': rateLimit,
  'pub-sub': pubSub,
  'stream-queue': streamQueue,
  geo,
  lock,
  cart,
  'write-through': writeThrough,
  'write-behind': writeBehind,
  's3-index': s3Index,
  'lambda-state': lambdaState,
}

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.find((name) => PATTERNS[name] === undefined)
  if (names.length === 0 || unknown !== undefined) {
    if (unknown !== undefined) console.error(`There is no pattern ${unknown}.`)
    console.error(
      `Usage: npm run pattern -- NAME ...\n  ${Object.keys(PATTERNS).join(', ')}\nExample: npm run pattern -- leaderboard lock`,
    )
    process.exitCode = 2
    return
  }
  const { CACHE_PRIMARY, CACHE_READER } = process.env
  const own = CACHE_PRIMARY === undefined ? await startGroup() : null
  const cache = own?.cache ?? connect(endpointOf(CACHE_PRIMARY ?? ''), endpointOf(CACHE_READER ?? CACHE_PRIMARY ?? ''))
  try {
    for (const name of names) {
      console.log(name)
      await PATTERNS[name]?.(cache, (line) => console.log(`  ${line}`))
    }
  } finally {
    if (own === null) cache.close()
    else await own.stop()
  }
}

if (import.meta.main) await main(process.argv.slice(2))
