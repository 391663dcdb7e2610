//! Web cache deception: a victim is led to a path that looks static to the cache and is its own account to the origin;
//! then the attacker asks for the same path. The origin here is as obliging as the worst of them: whatever it decodes the
//! path to, a request with a session gets the secret of that session, without any Cache-Control. What keeps it safe is
//! that behaviors, cache key, invalidations and the origin's view of a path agree: a behavior that caches forwards no
//! session, and one that forwards it keeps nothing, or keeps it under it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST, NONE } from '../../support/edge-scenario.ts'

const obliging = () =>
  startOrigin(({ url, headers }, response) => {
    response.end(headers.cookie === undefined ? `page ${url}` : `secret of ${headers.cookie} ${url}`)
  })

/** Which behavior a path has, and why. */
type Matched = 'static' | 'account' | 'refused'

const PATHS: readonly (readonly [path: string, matched: Matched, why: string])[] = [
  ['/account', 'account', 'no pattern matches'],
  ['/account/x.css', 'static', '`*.css` is any path with that end'],
  ['/account.php/x.css', 'static', 'path info is not known to patterns'],
  ['/account;x.css', 'static', 'a parameter of a segment is part of the path'],
  ['/account%3bx.css', 'static', 'reserved characters stay escaped'],
  ['/account%2fx.css', 'static', 'an escaped slash is no slash'],
  ['/account%2Fx.css', 'static', 'an escaped slash is no slash'],
  ['/account%5cx.css', 'static', 'a backslash is no slash'],
  ['/account\\x.css', 'static', 'a backslash is no slash'],
  ['/account%00x.css', 'static', 'an escaped NUL ends nothing'],
  ['/account%0ax.css', 'static', 'an escaped line break ends nothing'],
  ['/account%0d%0ax.css', 'static', 'an escaped line break ends nothing'],
  ['/account%09x.css', 'static', 'an escaped tab ends nothing'],
  ['/account%20x.css', 'static', 'an escaped space ends nothing'],
  ['/account%23x.css', 'static', 'an escaped fragment is none'],
  ['/account%3fx.css', 'static', 'an escaped question mark begins no query'],
  ['/account%26x.css', 'static', 'an escaped ampersand divides nothing'],
  ['/account%253fx.css', 'static', 'what is escaped twice is not decoded once'],
  ['/account/.css', 'static', 'a name of an end alone'],
  ['/account/%2ecss', 'static', 'an escaped dot is a dot'],
  ['/account/x%2ecss', 'static', 'an escaped dot is a dot'],
  ['/account?x.css', 'account', 'the query is not part of the path'],
  ['/account?/x.css', 'account', 'the query is not part of the path'],
  ['/account#x.css', 'refused', 'a fragment is never sent'],
  ['/account/x.css/', 'account', 'the pattern is anchored at the end'],
  ['/account/x.css;', 'account', 'the pattern is anchored at the end'],
  ['/account/x.css%00', 'account', 'the pattern is anchored at the end'],
  ['/account/x.css%2f', 'account', 'the pattern is anchored at the end'],
  ['/account/x.css.', 'account', 'the pattern is anchored at the end'],
  ['/account/x.CSS', 'account', 'patterns know case'],
  ['/static/x', 'static', '`/static/*`'],
  ['//static/x', 'static', 'slashes are merged before matching'],
  ['/static//account', 'static', 'slashes are merged before matching'],
  ['/./static/x', 'static', 'dot segments are removed before matching'],
  ['/account/../static/x', 'static', 'dot segments are removed before matching'],
  ['/account/%2e%2e/static/x', 'static', 'escaped dots are dots'],
  ['/%73tatic/x', 'static', 'an escaped letter is that letter'],
  ['/static/../account', 'account', 'dot segments are removed before matching'],
  ['/static/./../account', 'account', 'dot segments are removed before matching'],
  ['/static/%2e%2e/account', 'account', 'escaped dots are dots'],
  ['/static/%2E./account', 'account', 'escaped dots are dots'],
  ['/static//../account', 'account', 'slashes are merged before dot segments are removed'],
  ['/static/..%2faccount', 'static', 'an escaped slash is no slash: the segment has another name'],
  ['/static/..%5caccount', 'static', 'a backslash is no slash'],
  ['/static/..\\account', 'static', 'a backslash is no slash'],
  ['/static/..;/account', 'static', 'a segment with a parameter is no dot segment'],
  ['/static/%252e%252e/account', 'static', 'what is escaped twice is not decoded once'],
  ['/static%2f..%2faccount', 'account', 'an escaped slash is no slash'],
  ['/static', 'account', '`/static/*` needs its slash'],
  ['/static%2fx', 'account', 'an escaped slash is no slash'],
  ['/STATIC/x', 'account', 'patterns know case'],
  ['/xstatic/x', 'account', 'the pattern is anchored at its beginning'],
]

/** Statics are kept and see no session; all else sees the session and is not kept. */
const SPLIT = [
  behaviorDoc({ pathPattern: '/static/*' }),
  behaviorDoc({ pathPattern: '*.css' }),
  behaviorDoc({
    cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }),
    originRequestPolicy: { id: 'cookies', headers: NONE, cookies: { behavior: 'all', names: [] }, queryStrings: NONE },
  }),
]

/** Bytes and no client of Node's: it would clean some of these paths. */
async function ask(edge: EdgeScenario, path: string, cookie: string | null) {
  const fields = cookie === null ? '' : `Cookie: ${cookie}\r\n`
  const answer = await edge.raw(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${fields}Connection: close\r\n\r\n`)
  const end = answer.indexOf('\r\n\r\n')
  return { status: Number(answer.slice(9, 12)), body: answer.slice(end + 4), head: answer.slice(0, end) }
}

const pathOf = (target: string) => target.split('?')[0] as string

test('a static behavior forwards no session, any other keeps nothing: the attacker gets no secret', async (t) => {
  const origin = await obliging()
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: SPLIT })])
  for (const [path, matched, why] of PATHS) {
    await t.test(`${path} is ${matched}: ${why}`, async () => {
      const victim = await ask(edge, path, 'session=victim')
      const attacker = await ask(edge, path, null)
      if (matched === 'refused') {
        assert.deepEqual([victim.status, attacker.status], [400, 400])
        return
      }
      // The origin sees the path as it was sent, whatever it was matched as.
      const page = `page ${pathOf(path)}`
      assert.equal(victim.body, matched === 'static' ? page : `secret of session=victim ${pathOf(path)}`)
      assert.equal(attacker.body, page)
      assert.match(attacker.head, matched === 'static' ? /X-Cache: Hit/ : /X-Cache: Miss/)
    })
  }
})

test('one behavior for all that keeps by session: everyone has their own, whatever the path looks like', async (t) => {
  const origin = await obliging()
  t.after(() => origin.close())
  const policy = cachePolicy({ cookies: { behavior: 'all', names: [] } })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, { behaviors: [behaviorDoc({ cachePolicy: policy })] }),
  ])
  for (const [path, matched] of PATHS) {
    if (matched === 'refused') continue
    const victim = await ask(edge, path, 'session=victim')
    assert.equal(victim.body, `secret of session=victim ${pathOf(path)}`)
    assert.equal((await ask(edge, path, null)).body, `page ${pathOf(path)}`)
    assert.equal((await ask(edge, path, 'session=other')).body, `secret of session=other ${pathOf(path)}`)
    assert.match((await ask(edge, path, 'session=victim')).head, /X-Cache: Hit/)
  }
})

test('paths that the origin can tell apart are objects of their own, those of one spelling are one', async (t) => {
  const origin = await startOrigin(({ url }, response) => response.end(url))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const spellings = PATHS.filter(([, matched]) => matched !== 'refused').map(([path]) => path)
  for (const round of ['Miss', 'Hit']) {
    for (const path of new Set(spellings.map(pathOf))) {
      const answer = await ask(edge, path, null)
      assert.equal(answer.body, path)
      assert.match(answer.head, new RegExp(`X-Cache: ${round} from`))
    }
  }
})
