//! Strict mode under load: whoever asks after a change was confirmed never sees what was before it, at no worker.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
} from '../../support/edge-scenario.ts'

const SEVEN = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE']
const WORKERS = 3
const PATHS = ['/a', '/b']
const VIEWERS = 12
const REQUESTS = 60

/** Linear congruential: the same order of methods in every run; what overtakes what is up to the machine. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

for (const diskBytes of [0, 32 * 1024 * 1024]) {
  test(`no GET is older than the last change that was confirmed before it (${diskBytes === 0 ? 'memory' : 'disk'})`, async (t) => {
    const versions = new Map(PATHS.map((path) => [path, 0]))
    const origin = await startOrigin(async ({ method, url }, response) => {
      // Changes take effect at once, and are told of a little later.
      if (method !== 'GET') versions.set(url, (versions.get(url) ?? 0) + 1)
      const version = versions.get(url)
      await new Promise((resolve) => setImmediate(resolve))
      response.writeHead(200, { 'cache-control': 'max-age=3600' }).end(`${version}`)
    })
    t.after(() => origin.close())
    const behaviors = [behaviorDoc({ allowedMethods: SEVEN, cachePolicy: cachePolicy({ defaultTtl: 0 }) })]
    const document = distributionDoc(origin.port, { rfcStrict: true, behaviors })
    const edge = await EdgeScenario.start(t, [document], { count: WORKERS, diskBytes })
    const confirmed = new Map(PATHS.map((path) => [path, 0]))
    const tooOld: string[] = []
    let hits = 0
    const view = async (viewer: number): Promise<void> => {
      const next = random(viewer + 1)
      for (let i = 0; i < REQUESTS; i++) {
        const path = PATHS[Math.floor(next() * PATHS.length)] as string
        const worker = Math.floor(next() * WORKERS)
        if (next() < 0.15) {
          const { body } = await edge.get(path, { method: 'POST', worker })
          confirmed.set(path, Math.max(confirmed.get(path) ?? 0, Number(body)))
          continue
        }
        const least = confirmed.get(path) ?? 0
        const { body, xCache } = await edge.get(path, { worker })
        if (xCache === 'Hit') hits++
        if (Number(body) < least) tooOld.push(`${path} at worker ${worker}: ${body}, after ${least} was confirmed`)
      }
    }
    const feed = async (): Promise<void> => {
      // Revisions of the feed come in between, to one worker sooner than to another.
      for (let i = 0; i < 20; i++) await edge.feed.invalidate(DISTRIBUTION_ID, `/other/${i}`)
    }
    await Promise.all([feed(), ...Array.from({ length: VIEWERS }, (_, viewer) => view(viewer))])
    assert.deepEqual(tooOld, [])
    assert.ok(hits > 20, `${hits} hits`)
  })
}
