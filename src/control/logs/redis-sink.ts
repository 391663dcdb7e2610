//! Logs in a stream: an entry a line, with the name of its log stream. The stream is cut to about its newest entries.
import { Redis } from 'ioredis'
import type { LogDestination } from '../../domain/log-destination.ts'
import type { LogBatch, LogSink, SinkOptions } from './sink.ts'

/** Entries that the stream keeps, more or less (XADD MAXLEN ~). */
const ENTRIES_MAX = 100_000
/** Longest wait for a connection, and for an answer. Milliseconds. */
const ANSWER_MS = 2_000

export class RedisSink implements LogSink {
  readonly #destination: Extract<LogDestination, { kind: 'redis' }>
  readonly #addressOf: SinkOptions['addressOf']

  constructor(destination: Extract<LogDestination, { kind: 'redis' }>, addressOf: SinkOptions['addressOf']) {
    this.#destination = destination
    this.#addressOf = addressOf
  }

  check(): Promise<void> {
    return this.#connected(async (redis) => {
      await redis.call('XLEN', this.#destination.key)
    })
  }

  deliver({ stream, lines }: LogBatch): Promise<void> {
    return this.#connected(async (redis) => {
      const { key } = this.#destination
      const commands = lines.map((line) => [
        'xadd',
        key,
        'MAXLEN',
        '~',
        ENTRIES_MAX,
        '*',
        'stream',
        stream,
        'line',
        line,
      ])
      // All or nothing, as far as a crash of ours goes.
      const answers = await redis.multi(commands).exec()
      const failed = answers?.find(([error]) => error !== null)?.[0]
      if (failed) throw failed
    })
  }

  /** A connection for each use: logs come every few seconds, and the address of a cache may change. */
  async #connected(use: (redis: Redis) => Promise<void>): Promise<void> {
    const url = new URL(this.#destination.url)
    const own = url.port === '' ? await this.#addressOf(url.hostname) : null
    const redis = new Redis({
      host: own?.host ?? url.hostname.replace(/^\[|\]$/g, ''),
      port: own?.port ?? Number(url.port || 6379),
      ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
      ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
      ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
      lazyConnect: true,
      connectTimeout: ANSWER_MS,
      commandTimeout: ANSWER_MS,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
    })
    // The reason: ioredis says of a refused connection only that it is closed.
    let refused: Error | null = null
    redis.on('error', (error: Error) => {
      refused = error
    })
    try {
      await redis.connect()
      await use(redis)
    } catch (error) {
      throw refused ?? error
    } finally {
      redis.disconnect()
    }
  }
}
