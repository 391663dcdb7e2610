//! Path patterns, precedence and the default root object at a real edge (spec/cloudfront.md 3.2, 3.3), and changes of the
//! configuration under load: they drop no request.
import assert from 'node:assert/strict'
import { Agent, type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import type { Trace } from '../../../src/observe/trace.ts'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
} from '../../support/edge-scenario.ts'

const NOT_CACHED = cachePolicy({ minTtl: 0, defaultTtl: 0, maxTtl: 0 })

/** A distribution whose behavior N sends to the origin path `/N`, the default one to `/default`; nothing is cached. */
function sites(port: number, patterns: readonly string[]) {
  const names = [...patterns.map((_, at) => `${at}`), 'default']
  return distributionDoc(port, {
    origins: names.map((name) => originDoc(port, { id: name, path: `/${name}` })),
    behaviors: [
      ...patterns.map((pathPattern, at) => behaviorDoc({ pathPattern, originId: `${at}`, cachePolicy: NOT_CACHED })),
      behaviorDoc({ originId: 'default', cachePolicy: NOT_CACHED }),
    ],
  })
}

const startEcho = (): Promise<TestOrigin> => startOrigin((asked, response) => response.end(asked.url))

const ROWS: readonly (readonly [pattern: string, matches: readonly string[], not: readonly string[]])[] = [
  ['*', ['/', '/a', '/a/b?c=d'], []],
  ['/*', ['/', '/a/b'], []],
  ['*.jpg', ['/a.jpg', '/a/b/c.jpg', '/.jpg', '/a.jpg?b=c'], ['/a.JPG', '/a.jpg/b', '/a.jpeg', '/?a.jpg']],
  ['images/*.jpg', ['/images/a.jpg', '/images/a/b.jpg', '/images/.jpg'], ['/a/images/b.jpg', '/Images/a.jpg']],
  ['/images/*', ['/images/', '/images/a/b'], ['/images', '/imagesa', '/IMAGES/a']],
  ['a??.jpg', ['/ant.jpg', '/abe.jpg', '/a/b.jpg'], ['/a.jpg', '/ab.jpg', '/abcd.jpg', '/ant.jpgx']],
  ['*.doc*', ['/a.doc', '/a.docx', '/a/b.docm/c'], ['/a.do', '/doc']],
  ['/a/*/c', ['/a/b/c', '/a/b/b/c'], ['/a/c', '/a//c', '/a/b/c/']],
  ['/about', ['/about', '/about?x'], ['/about/', '/about.html', '/About', '/a/about']],
  ['about', ['/about'], ['/about/']],
  ['/?', ['/a', '/Z'], ['/', '/ab']],
  ['/a*b*c', ['/abc', '/aXbYc', '/abbc', '/a/b/c'], ['/ab', '/acb', '/abcd']],
  // Escapes of what need not be escaped are what they stand for (normal-path.ts); others are themselves.
  ['/private/*', ['/private/x', '/%70rivate/x', '/public/../private/x', '/a//../private/x'], ['/private%2Fx']],
  ['/~user/*', ['/~user/a', '/%7Euser/a'], ['/user/a']],
  ["/it's", ["/it's"], ['/it%27s']],
  ['/a"b', [], ['/a%22b']],
  ['/a+b&c:d@e$f', ['/a+b&c:d@e$f'], ['/a%2Bb&c:d@e$f']],
  ['/a.b', ['/a.b'], ['/aXb']],
]

test('what a path pattern matches', async (t) => {
  const origin = await startEcho()
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [sites(origin.port, [])])
  for (const [pattern, matches, not] of ROWS) {
    await edge.feed.put(sites(origin.port, [pattern]))
    const went = async (path: string) => (await edge.get(path)).body.split('/')[1]
    for (const path of matches) assert.equal(await went(path), '0', `${pattern} matches ${path}`)
    for (const path of not) assert.equal(await went(path), 'default', `${pattern} does not match ${path}`)
  }
})

test('the first of 75 behaviors that matches, in the order of the configuration; an update changes the order', async (t) => {
  const origin = await startEcho()
  t.after(() => origin.close())
  // From the most general to the most particular, so that every one but the first is hidden.
  const patterns = Array.from({ length: 75 }, (_, at) => `/${'a'.repeat(at)}*`)
  const edge = await EdgeScenario.start(t, [sites(origin.port, patterns)])
  const longest = `/${'a'.repeat(80)}`
  const went = async (path: string) => (await edge.get(path)).body.split('/')[1]
  assert.equal(await went(longest), '0')
  await edge.feed.put(sites(origin.port, patterns.toReversed()))
  assert.equal(await went(longest), '0')
  assert.equal(await went('/aaa'), '71')
  assert.equal(await went('/'), '74')
  await edge.feed.put(sites(origin.port, patterns.slice(1)))
  assert.equal(await went('/b'), 'default')
  const explained = await edge.get('/aa', { headers: { 'x-cachefront-explain': '1' } })
  const told = await edge.feed.ask({ kind: 'trace', traceId: String(explained.headers['x-cachefront-trace']) })
  assert.ok(told.kind === 'trace' && told.trace !== null)
  const step = (told.trace as Trace).steps.find(({ name }) => name === 'match-behavior')
  assert.deepEqual(step?.decisions, [{ field: 'CacheBehaviors.Items[0].PathPattern', value: '/a*' }])
})

test('the default root object stands in for the root alone, whatever the method', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(`${asked.method} ${asked.url}`))
  t.after(() => origin.close())
  const methods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']
  const all = { behavior: 'all', names: [] } as const
  const site = (defaultRootObject: string) =>
    distributionDoc(origin.port, {
      defaultRootObject,
      origins: [originDoc(origin.port, { path: '/site' })],
      behaviors: [
        behaviorDoc({
          pathPattern: '*.html',
          allowedMethods: methods,
          cachePolicy: cachePolicy({ queryStrings: all }),
        }),
        behaviorDoc({ allowedMethods: methods, cachePolicy: NOT_CACHED }),
      ],
    })
  const edge = await EdgeScenario.start(t, [site('index.html')])
  const rows: readonly (readonly [root: string, method: string, path: string, asked: string])[] = [
    ['index.html', 'GET', '/', 'GET /site/index.html'],
    ['index.html', 'GET', '/?a=1', 'GET /site/index.html?a=1'],
    ['index.html', 'POST', '/', 'POST /site/index.html'],
    ['index.html', 'GET', '/dir/', 'GET /site/dir/'],
    ['index.html', 'GET', '/dir', 'GET /site/dir'],
    ['index.html', 'GET', '/index', 'GET /site/index'],
    ['home/start.html', 'GET', '/', 'GET /site/home/start.html'],
    ['', 'GET', '/', 'GET /site/'],
  ]
  for (const [root, method, path, asked] of rows) {
    await edge.feed.put(site(root))
    const { body } = await edge.get(path, { method })
    assert.equal(body, asked, `${root}: ${method} ${path}`)
  }
  await edge.feed.put(site('index.html'))
  // The object's own behavior: it is cached, as `*.html` is.
  assert.equal((await edge.get('/?b')).xCache, 'Miss')
  assert.equal((await edge.get('/index.html?b')).xCache, 'Hit')
})

for (const count of [1, 3]) {
  test(`fifty changes of the behaviors drop no request and no connection; ${count} workers`, async (t) => {
    // Every fourth answer takes its time, so that changes come in its midst.
    const slow: (() => void)[] = []
    const origin = await startOrigin((asked, response) => {
      response.write(asked.url)
      if (asked.url.endsWith('slow')) slow.push(() => response.end('.'))
      else response.end()
    })
    t.after(() => origin.close())
    const patterns = ['/a/*', '/*/b', '/c*']
    const turned = (turn: number) => {
      const order = turn % 2 === 0 ? patterns : patterns.toReversed()
      return sites(origin.port, order)
    }
    const edge = await EdgeScenario.start(t, [turned(0)], { count })
    const agents = Array.from({ length: 6 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    t.after(() => {
      for (const one of agents) one.destroy()
    })
    const ask = (by: Agent, path: string, port: number) =>
      new Promise<{ status: number; body: string; reused: boolean }>((resolve, reject) => {
        const call = request({ agent: by, host: '127.0.0.1', port, path, headers: { host: HOST } })
        call.on('error', reject)
        call.on('response', (response: IncomingMessage) => {
          let body = ''
          response.setEncoding('latin1').on('data', (text: string) => {
            body += text
          })
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body, reused: call.reusedSocket }))
        })
        call.end()
      })
    let changing = true
    let answered = 0
    const viewers = agents.map(async (by, at) => {
      for (let n = 0; changing; n++) {
        const path = at === 0 ? '/a/slow' : '/a/b'
        const { status, body, reused } = await ask(by, path, edge.port(at % count))
        assert.equal(status, 200)
        // The first or the second pattern, by the order that held when the request came.
        assert.match(body, at === 0 ? /^\/[02]\/a\/slow\.$/ : /^\/[01]\/a\/b$/)
        if (n > 0) assert.ok(reused, 'on the connection that it had')
        answered++
      }
    })
    for (let turn = 1; turn <= 50; turn++) {
      await edge.feed.put(turned(turn))
      // Acknowledged: whoever asks from now on has the new order.
      for (let worker = 0; worker < count; worker++) {
        const { body } = await edge.get('/a/b', { worker })
        assert.equal(body, turn % 2 === 0 ? '/0/a/b' : '/1/a/b')
      }
      for (const end of slow.splice(0)) end()
    }
    changing = false
    const ending = setInterval(() => {
      for (const end of slow.splice(0)) end()
    }, 10)
    await Promise.all(viewers).finally(() => clearInterval(ending))
    assert.ok(answered > 50, `${answered} requests in the meantime`)
    assert.deepEqual(edge.problems, [])
  })
}
