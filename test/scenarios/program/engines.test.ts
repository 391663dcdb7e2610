//! Caches and the program: what a host without engines does, and who outlives whom when there are caches.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ElastiCache, waitUntilCacheClusterAvailable } from '@aws-sdk/client-elasticache'
import { identify } from '../../../src/lib/process.ts'
import {
  cachefront,
  endAll,
  type Installation,
  killed,
  newHome,
  processesOf,
  up,
} from '../../support/program-installation.ts'

const TIMEOUT = { timeout: 120_000 }
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const clientOf = ({ api }: Installation) =>
  new ElastiCache({ endpoint: api, region: 'us-east-1', credentials, maxAttempts: 1 })
const WISH = { CacheClusterId: 'shop', Engine: 'redis', CacheNodeType: 'cache.t4g.micro', NumCacheNodes: 1 } as const

describe('a host without engines', TIMEOUT, () => {
  let running: Installation
  let nowhere: string

  before(async () => {
    nowhere = await mkdtemp(join(tmpdir(), 'cachefront-no-engines-'))
    running = await up(await newHome(), '--engine-path', nowhere)
  })
  after(async () => {
    assert.deepEqual(await endAll(running.home), [])
    await rm(nowhere, { recursive: true })
  })

  it('starts, says so, and serves viewers', async () => {
    assert.match(running.printed, /engines +none found on this host/)
    assert.equal((await fetch(`http://${running.edge}/`)).status, 403)
  })

  it('refuses caches in the shape of AWS, naming what to install', async () => {
    const client = clientOf(running)
    await assert.rejects(
      client.createCacheCluster(WISH),
      (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
        assert.equal(error.$metadata?.httpStatusCode, 400)
        assert.match(error.message, /redis-server/)
        return true
      },
    )
    assert.deepEqual((await client.describeCacheClusters({})).CacheClusters ?? [], [], 'nothing was half made')
    client.destroy()
  })
})

describe('caches and the end of the program', TIMEOUT, () => {
  it('live on through SIGKILL and SIGTERM of control and through down, and are adopted; --stop-engines ends them', async () => {
    const home = await newHome()
    try {
      let running = await up(home)
      const client = clientOf(running)
      await client.createCacheCluster(WISH)
      await waitUntilCacheClusterAvailable(
        { client, minDelay: 0.02, maxDelay: 0.2, maxWaitTime: 20 },
        { CacheClusterId: 'shop' },
      )
      client.destroy()
      const enginePid = async (): Promise<number> => {
        const { out, err } = await cachefront(home, 'cache', 'show', 'shop', '--json')
        assert.notEqual(out, '', err)
        return JSON.parse(out).nodes[0].pid
      }
      const pid = await enginePid()

      await killed(running.control)
      running = await up(home)
      assert.equal(await enginePid(), pid)

      running.control.kill('SIGTERM')
      assert.equal((await once(running.control, 'close'))[0], 0)
      assert.equal(processesOf(home).filter(({ command }) => command.includes('main.ts worker')).length, 0)
      assert.notEqual(identify(pid), null, 'the engine lives')

      running = await up(home)
      assert.equal(await enginePid(), pid)

      const down = await cachefront(home, 'down')
      assert.deepEqual(
        [down.code, down.out],
        [0, 'Stopped. Caches still run: shop (`cachefront down --stop-engines` ends them too).\n'],
      )
      assert.notEqual(identify(pid), null, 'the engine lives')

      // As it says: by now nobody but a new keeper can end them.
      const stopped = await cachefront(home, 'down', '--stop-engines')
      assert.deepEqual([stopped.code, stopped.out], [0, 'Stopped.\n'])
      assert.equal(identify(pid), null, 'the engine has ended')
      const again = await cachefront(home, 'down', '--stop-engines')
      assert.deepEqual([again.code, again.out], [0, `Nothing ran on ${home}.\n`])

      running = await up(home, '--stop-engines')
      const anew = await enginePid()
      running.control.kill('SIGTERM')
      assert.equal((await once(running.control, 'close'))[0], 0)
      assert.equal(identify(anew), null, 'the engine has ended')
      assert.deepEqual(processesOf(home), [])
    } finally {
      await endAll(home)
    }
  })
})
