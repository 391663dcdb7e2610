//! The disk cache of a whole installation: it outlives its workers, however they end, and what was invalidated meanwhile
//! stays invalidated.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, statSync, truncateSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudFront, waitUntilDistributionDeployed, waitUntilInvalidationCompleted } from '@aws-sdk/client-cloudfront'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import {
  cachefront,
  endAll,
  healthOf,
  type Installation,
  newHome,
  pidOf,
  up,
} from '../../support/program-installation.ts'

const WAIT = { maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }

const clientOf = ({ api }: Installation) =>
  new CloudFront({
    endpoint: api,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })

async function deploy(running: Installation, origin: TestOrigin): Promise<{ id: string; host: string }> {
  const client = clientOf(running)
  const { Distribution } = await client.createDistribution({ DistributionConfig: oneOrigin('disk', origin.port) })
  const id = Distribution?.Id ?? ''
  await waitUntilDistributionDeployed({ client, ...WAIT }, { Id: id })
  client.destroy()
  return { id, host: Distribution?.DomainName ?? '' }
}

async function invalidate(running: Installation, id: string, path: string): Promise<void> {
  const client = clientOf(running)
  const made = await client.createInvalidation({
    DistributionId: id,
    InvalidationBatch: { CallerReference: path, Paths: { Quantity: 1, Items: [path] } },
  })
  await waitUntilInvalidationCompleted({ client, ...WAIT }, { DistributionId: id, Id: made.Invalidation?.Id ?? '' })
  client.destroy()
}

async function get({ edge }: Installation, host: string, path: string) {
  const asked = request(`http://${edge}${path}`, { headers: { host }, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let body = ''
  for await (const text of response.setEncoding('latin1')) body += text
  return { body, xCache: String(response.headers['x-cache']).split(' ')[0] }
}

/** Objects are written a moment after they were answered: resolves when so many are on disk. */
async function onDisk({ api }: Installation, objects: number): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    const text = await (await fetch(`${api}/_cachefront/metrics`)).text()
    const counts = [...text.matchAll(/^cachefront_edge_disk_objects\{.*\} (\d+)$/gm)].map(([, digits]) =>
      Number(digits),
    )
    if (counts.reduce((sum, count) => sum + count, 0) >= objects) return
    await sleep(20)
  }
  throw new Error(`${objects} objects were not written`)
}

/** SIGKILL; resolves when the keeper has started another one that is live. */
async function killWorker(running: Installation, name: string): Promise<void> {
  const pid = await pidOf(running, name)
  process.kill(pid, 'SIGKILL')
  for (let waited = 0; waited < 20_000; waited += 20) {
    const next = await pidOf(running, name).catch(() => Number.NaN)
    if (next > 0 && next !== pid && (await healthOf(running.api)).status === 'ok') return
    await sleep(20)
  }
  throw new Error(`${name} did not come back`)
}

describe('the disk cache of an installation', { timeout: 120_000 }, () => {
  for (const workers of [1, 2]) {
    it(`survives SIGKILL of workers, and down and up (${workers} ${workers === 1 ? 'worker' : 'workers'})`, async () => {
      const home = await newHome()
      let version = 1
      const origin = await startOrigin((asked, response) => response.end(`v${version} ${asked.url}`))
      const names = [...Array(workers).keys()].map((at) => `worker-${at}`)
      const flags = ['--workers', String(workers), '--disk-cache-mb', '48']
      try {
        let running = await up(home, ...flags)
        const { id, host } = await deploy(running, origin)
        const paths = [...Array(30).keys()].map((at) => `/p/${at}`)
        for (const path of paths) assert.equal((await get(running, host, path)).xCache, 'Miss')
        const allHits = async (when: string): Promise<void> => {
          for (const path of paths) {
            const answer = await get(running, host, path)
            assert.deepEqual(answer, { body: `v1 ${path}`, xCache: 'Hit' }, `${path} ${when}`)
            assert.equal(origin.count(path), 1, path)
          }
        }
        await onDisk(running, paths.length)
        // Viewers go on while the workers die: whatever is answered is right.
        let answers = 0
        let over = false
        const viewer = async (): Promise<void> => {
          for (let at = 0; !over; at++) {
            const path = `/t/${at % 50}`
            const answer = await get(running, host, path).catch(() => null)
            if (answer === null) await sleep(5)
            else if (answer.xCache !== 'Error') assert.equal(answer.body, `v1 ${path}`)
            if (answer !== null) answers++
          }
        }
        const viewers = [viewer(), viewer()]
        await Promise.all(names.map((name) => killWorker(running, name)))
        over = true
        await Promise.all(viewers)
        assert.ok(answers > 0)
        await allHits('after SIGKILL')
        assert.equal((await cachefront(home, 'down')).code, 0)
        running = await up(home, ...flags)
        await allHits('after down and up')

        version = 2
        await invalidate(running, id, '/p/1*')
        await Promise.all(names.map((name) => killWorker(running, name)))
        for (const path of ['/p/1', '/p/10', '/p/19']) {
          assert.deepEqual(await get(running, host, path), { body: `v2 ${path}`, xCache: 'Miss' }, path)
        }
        assert.equal((await get(running, host, '/p/2')).xCache, 'Hit')
        // What follows is each worker's own, whatever their number.
        if (workers === 1) return

        // Damaged while nobody looks.
        assert.equal((await cachefront(home, 'down')).code, 0)
        for (const worker of readdirSync(join(home, 'cache')))
          for (const name of readdirSync(join(home, 'cache', worker))) {
            const path = join(home, 'cache', worker, name)
            if (name.startsWith('segment-')) truncateSync(path, Math.min(3_000, statSync(path).size))
          }
        running = await up(home, ...flags)
        for (const path of paths) assert.match((await get(running, host, path)).body, new RegExp(`^v[12] ${path}$`))
        assert.equal((await healthOf(running.api)).status, 'ok')

        // Fewer workers, or none: the space is given back.
        assert.equal((await cachefront(home, 'down')).code, 0)
        running = await up(home, '--workers', '1', '--disk-cache-mb', '0')
        for (let waited = 0; readdirSync(join(home, 'cache')).length > 0 && waited < 10_000; waited += 20)
          await sleep(20)
        assert.deepEqual(readdirSync(join(home, 'cache')), [])
      } finally {
        await endAll(home)
        await origin.close()
      }
    })
  }
})
