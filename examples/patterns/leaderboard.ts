//! Leaderboard: a sorted set keeps the players in the order of their scores, so that a rank costs a logarithm and not a
//! query that counts. Equal scores share a place in the sort of their names.
import type { Cache } from './support/cache.ts'

export interface Place {
  readonly player: string
  readonly score: number
  /** From 1. */
  readonly rank: number
}

export class Leaderboard {
  readonly #cache: Cache
  readonly #key: string

  constructor(cache: Cache, name: string) {
    this.#cache = cache
    this.#key = `leaderboard:${name}`
  }

  /** @returns the new score */
  async add(player: string, points: number): Promise<number> {
    return Number(await this.#cache.primary.zincrby(this.#key, points, player))
  }

  /** Keeps the best of what a player has reached. */
  async record(player: string, score: number): Promise<void> {
    await this.#cache.primary.zadd(this.#key, 'GT', score, player)
  }

  /** A list that may be a moment old: from a replica. */
  async top(count: number): Promise<readonly Place[]> {
    return places(await this.#cache.reader.zrevrange(this.#key, 0, count - 1, 'WITHSCORES'), 1)
  }

  /** Null for who has no score. From the primary: players look at their own rank right after a game. */
  async rank(player: string): Promise<Place | null> {
    const [score, rank] = await Promise.all([
      this.#cache.primary.zscore(this.#key, player),
      this.#cache.primary.zrevrank(this.#key, player),
    ])
    return score === null || rank === null ? null : { player, score: Number(score), rank: rank + 1 }
  }

  /** The player with up to `each` neighbours above and below. */
  async around(player: string, each: number): Promise<readonly Place[]> {
    const rank = await this.#cache.primary.zrevrank(this.#key, player)
    if (rank === null) return []
    const first = Math.max(0, rank - each)
    return places(await this.#cache.primary.zrevrange(this.#key, first, rank + each, 'WITHSCORES'), first + 1)
  }
}

/** Pairs of member and score, the first of them at `rank`. */
function places(flat: readonly string[], rank: number): Place[] {
  return Array.from({ length: flat.length / 2 }, (_, at) => ({
    player: flat[at * 2] ?? '',
    score: Number(flat[at * 2 + 1]),
    rank: rank + at,
  }))
}

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const board = new Leaderboard(cache, 'chess')
  for (const [player, points] of [
    ['ada', 40],
    ['bob', 55],
    ['cy', 30],
    ['dee', 55],
    ['ada', 20],
  ] as const) {
    await board.add(player, points)
  }
  const line = ({ rank, player, score }: Place): string => `${rank}. ${player} ${score}`
  await cache.primary.wait(1, 1_000)
  say(`top three: ${(await board.top(3)).map(line).join(', ')}`)
  say(`around bob: ${(await board.around('bob', 1)).map(line).join(', ')}`)
}
