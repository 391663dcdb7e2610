//! The clients of the drill, each with the settings that it has by itself, for what it does when its primary dies is part
//! of what is measured. A failed write is not tried again by us: what is duplicated was sent twice by the library.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createClient } from '@redis/client'
import { Redis } from 'ioredis'
import type { NumberClient, Wait, WriterSpec } from './writer.ts'

const PORT = 6379
/** Replicas of the group under drill. */
export const REPLICAS = 2
/**
 * A write that its replicas do not have by then is not acknowledged; while one is rebuilt none is, and every pause that is
 * measured is longer by this. Milliseconds.
 */
const WAIT_MS = 40

function ioredis(endpoint: string): NumberClient {
  const redis = new Redis(PORT, endpoint)
  redis.on('error', () => {})
  let connection = 0
  redis.on('close', () => connection++)
  return {
    async append(list, n, wait) {
      const before = connection
      await redis.rpush(list, n)
      const replicas = wait.replicas === 0 ? 0 : await redis.wait(wait.replicas, wait.ms)
      return connection === before ? replicas : null
    },
    close: () => redis.disconnect(),
  }
}

async function nodeRedis(endpoint: string): Promise<NumberClient> {
  const client = createClient({ socket: { host: endpoint, port: PORT } })
  let connection = 0
  client.on('error', () => connection++)
  await client.connect()
  return {
    async append(list, n, wait) {
      const before = connection
      await client.rPush(list, String(n))
      const replicas = await client.wait(wait.replicas, wait.ms)
      return connection === before ? replicas : null
    },
    close: () => client.destroy(),
  }
}

/** A script's way: one process a write. It connects again by itself between two lines, so its connection is asked for. */
function redisCli(endpoint: string): NumberClient {
  return {
    async append(list, n, wait) {
      const lines = ['CLIENT ID', `RPUSH ${list} ${n}`, `WAIT ${wait.replicas} ${wait.ms}`, 'CLIENT ID', '']
      const child = spawn('redis-cli', ['-h', endpoint, '-p', String(PORT)], { stdio: ['pipe', 'pipe', 'ignore'] })
      let printed = ''
      child.stdout.on('data', (text: Buffer) => {
        printed += text
      })
      child.stdin.on('error', () => {})
      child.stdin.end(lines.join('\n'))
      await once(child, 'close')
      const [before, length, replicas, after] = printed.split('\n')
      if (!/^\d+$/.test(length ?? '')) throw new Error(printed)
      return before === after && /^\d+$/.test(replicas ?? '') ? Number(replicas) : null
    },
    close: () => {},
  }
}

/** A program in Python that writes when it is told to. */
class RedisPy implements NumberClient {
  readonly #child: ChildProcessWithoutNullStreams
  #answer: (line: string) => void = () => {}

  constructor(endpoint: string) {
    const program = fileURLToPath(new URL('redis-py.py', import.meta.url))
    this.#child = spawn(PYTHON, ['-u', program, endpoint, String(PORT)])
    this.#child.stdin.on('error', () => {})
    createInterface(this.#child.stdout).on('line', (line) => this.#answer(line))
    this.#child.on('close', () => this.#answer('failed: it ended'))
  }

  async append(list: string, n: number, wait: Wait): Promise<number> {
    const answered = Promise.withResolvers<string>()
    this.#answer = answered.resolve
    this.#child.stdin.write(`${list} ${n} ${wait.replicas} ${wait.ms}\n`)
    const line = await answered.promise
    if (!/^\d+$/.test(line)) throw new Error(line)
    return Number(line)
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const closed = once(this.#child, 'close')
    this.#child.stdin.end()
    await closed
  }
}

const PYTHON = '/usr/bin/python3'
export const hasRedisPy = existsSync('/usr/lib/python3/dist-packages/redis')

const all = { replicas: REPLICAS, ms: WAIT_MS }

/** Every client waits for all replicas; one more for one of the two, and one for none. */
export const WRITERS: readonly WriterSpec[] = [
  { name: 'ioredis', wait: all, open: ioredis },
  { name: 'node-redis', wait: all, open: nodeRedis },
  { name: 'redis-cli', wait: all, open: redisCli },
  ...(hasRedisPy ? [{ name: 'redis-py', wait: all, open: (endpoint: string) => new RedisPy(endpoint) }] : []),
  { name: 'ioredis WAIT 1', wait: { replicas: 1, ms: WAIT_MS }, open: ioredis },
  { name: 'ioredis no WAIT', wait: { replicas: 0, ms: 0 }, open: ioredis },
]
