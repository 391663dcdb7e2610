//! One attempt to load a snapshot into an engine that has just been started: a thread plays the primary, the engine is
//! told to replicate from it, and what it has loaded is checked before anybody is served.
import { Worker } from 'node:worker_threads'
import type { Door } from '../door.ts'
import type { EngineLink } from '../engine.ts'
import { AttemptError } from './capture.ts'
import { SealError } from './frames.ts'
import { KeyError } from './key-file.ts'
import { dataFile } from './manifest.ts'
import { rdbVersionMax } from './rdb.ts'
import type { Vault } from './vault.ts'

/** Where the thread listens: the same host as the engine. */
const ADDRESS = '127.0.0.1'
/** How often the engine's memory is looked at while it loads. Milliseconds. */
const MEMORY_LOOK_MS = 250
/** Longest without a byte going over, the engine's own start of the transfer included. Milliseconds. */
const STANDSTILL_MS = 60_000

export interface RestoreOrder {
  readonly file: string
  /** Of the frames. A secret; it goes to the thread in memory. */
  readonly key: Buffer
  readonly snapshot: string
  readonly bytes: number
  readonly address: string
  readonly username: string | null
  readonly password: string | null
}

export type RestoreNews =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'progress'; readonly bytes: number }
  | { readonly type: 'loaded' }
  | { readonly type: 'failed'; readonly problem: string; readonly again: boolean }

export interface RestoreTarget {
  readonly engine: 'redis' | 'valkey'
  /** Version of the running binary. */
  readonly version: string
  readonly door: Door
  readonly link: EngineLink
}

const THREAD = new URL(import.meta.url.endsWith('.ts') ? './restore-thread.ts' : './restore-thread.js', import.meta.url)

/**
 * Loads the snapshot into the engine, which is a replica of the thread when it resolves; `promote` then makes it a
 * primary while the thread still stands. @throws AttemptError; `signal` ends it
 */
export async function restore(
  vault: Vault,
  snapshot: string,
  target: RestoreTarget,
  hear: (bytes: number, total: number) => void,
  promote: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { manifest, key } = await unlock(vault, snapshot)
  const { rdbVersion, rdbBytes, engineVersion } = manifest.facts
  const newest = rdbVersionMax(target.engine, target.version)
  if (newest !== null && rdbVersion > newest) {
    throw new AttemptError(
      `its RDB has version ${rdbVersion} (of ${engineVersion ?? 'an unnamed engine'}); ${target.engine} ${target.version} reads up to ${newest}: choose a newer engine version`,
      false,
    )
  }
  const { username, password } = target.door
  const file = dataFile(vault.directoryOf(snapshot))
  const order: RestoreOrder = { file, key, snapshot, bytes: rdbBytes, address: ADDRESS, username, password }
  const thread = new RestoreThread(order, (bytes) => hear(bytes, rdbBytes))
  const abort = (): void => thread.fail(new AttemptError('it was ended', false))
  signal.addEventListener('abort', abort, { once: true })
  try {
    const port = await thread.listening
    const loading = await begin(target.link, port)
    await Promise.race([thread.loaded, watchMemory(target.link, thread)])
    await checkMemory(target.link)
    await promote()
    await loading.undo()
  } finally {
    signal.removeEventListener('abort', abort)
    thread.end()
  }
}

async function begin(link: EngineLink, port: number): Promise<{ undo(): Promise<void> }> {
  const { replication } = link
  if (replication === null) throw new AttemptError('this engine cannot be restored', false)
  return replication.load(ADDRESS, port).catch((error: Error) => {
    throw new AttemptError(`the engine does not take it: ${error.message}`, true)
  })
}

async function unlock(vault: Vault, snapshot: string) {
  try {
    return await vault.unlock(snapshot)
  } catch (error) {
    if (error instanceof KeyError) throw new AttemptError(error.message, false)
    if (error instanceof SealError) throw new AttemptError(`Snapshot ${snapshot}: ${error.message}`, false)
    throw new AttemptError((error as Error).message, false)
  }
}

class RestoreThread {
  readonly #thread: Worker
  readonly #listening = Promise.withResolvers<number>()
  readonly #loaded = Promise.withResolvers<void>()
  #standstill: NodeJS.Timeout
  #bytes = -1

  constructor(order: RestoreOrder, hear: (bytes: number) => void) {
    this.#standstill = this.#timer()
    this.#thread = new Worker(THREAD, { workerData: order })
    // Each is awaited by somebody only for a part of the time.
    this.#listening.promise.catch(() => {})
    this.#loaded.promise.catch(() => {})
    this.#thread.on('message', (news: RestoreNews) => {
      if (news.type === 'listening') this.#listening.resolve(news.port)
      else if (news.type === 'loaded') this.#loaded.resolve()
      else if (news.type === 'failed') this.fail(new AttemptError(news.problem, news.again))
      else if (news.bytes > this.#bytes) {
        this.#bytes = news.bytes
        clearTimeout(this.#standstill)
        this.#standstill = this.#timer()
        hear(news.bytes)
      }
    })
    this.#thread.on('error', (error: Error) => this.fail(new AttemptError(error.message, false)))
  }

  #timer(): NodeJS.Timeout {
    const fail = (): void => this.fail(new AttemptError(`the engine took nothing for ${STANDSTILL_MS / 1000} s`, true))
    return setTimeout(fail, STANDSTILL_MS)
  }

  get listening(): Promise<number> {
    return this.#listening.promise
  }

  get loaded(): Promise<void> {
    return this.#loaded.promise
  }

  fail(error: AttemptError): void {
    this.#listening.reject(error)
    this.#loaded.reject(error)
  }

  end(): void {
    clearTimeout(this.#standstill)
    void this.#thread.terminate()
  }
}

/** Never resolves; rejects as soon as the engine holds more than it may, long before the host has to pay for all of it. */
async function watchMemory(link: EngineLink, thread: RestoreThread): Promise<never> {
  let isOver = false
  const over = (): void => {
    isOver = true
  }
  thread.loaded.then(over, over)
  while (!isOver) {
    await checkMemory(link)
    await new Promise((resolve) => setTimeout(resolve, MEMORY_LOOK_MS))
  }
  return thread.loaded as Promise<never>
}

async function checkMemory(link: EngineLink): Promise<void> {
  const info = await link.statistics().catch((error: Error) => {
    throw new AttemptError(`the engine does not answer while it loads: ${error.message}`, true)
  })
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  const [used, max] = [field('used_memory') - field('mem_not_counted_for_evict'), field('maxmemory')]
  if (max === 0 || used <= max) return
  throw new AttemptError(
    `its data does not fit: the node has a maxmemory of ${max} bytes, and ${used} are used; choose a larger node type`,
    false,
  )
}
