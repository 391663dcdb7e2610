//! The whole road, on real parts: viewer, edge, shop, replication group, database, and back as a hit from the nearest.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ListDistributionsCommand } from '@aws-sdk/client-cloudfront'
import { request } from 'undici'
import { type Door, invalidate, runPriceChange } from '../../../examples/storefront/demo/price.ts'
import { WriteProbe } from '../../../examples/storefront/demo/write-probe.ts'
import { type Clients, clientsOf } from '../../../examples/storefront/deploy.ts'
import { type OwnInstallation, startInstallation } from '../../../examples/storefront/installation.ts'
import { knownS3 } from '../../../examples/storefront/s3.ts'
import { type Storefront, startStorefront } from '../../../examples/storefront/start.ts'
import { holderOf } from '../../../src/keeper/listeners.ts'
import { browserIsMissing, startBrowser } from '../../support/browser.ts'

const FAILOVER_TIMEOUT_MS = 30_000

let installation: OwnInstallation
let storefront: Storefront
let clients: Clients
let door: Door

const start = (): Promise<Storefront> => startStorefront({ ...installation, log: () => {} })

before(async () => {
  installation = await startInstallation(['--pops', '3'])
  storefront = await start()
  clients = clientsOf({ ...installation, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } })
  const host = new URL(storefront.url).hostname
  door = { edge: installation.edge, host, distributionId: storefront.distributionId }
})

after(async () => {
  clients?.cloudfront.destroy()
  clients?.elasticache.destroy()
  await storefront?.stop()
  await installation?.stop()
})

async function get(path: string, headers: Record<string, string> = {}) {
  const answer = await request(`http://${door.edge}${path}`, { headers: { host: door.host, ...headers } })
  const header = (name: string): string => String(answer.headers[name] ?? '')
  const body = await answer.body.text()
  return { status: answer.statusCode, xCache: header('x-cache'), tier: header('x-tier'), header, body }
}

async function queries(): Promise<number> {
  return (JSON.parse((await get('/api/stats')).body) as { queries: { product: number } }).queries.product
}

test('database, then ElastiCache, then the edge: each tier spares the ones behind it', async () => {
  const before = await queries()
  const first = await get('/products/17')
  assert.deepEqual([first.status, first.xCache, first.tier], [200, 'Miss from cloudfront', 'database'])
  const second = await get('/api/products/17')
  assert.deepEqual([second.status, second.xCache, second.tier], [200, 'Miss from cloudfront', 'elasticache'])
  const third = await get('/products/17')
  assert.deepEqual([third.status, third.xCache], [200, 'Hit from cloudfront'])
  assert.equal(third.body, first.body)
  assert.match(third.header('age'), /^\d+$/)
  assert.equal((await queries()) - before, 1)
})

test('an invalidated page is made again without asking the database', async () => {
  await get('/products/18')
  const before = await queries()
  await invalidate(door, clients.cloudfront, ['/products/*'])
  const again = await get('/products/18')
  assert.deepEqual([again.xCache, again.tier], ['Miss from cloudfront', 'elasticache'])
  assert.equal(await queries(), before)
})

test('a new price: stale in the edge, fresh once the invalidation is Completed', async () => {
  const { steps } = await runPriceChange(door, clients.cloudfront, 19)
  const [old, stale, fresh, hit] = steps
  assert.ok(old !== undefined && stale !== undefined && fresh !== undefined && hit !== undefined)
  assert.deepEqual([stale.price, stale.xCache], [old.price, 'Hit from cloudfront'])
  assert.equal(Number(fresh.price.slice(1)).toFixed(2), (Number(old.price.slice(1)) + 1).toFixed(2))
  assert.deepEqual([fresh.xCache, fresh.answeredBy], ['Miss from cloudfront', 'elasticache'])
  assert.deepEqual([hit.price, hit.xCache], [fresh.price, 'Hit from cloudfront'])
})

test('images come from a bucket that nobody but the distribution may read, and stay in the edge', async () => {
  const bucket = knownS3(join(installation.home, 'storefront'))?.endpoint
  assert.equal((await request(`${bucket}/storefront-assets/assets/product-1.svg`)).statusCode, 403)
  const first = await get('/assets/product-1.svg')
  const second = await get('/assets/product-1.svg')
  assert.deepEqual([first.status, first.xCache, first.tier], [200, 'Miss from cloudfront', ''])
  assert.equal(first.header('content-type'), 'image/svg+xml')
  assert.match(first.header('etag'), /^"[0-9a-f]{32}"$/, 'of S3: the MD5 of the object')
  assert.deepEqual([second.status, second.xCache, second.body], [200, 'Hit from cloudfront', first.body])
})

test('images for members: refused without a signature, whatever lies in the cache', async () => {
  const refused = await get('/images/workshop-1.svg')
  assert.deepEqual([refused.status, refused.xCache], [403, 'Error from cloudfront'])
  assert.match(refused.body, /<Code>MissingKey<\/Code>/)
  assert.equal((await get('/signed-cookie?resource=/images/*')).status, 401)
})

test('a member in a real browser: login, images from the cache, renewal, logout', {
  skip: browserIsMissing,
}, async () => {
  const browser = await startBrowser()
  try {
    const context = await browser.newContext()
    const page = await context.newPage()
    const loaded = () =>
      page.waitForFunction('document.images.length === 3 && [...document.images].every((i) => i.naturalWidth > 0)')
    /** Status and X-Cache of an image, as the page itself gets it. */
    const image = () =>
      page.evaluate(async () => {
        const answer = await fetch('/images/workshop-1.svg', { cache: 'no-store' })
        return [answer.status, answer.headers.get('x-cache')]
      })
    await page.goto(`${storefront.url}/members`)
    assert.deepEqual(await image(), [403, 'Error from cloudfront'])
    await page.getByLabel('Name').fill('ada')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('The name or the password is wrong.').waitFor()
    await page.getByLabel('Name').fill('ada')
    await page.getByLabel('Password').fill('analytical engine')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Hello, ada').waitFor()
    await loaded()
    assert.deepEqual(await image(), [200, 'Hit from cloudfront'])
    const cookies = async () => (await context.cookies()).filter(({ path }) => path === '/images/')
    assert.deepEqual(
      (await cookies()).map(({ name, httpOnly }) => [name, httpOnly]).sort(),
      ['Hash-Algorithm', 'Key-Pair-Id', 'Policy', 'Signature'].map((name) => [`CloudFront-${name}`, true]),
    )
    // As after a night: the cookies are over, the session is not. The page asks for new ones and shows its images.
    await context.clearCookies({ path: '/images/' })
    assert.deepEqual(await image(), [403, 'Error from cloudfront'])
    await page.reload()
    await loaded()
    assert.equal((await cookies()).length, 4)
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Log in' }).waitFor()
    assert.deepEqual(await image(), [403, 'Error from cloudfront'])
  } finally {
    await browser.close()
  }
})

test('three POPs before one regional cache: what one has fetched the others need not fetch', async () => {
  const health = (await (await fetch(new URL('/_cachefront/health', installation.endpoint))).json()) as {
    pops: { name: string; http: string }[]
  }
  assert.equal(health.pops.length, 3)
  const before = await queries()
  const seen: string[] = []
  for (const { name, http } of health.pops) {
    const answer = await request(`http://${http}/products/4711`, { headers: { host: door.host } })
    await answer.body.text()
    assert.equal(answer.headers['x-amz-cf-pop'], name)
    seen.push(String(answer.headers['x-cache']))
  }
  assert.deepEqual(seen, ['Miss from cloudfront', 'Hit from cloudfront', 'Hit from cloudfront'])
  assert.equal((await queries()) - before, 1)
})

test('a cart is seen by its owner only', async () => {
  const mine = await get('/cart', { cookie: 'cart=1' })
  const yours = await get('/cart', { cookie: 'cart=2' })
  const mineAgain = await get('/cart', { cookie: 'cart=1' })
  for (const cart of [mine, yours, mineAgain])
    assert.deepEqual([cart.status, cart.xCache], [200, 'Miss from cloudfront'])
  assert.notEqual(mine.body, yours.body)
  assert.equal(mine.body, mineAgain.body)
  assert.match(yours.header('set-cookie'), /^cart=2;/)
})

test('the shop outlives its primary, and the price changed meanwhile is the one that is shown', async () => {
  const probe = new WriteProbe(storefront.primaryEndpoint)
  await probe.start()
  await probe.killPrimary()
  let answered = 0
  const pages = (async () => {
    for (let id = 100; id < 140; id++) answered += (await get(`/products/${id}`)).status === 200 ? 1 : 0
  })()
  assert.equal(await probe.writable(FAILOVER_TIMEOUT_MS), true)
  await pages
  await probe.stop()
  assert.equal(answered, 40)
  const changed = await request(`http://${door.edge}/api/products/100/price`, {
    method: 'POST',
    headers: { host: door.host },
    body: '{"cents":123}',
  })
  await changed.body.text()
  assert.equal((JSON.parse((await get('/api/products/100')).body) as { cents: number }).cents, 123)
})

test('the shop dies, and the standby of its origin group answers', async () => {
  const first = await get('/products/5000')
  assert.deepEqual([first.status, first.header('x-server')], [200, 'shop'])
  const { shop } = JSON.parse(readFileSync(join(installation.home, 'storefront', 'ports.json'), 'utf8')) as {
    shop: number
  }
  process.kill(Number(holderOf('127.0.0.1', shop)?.pid), 'SIGKILL')
  const second = await get('/products/5001')
  assert.deepEqual([second.status, second.header('x-server')], [200, 'standby'])
  assert.equal((await get('/cart')).status, 502, 'carts have no standby')
})

test('a second start finds what the first has deployed', async () => {
  await storefront.stop()
  const again = await start()
  assert.equal(again.distributionId, storefront.distributionId)
  assert.equal(again.primaryEndpoint, storefront.primaryEndpoint)
  storefront = again
  const list = await clients.cloudfront.send(new ListDistributionsCommand({}))
  assert.equal(list.DistributionList?.Quantity, 1)
  assert.equal((await get('/products/2000')).status, 200)
})

test('a port that is taken meanwhile: the shop moves, and the distribution is updated', async () => {
  await storefront.stop()
  const portsFile = join(installation.home, 'storefront', 'ports.json')
  const { shop } = JSON.parse(readFileSync(portsFile, 'utf8')) as { shop: number }
  const squatter = createServer().listen(shop, '127.0.0.1')
  await once(squatter, 'listening')
  try {
    storefront = await start()
    assert.equal(storefront.distributionId, door.distributionId)
    assert.notEqual((JSON.parse(readFileSync(portsFile, 'utf8')) as { shop: number }).shop, shop)
    const page = await get('/products/3000')
    assert.deepEqual([page.status, page.tier], [200, 'database'])
  } finally {
    squatter.close()
  }
})
