//! The probe against a real redis-server that is killed and comes back: it counts what was refused and times the gap.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOST, TestRedis } from '../support/redis.ts'
import { WriteProbe } from './write-probe.ts'

const LONG_MS = 60_000

test('a kill, refused writes, and the first one that is accepted again', async () => {
  const redis = await TestRedis.start()
  const probe = new WriteProbe(`${HOST}:${redis.port}`)
  try {
    await probe.start()
    assert.equal(await probe.primaryPid(), redis.pid)
    assert.equal(await probe.replicasInSync(), 0)
    const killedAt = performance.now()
    await probe.killPrimary()
    await redis.ended()
    const goneFor = performance.now() - killedAt
    await redis.startAgain()
    assert.equal(await probe.writable(LONG_MS), true)
    const result = await probe.stop()
    assert.ok(result.refused > 0 && result.accepted > 0)
    assert.ok(result.outageMs !== null && result.outageMs > goneFor)
  } finally {
    await probe.stop()
    await redis.remove()
  }
})
