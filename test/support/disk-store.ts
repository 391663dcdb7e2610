//! A disk store in a directory of its own, for tests of it alone: objects whose bytes follow from their key, so that
//! whoever reads one can tell whether it is right.

import { SegmentPool } from '../../src/edge/cache/disk/segment-pool.ts'
import { DiskStore } from '../../src/edge/cache/disk/store.ts'
import type { ObjectMeta } from '../../src/edge/cache/object.ts'
import { Counters } from '../../src/observe/counters.ts'

export const STORE_ID = 77

export interface TestStore {
  readonly store: DiskStore
  readonly counters: Counters
  readonly troubles: (Error | null)[]
}

export interface TestStoreOptions {
  readonly segmentBytes?: number
  readonly segments?: number
  readonly pendingBytesMax?: number
  readonly inMemory?: (key: string) => boolean
}

export async function openTestStore(directory: string, options: TestStoreOptions = {}): Promise<TestStore> {
  const counters = new Counters()
  const troubles: (Error | null)[] = []
  const pool = new SegmentPool(directory, options.segmentBytes ?? 1024 * 1024, options.segments ?? 4, STORE_ID)
  const store = new DiskStore({
    pool,
    seedA: 1,
    seedB: 2,
    pendingBytesMax: options.pendingBytesMax ?? 64 * 1024 * 1024,
    counters,
    inMemory: options.inMemory ?? (() => false),
    onTrouble: (error) => troubles.push(error),
    onDamage: () => {},
  })
  await store.load()
  return { store, counters, troubles }
}

export function testMeta(key: string, changes: Partial<ObjectMeta> = {}): ObjectMeta {
  return {
    status: 200,
    head: `HTTP/1.1 200 OK\r\nX-Key: ${key}\r\n`,
    distributionId: 'E1',
    uri: `/${key}`,
    contentType: 'text/plain',
    etag: `"${key}"`,
    lastModified: '',
    bornAt: 1,
    freshUntil: 2,
    staleUntil: 3,
    swrUntil: 2,
    ttlSource: 'max-age',
    asOf: 5,
    tags: '',
    variant: '',
    ...changes,
  }
}

/** The body of version `version` of the object with this key; begins with both. */
export function testBody(key: string, version: number, bytes: number): Buffer {
  const line = `${key} ${version} `
  return Buffer.alloc(bytes, line.repeat(Math.ceil(1024 / line.length)).slice(0, 1024))
}

/** The version of a body that is right to the last byte; null for one that is not. */
export function versionOf(key: string, body: Buffer): number | null {
  const found = /^(\S+) (\d+) /.exec(body.toString('latin1', 0, 200))
  if (found === null || found[1] !== key) return null
  const version = Number(found[2])
  return body.equals(testBody(key, version, body.length)) ? version : null
}
