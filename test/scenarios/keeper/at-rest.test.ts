//! Nothing of the data is plain text on a disk: while replicas are filled, a snapshot is taken and a group restored, every
//! file that could hold a known value is searched for it again and again.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, readlinkSync, readSync, type WatchEventType, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { processesBelow } from '../../../src/lib/process.ts'
import { KeeperHost, redisAt, redisGroup } from '../../support/keeper-host.ts'

const PIECE = 1024 * 1024
/** Repeated in all values, so that any piece of a file of them has it: nothing else contains it. */
const MARK = randomBytes(24)

let host: KeeperHost
before(async () => {
  host = await KeeperHost.start()
})
after(() => host.end())

/** True when the file has the mark; one that is gone meanwhile has not. */
function hasMark(path: string): boolean {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return false
  }
  try {
    const buffer = Buffer.alloc(PIECE + MARK.length)
    for (let at = 0; ; at += PIECE) {
      const length = readSync(file, buffer, 0, buffer.length, at)
      if (buffer.subarray(0, length).includes(MARK)) return true
      if (length < buffer.length) return false
    }
  } finally {
    closeSync(file)
  }
}

const filesBelow = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** Files that processes of this keeper hold open, deleted ones included: a temporary file may have no name. */
function openFiles(): readonly string[] {
  return [...processesBelow(host.home).map(({ process }) => process.pid), host.process.pid!].flatMap((pid) => {
    const directory = `/proc/${pid}/fd`
    try {
      return readdirSync(directory).flatMap((fd) => {
        const target = readlinkSync(join(directory, fd))
        return /^\/(?!dev\/|proc\/|sys\/)/.test(target) ? [join(directory, fd)] : []
      })
    } catch {
      return []
    }
  })
}

/** Looks through everything until it is ended; what it found, and how often it looked. */
class Search {
  readonly found = new Set<string>()
  readonly named = new Set<string>()
  rounds = 0
  #ended = false
  readonly #watcher = watch(host.home, { recursive: true }, (_type: WatchEventType, name) => {
    if (name !== null) this.named.add(name)
  })
  readonly #done = this.#run()

  async #run(): Promise<void> {
    while (!this.#ended) {
      const temporary = readdirSync(tmpdir(), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(tmpdir(), entry.name))
      for (const file of [...filesBelow(host.home), ...openFiles(), ...temporary]) {
        if (hasMark(file)) this.found.add(file)
      }
      this.rounds += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async end(): Promise<void> {
    this.#ended = true
    await this.#done
    this.#watcher.close()
  }
}

test('the search finds what is there', async () => {
  const group = redisGroup('open', 1, { appendonly: 'always' })
  host.wish([group])
  const redis = await redisAt((await host.settled('open')).endpoint)
  const search = new Search()
  await redis.set('key', MARK)
  while (search.found.size === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  await search.end()
  redis.disconnect()
  assert.ok([...search.found].some((file) => file.includes('appendonlydir')))
  host.wish([])
  await host.waitFor((seen) => seen.groups.length === 0)
})

test('sync of replicas, a snapshot and a restore leave no plain text in any file', async () => {
  const shop = redisGroup('shop', 1, { atRestEncryption: true, configuration: [['maxmemory', '300mb']] })
  host.wish([shop])
  const redis = await redisAt((await host.settled('shop')).endpoint)
  // 48 MB: transfers take long enough to be looked at.
  const value = Buffer.concat(Array.from({ length: 32 }, () => Buffer.concat([MARK, randomBytes(16_000)])))
  for (let n = 0; n < 96; n++) await redis.set(`key:${n}`, value)
  // What the engine itself can be asked to write, by one who may (the keeper's user has all rights; clients have not).
  assert.deepEqual(await redis.config('GET', 'save').catch(() => ['save', '']), ['save', ''])
  redis.disconnect()
  const search = new Search()
  try {
    const three = { ...redisGroup('shop', 3), atRestEncryption: true, configuration: shop.configuration }
    host.wish([three])
    await host.settled('shop')
    const snapshots = [{ id: 'sealed', group: 'shop', from: 'replica', kmsKeyId: null } as const]
    host.wish([three], [], { snapshots })
    await host.waitFor((seen) => seen.snapshots[0]?.state === 'ready')
    const copy = redisGroup('copy', 2, { ...three, id: 'copy', nodes: redisGroup('copy', 2).nodes })
    host.wish([three, { ...copy, restoreFrom: { snapshot: 'sealed' } }], [], { snapshots })
    const restored = await redisAt((await host.settled('copy')).endpoint)
    assert.ok((await restored.getBuffer('key:95'))!.equals(value))
    restored.disconnect()
    await host.killKeeper()
    await host.startKeeper()
    await host.settled('copy')
  } finally {
    await search.end()
  }
  assert.deepEqual([...search.found], [])
  assert.ok(search.rounds >= 3, `it looked ${search.rounds} times`)
  assert.equal(
    [...search.named].some((name) => name.endsWith('.rdb')),
    false,
    'no RDB file was even made',
  )
})
