//! A queue of jobs in a stream with a consumer group: each job goes to one worker, stays pending until the worker says
//! that it is done, and goes to another worker when the first has died with it. A job can therefore come twice (its
//! worker died between the work and its word): the work must bear that, or remember the job's id where it has its effect.
import type { Redis } from 'ioredis'
import type { Cache } from './support/cache.ts'

const GROUP = 'workers'
/** Milliseconds that a worker waits for a job before it looks after those of dead workers. */
const BLOCK_MS = 200
const AT_ONCE = 10
/** A job that has failed so often is set aside in `<stream>:dead`. */
const DELIVERIES_MAX = 5
/** Jobs that a stream holds at most, about: done ones are removed, so only a backlog counts. */
const LENGTH_MAX = 100_000

export interface Job {
  readonly id: string
  readonly body: string
}

type Entry = readonly [id: string, fields: readonly string[]]

export class StreamQueue {
  readonly #cache: Cache
  readonly #stream: string
  readonly #claimMs: number

  /** @param claimMs a job that its worker has not finished in that time goes to another. Longer than any job takes. */
  constructor(cache: Cache, name: string, claimMs: number) {
    this.#cache = cache
    this.#stream = `queue:{${name}}`
    this.#claimMs = claimMs
  }

  async open(): Promise<void> {
    const { primary } = this.#cache
    await primary.xgroup('CREATE', this.#stream, GROUP, '0', 'MKSTREAM').catch((error: Error) => {
      if (!error.message.startsWith('BUSYGROUP')) throw error
    })
  }

  async add(body: string): Promise<string> {
    return String(await this.#cache.primary.xadd(this.#stream, 'MAXLEN', '~', LENGTH_MAX, '*', 'body', body))
  }

  /** Jobs that are waiting or pending, and those set aside. */
  async counts(): Promise<{ readonly open: number; readonly dead: number }> {
    const { primary } = this.#cache
    const [open, dead] = await Promise.all([primary.xlen(this.#stream), primary.xlen(`${this.#stream}:dead`)])
    return { open, dead }
  }

  /** Works until `signal` ends it. A job whose work throws stays pending and is tried again by whoever comes next. */
  async work(worker: string, signal: AbortSignal, work: (job: Job) => Promise<void>): Promise<void> {
    // Waiting for a job blocks the connection: each worker has its own.
    const redis = this.#cache.primary.duplicate()
    redis.on('error', () => {})
    try {
      while (!signal.aborted) {
        for (const job of [...(await this.#orphans(redis, worker)), ...(await this.#fresh(redis, worker))]) {
          if (signal.aborted) return
          await work(job).then(
            () => this.#done(redis, job.id),
            () => {},
          )
        }
      }
    } finally {
      redis.disconnect()
    }
  }

  async #fresh(redis: Redis, worker: string): Promise<readonly Job[]> {
    const answer = (await redis.xreadgroup(
      ...(['GROUP', GROUP, worker, 'COUNT', AT_ONCE, 'BLOCK', BLOCK_MS, 'STREAMS', this.#stream, '>'] as const),
    )) as readonly (readonly [string, readonly Entry[]])[] | null
    return (answer?.[0]?.[1] ?? []).map(jobOf)
  }

  /** Jobs of workers that have not been heard of for too long; one that kills its workers is set aside. */
  async #orphans(redis: Redis, worker: string): Promise<readonly Job[]> {
    const answer = await redis.xautoclaim(this.#stream, GROUP, worker, this.#claimMs, '0', 'COUNT', AT_ONCE)
    const jobs = (answer[1] as Entry[]).map(jobOf)
    const alive: Job[] = []
    for (const job of jobs) {
      const pending = (await redis.xpending(this.#stream, GROUP, job.id, job.id, 1)) as [
        string,
        string,
        number,
        number,
      ][]
      if ((pending[0]?.[3] ?? 0) <= DELIVERIES_MAX) alive.push(job)
      else await this.#setAside(redis, job)
    }
    return alive
  }

  async #setAside(redis: Redis, { id, body }: Job): Promise<void> {
    await redis
      .multi()
      .xadd(`${this.#stream}:dead`, '*', 'id', id, 'body', body)
      .xack(this.#stream, GROUP, id)
      .xdel(this.#stream, id)
      .exec()
  }

  async #done(redis: Redis, id: string): Promise<void> {
    await redis.multi().xack(this.#stream, GROUP, id).xdel(this.#stream, id).exec()
  }
}

const jobOf = ([id, fields]: Entry): Job => ({ id, body: fields[fields.indexOf('body') + 1] ?? '' })

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const queue = new StreamQueue(cache, 'thumbnails', 100)
  await queue.open()
  for (let n = 1; n <= 20; n++) await queue.add(`photo-${n}.jpg`)
  const done = new Map<string, string>()
  const [dying, living] = [new AbortController(), new AbortController()]
  // The first worker takes jobs and dies with them, after three.
  await queue.work('first', dying.signal, async ({ body }) => {
    done.set(body, 'first')
    if (done.size === 3) dying.abort()
  })
  say(`the first worker died after ${done.size} jobs; open: ${(await queue.counts()).open}`)
  await queue.work('second', living.signal, async ({ body }) => {
    done.set(body, done.get(body) ?? 'second')
    if (done.size === 20) living.abort()
  })
  say(`the second one did the rest: ${[...done.values()].filter((who) => who === 'second').length}`)
}
