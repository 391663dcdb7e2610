//! Strict mode: a method that is not safe makes what is stored stale, everywhere in the POP, before its answer is out.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Asked, startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

const SEVEN = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE']

interface Changed {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** GETs are fresh for an hour and vary on Foo; `onChange` says what the other methods get. */
async function scenario(
  t: TestContext,
  options: {
    readonly count?: number
    readonly strict?: boolean
    readonly diskBytes?: number
    readonly allowed?: readonly string[]
    readonly onChange?: (asked: Asked) => Changed
  } = {},
) {
  const { count = 1, strict = true, diskBytes = 0, allowed = SEVEN, onChange = (): Changed => ({}) } = options
  let version = 0
  const origin = await startOrigin((asked, response) => {
    if (asked.method === 'GET' || asked.method === 'HEAD') {
      response.writeHead(200, { 'cache-control': 'max-age=3600', vary: 'Foo' }).end(`version ${version}`)
      return
    }
    const { status = 200, headers = {} } = onChange(asked)
    if (status < 400) version++
    response.writeHead(status, headers).end('done')
  })
  t.after(() => origin.close())
  const policy = cachePolicy({ defaultTtl: 0, queryStrings: { behavior: 'all', names: [] } })
  const all = { behavior: 'all', names: [] } as const
  const forwarding = {
    id: 'all',
    headers: { behavior: 'allViewer', names: [] },
    cookies: all,
    queryStrings: all,
  } as const
  const behaviors = [behaviorDoc({ allowedMethods: allowed, cachePolicy: policy, originRequestPolicy: forwarding })]
  const document = distributionDoc(origin.port, { rfcStrict: strict, behaviors })
  return { origin, edge: await EdgeScenario.start(t, [document], { count, diskBytes }) }
}

for (const count of [1, 3]) {
  test(`POST, PUT, PATCH, DELETE and M-SEARCH invalidate every variant of their URI (${count} workers)`, async (t) => {
    const { edge, origin } = await scenario(t, { count })
    const seen = async (path: string) => {
      const bodies = new Set<string>()
      for (let worker = 0; worker < count; worker++) {
        for (const foo of ['1', '2']) bodies.add((await edge.get(path, { worker, headers: { foo } })).body)
      }
      return [...bodies]
    }
    assert.deepEqual([await seen('/a?q=1'), await seen('/b')], [['version 0'], ['version 0']])
    let version = 0
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH']) {
      const worker = version % count
      assert.equal((await edge.get('/a?q=1', { method, worker, body: 'change' })).status, 200)
      version++
      assert.deepEqual(await seen('/a?q=1'), [`version ${version}`], method)
    }
    assert.deepEqual(await seen('/b'), ['version 0'])
    assert.equal(origin.count('/b'), 2)
  })

  test(`Location and Content-Location of the same origin are invalidated, of another they are not (${count} workers)`, async (t) => {
    const { edge } = await scenario(t, {
      count,
      onChange: ({ url }) =>
        url === '/near'
          ? { status: 201, headers: { location: 'made/here?x=1', 'content-location': `http://${HOST}/there` } }
          : { status: 303, headers: { location: 'http://example.com/elsewhere', 'content-location': 'https:///' } },
    })
    const paths = ['/made/here?x=1', '/there', '/elsewhere', '/other']
    const worker = count - 1
    const fetched = async () => (await Promise.all(paths.map((path) => edge.get(path, { worker })))).map((a) => a.body)
    assert.deepEqual(await fetched(), ['version 0', 'version 0', 'version 0', 'version 0'])
    await edge.get('/near', { method: 'POST', headers: { host: HOST } })
    assert.deepEqual(await fetched(), ['version 1', 'version 1', 'version 0', 'version 0'])
    await edge.get('/far', { method: 'POST' })
    assert.deepEqual(await fetched(), ['version 1', 'version 1', 'version 0', 'version 0'])
  })
}

test('an error invalidates nothing, nor does OPTIONS, nor a path that ends with a star more than itself', async (t) => {
  const { edge } = await scenario(t, { onChange: ({ url }) => ({ status: url === '/fails' ? 500 : 200 }) })
  for (const path of ['/fails', '/options', '/st', '/st*']) await edge.get(path)
  await edge.get('/fails', { method: 'POST' })
  await edge.get('/options', { method: 'OPTIONS' })
  await edge.get('/st*', { method: 'POST' })
  const hits = await Promise.all(['/fails', '/options', '/st', '/st*'].map((path) => edge.get(path)))
  assert.deepEqual(
    hits.map(({ xCache }) => xCache),
    ['Hit', 'Hit', 'Hit', 'Miss'],
  )
})

for (const count of [1, 3]) {
  test(`what was invalidated does not come back from disk, what was not does (${count} workers)`, async (t) => {
    const { edge } = await scenario(t, { count, diskBytes: 32 * 1024 * 1024 })
    const paths = ['/a', '/b', '/c', '/d']
    for (const path of paths) await edge.get(path)
    await edge.get('/a', { method: 'POST' })
    await edge.get('/b', { method: 'POST', worker: count - 1 })
    await edge.get('/a')
    await edge.pause()
    await edge.resume(count)
    const seen = await Promise.all(paths.map((path) => edge.get(path)))
    assert.deepEqual(
      seen.map(({ body }) => body),
      ['version 2', 'version 2', 'version 0', 'version 0'],
    )
  })
}

test('a worker that is behind invalidates what it has from one that is ahead', async (t) => {
  const { edge } = await scenario(t, { count: 3 })
  const distribution = (revision: number) => ({ id: `I${revision}`, distributionId: 'E0OTHER', paths: ['/x'] })
  for (const ahead of ['worker-1', 'worker-2']) {
    await edge.feed.send(
      (revision) => ({ kind: 'invalidation', revision, invalidation: distribution(revision) }),
      ahead,
    )
  }
  const paths = Array.from({ length: 12 }, (_, at) => `/${at}`)
  const version = async (path: string, worker: number): Promise<number> =>
    Number(/^version (\d+)$/.exec((await edge.get(path, { worker })).body)?.[1])
  const changes = async (path: string): Promise<void> => {
    let before = 0
    for (const worker of [0, 1, 2]) before = Math.max(before, await version(path, worker))
    assert.equal((await edge.get(path, { method: 'POST' })).status, 200)
    for (const worker of [0, 1, 2]) assert.ok((await version(path, worker)) > before, `${path} of worker ${worker}`)
  }
  // Side by side: who is ahead waits a second for the one that is behind.
  await Promise.all(paths.map(changes))
})

test('a worker that is gone holds nobody up', async (t) => {
  const { edge } = await scenario(t, { count: 3 })
  await edge.get('/a')
  await edge.workers[2]?.close()
  assert.equal((await edge.get('/a', { method: 'POST' })).status, 200)
  assert.deepEqual(
    [(await edge.get('/a')).body, (await edge.get('/a', { worker: 1 })).body],
    Array(2).fill('version 1'),
  )
})

test('in default mode nothing of this happens, and unknown methods are refused', async (t) => {
  const { edge } = await scenario(t, { strict: false })
  await edge.get('/a')
  await edge.get('/a', { method: 'POST' })
  assert.equal((await edge.get('/a')).xCache, 'Hit')
  assert.equal((await edge.get('/a', { method: 'M-SEARCH' })).status, 403)
})

test('an unknown method is passed on only where all seven are allowed, and TRACE never', async (t) => {
  const few = await scenario(t, { allowed: ['GET', 'HEAD'] })
  assert.equal((await few.edge.get('/a', { method: 'M-SEARCH' })).status, 403)
  const all = await scenario(t)
  assert.equal((await all.edge.get('/a', { method: 'PROPFIND' })).status, 200)
  assert.equal((await all.edge.get('/a', { method: 'TRACE' })).status, 403)
})

test('no answer to OPTIONS is kept, though the behavior caches them', async (t) => {
  for (const strict of [true, false]) {
    const origin = await startOrigin((_asked, response) =>
      response.writeHead(200, { 'cache-control': 'max-age=60' }).end(),
    )
    t.after(() => origin.close())
    const behaviors = [behaviorDoc({ allowedMethods: SEVEN, cachedMethods: ['GET', 'HEAD', 'OPTIONS'] })]
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { rfcStrict: strict, behaviors })])
    for (let i = 0; i < 2; i++) await edge.get('/a', { method: 'OPTIONS' })
    assert.equal(origin.count('/a'), strict ? 2 : 1)
  }
})

test('a GET that began before the change is not stored after it', async (t) => {
  const held = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  let version = 0
  const origin = await startOrigin(async ({ method }, response) => {
    if (method === 'POST') {
      version++
      response.end()
      return
    }
    const body = `version ${version}`
    if (version === 0) {
      arrived.resolve()
      await held.promise
    }
    response.writeHead(200, { 'cache-control': 'max-age=3600' }).end(body)
  })
  t.after(() => origin.close())
  const behaviors = [behaviorDoc({ allowedMethods: SEVEN, cachePolicy: cachePolicy({ defaultTtl: 0 }) })]
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { rfcStrict: true, behaviors })])
  const before = edge.get('/a')
  await arrived.promise
  await edge.get('/a', { method: 'POST' })
  const after = await edge.get('/a')
  held.resolve()
  assert.equal((await before).body, 'version 0')
  assert.deepEqual([after.body, (await edge.get('/a')).body], ['version 1', 'version 1'])
})

const LOCATED: readonly (readonly [what: string, headers: Record<string, string>, result: 'Hit' | 'Miss'])[] = [
  ['its own URI and a lifetime', { 'content-location': '/a', 'cache-control': 'max-age=60' }, 'Hit'],
  [
    'its own URI and no lifetime',
    { 'content-location': '/a', 'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT' },
    'Miss',
  ],
  ['another URI', { 'content-location': '/b', 'cache-control': 'max-age=60' }, 'Miss'],
  ['none', { 'cache-control': 'max-age=60' }, 'Miss'],
]

for (const [what, headers, result] of LOCATED) {
  test(`after a POST whose Content-Location is ${what}, a GET is a ${result}`, async (t) => {
    const { edge } = await scenario(t, { onChange: () => ({ headers }) })
    await edge.get('/a')
    assert.equal((await edge.get('/a', { method: 'POST', body: 'x' })).body, 'done')
    const again = await edge.get('/a')
    assert.deepEqual([again.xCache, again.body], result === 'Hit' ? ['Hit', 'done'] : ['Miss', 'version 1'])
  })
}
