//! Nothing acknowledged is lost: control is killed in the middle of API calls, again and again.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ElastiCache, paginateDescribeCacheParameterGroups } from '@aws-sdk/client-elasticache'
import { endAll, type Installation, killed, newHome, up } from '../../support/program-installation.ts'

const ROUNDS = 3
/** Calls that are acknowledged before control is killed in the middle of the next ones. */
const CALLS_BEFORE = 8

const clientOf = ({ api }: Installation) =>
  new ElastiCache({
    endpoint: api,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })

const group = (name: string) => ({
  CacheParameterGroupName: name,
  CacheParameterGroupFamily: 'redis7',
  Description: 'acknowledged',
})

describe('control killed while it answers calls', { timeout: 120_000 }, () => {
  it('has every parameter group that it acknowledged', async () => {
    const home = await newHome()
    const acknowledged = new Set<string>()
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const running = await up(home)
        const client = clientOf(running)
        const enough = Promise.withResolvers<void>()
        let calls = 0
        const call = async (lane: number): Promise<void> => {
          for (;;) {
            const name = `round-${round}-lane-${lane}-${calls++}`
            await client.createCacheParameterGroup(group(name))
            acknowledged.add(name)
            if (acknowledged.size >= CALLS_BEFORE * (round + 1)) enough.resolve()
          }
        }
        const lanes = [0, 1, 2].map((lane) => call(lane).catch((error: Error) => enough.reject(error)))
        await enough.promise
        await killed(running.control)
        await Promise.all(lanes)
        client.destroy()
      }
      const client = clientOf(await up(home))
      const found = new Set<string>()
      for await (const page of paginateDescribeCacheParameterGroups({ client }, {})) {
        for (const one of page.CacheParameterGroups ?? []) found.add(one.CacheParameterGroupName ?? '')
      }
      client.destroy()
      assert.ok(acknowledged.size >= CALLS_BEFORE * ROUNDS)
      assert.deepEqual(
        [...acknowledged].filter((id) => !found.has(id)),
        [],
      )
    } finally {
      assert.deepEqual(await endAll(home), [])
    }
  })
})
