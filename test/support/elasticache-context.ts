//! ElastiCache's operations on a real state of their own, without a keeper: for tests of what they accept and store.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Fault } from '../../src/domain/faults.ts'
import { quotasWith } from '../../src/domain/quotas.ts'
import { MovableClock } from '../../src/lib/clock.ts'
import type { ServiceContext } from '../../src/services/service.ts'
import { openSqliteState } from '../../src/state/sqlite.ts'

export interface ElastiCacheContext extends ServiceContext {
  readonly clock: MovableClock
}

/** A context for one test; its state goes with the test. */
export async function elasticacheContext(t: TestContext): Promise<ElastiCacheContext> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-elasticache-'))
  const clock = new MovableClock()
  const state = await openSqliteState(join(directory, 'state.db'), clock)
  t.after(async () => {
    await state.close()
    await rm(directory, { recursive: true })
  })
  const binaries = [
    { engine: 'redis', version: '7.0.15' },
    { engine: 'memcached', version: '1.6.18' },
  ]
  return {
    state,
    clock,
    accountId: '123456789012',
    region: 'us-east-1',
    edgeDomain: 'cloudfront.localhost',
    quotas: quotasWith(),
    host: { binaries: () => binaries },
  }
}

/** Expects a fault of that wire code whose message matches; an operation may also throw before it returns its promise. */
export async function fails(work: () => Promise<unknown>, code: string, words = /./): Promise<void> {
  await assert.rejects(
    async () => work(),
    (error: Fault) => {
      assert.equal(error.code, code, error.message)
      assert.match(error.message, words)
      return true
    },
  )
}
