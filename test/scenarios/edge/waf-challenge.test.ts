//! The actions Challenge and CAPTCHA of web ACLs: what viewers without a token are asked for, what a token is good for, and
//! what no token is; with a real browser as a viewer.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { WebAclDoc } from '../../../src/domain/waf/web-acl.ts'
import { isWorkDone, openCaptcha, workText } from '../../../src/edge/waf/challenge/puzzle.ts'
import { openTokenKeys } from '../../../src/edge/waf/token-keys.ts'
import type { WorkerOptions } from '../../../src/edge/worker.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { browserIsMissing, startBrowser } from '../../support/browser.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'
import { ACL_ARN, byteMatch, header, PATH, rule, webAclDoc } from '../../support/web-acl.ts'

const HTML = { accept: 'text/html,application/xhtml+xml' }
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']
const ALIASES = ['a.shop.localhost', 'b.shop.localhost', 'other.localhost']

const RULES = [
  rule('challenge', byteMatch('/c', PATH, 'STARTS_WITH'), {
    Challenge: { CustomRequestHandling: { InsertHeaders: [{ Name: 'checked', Value: 'yes' }] } },
  }),
  rule(
    'captcha',
    byteMatch('/p', PATH, 'STARTS_WITH'),
    { Captcha: {} },
    {
      CaptchaConfig: { ImmunityTimeProperty: { ImmunityTime: 60 } },
    },
  ),
  rule('teapot', byteMatch('yes', header('x-teapot')), { Block: { CustomResponse: { ResponseCode: 418 } } }),
]

const ACL = (changes: Partial<WebAclDoc['acl']> = {}): WebAclDoc => {
  const doc = webAclDoc(RULES)
  return { ...doc, acl: { ...doc.acl, ...changes } }
}

async function challenged(t: Pick<TestContext, 'after'>, options: Partial<WorkerOptions> & { count?: number } = {}) {
  const origin = await startOrigin((asked, response) => {
    response.setHeader('content-type', 'text/html')
    response.setHeader('cache-control', 'no-store')
    response.end(`<title>the page</title><p id="path">${asked.url}</p> checked: ${asked.headers['x-amzn-waf-checked']}`)
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [], options)
  const use = (doc: WebAclDoc) => edge.feed.change(() => ({ kind: 'web-acl', arn: ACL_ARN, webAcl: doc }))
  await use(ACL())
  const behaviors = [behaviorDoc({ allowedMethods: METHODS })]
  await edge.feed.put(distributionDoc(origin.port, { behaviors, webAclArn: ACL_ARN, aliases: ALIASES }))
  return { edge, origin, use }
}

const attribute = (body: string, name: string): string => new RegExp(`data-${name}="([^"]*)"`).exec(body)?.[1] ?? ''
const field = (body: string, name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1] ?? ''

/** Does what the page's script does. */
function work(puzzle: string): string {
  for (let number = 0; ; number++) if (isWorkDone(puzzle, String(number))) return String(number)
}

const post = (
  edge: EdgeScenario,
  path: string,
  form: Record<string, string>,
  more: { host?: string; cookie?: string; worker?: number; address?: string } = {},
) =>
  edge.get(`/.cachefront/waf/${path}`, {
    method: 'POST',
    ...(more.host === undefined ? {} : { host: more.host }),
    ...(more.worker === undefined ? {} : { worker: more.worker }),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(more.cookie === undefined ? {} : { cookie: more.cookie }),
      ...(more.address === undefined ? {} : { 'x-cachefront-viewer-address': more.address }),
    },
    body: new URLSearchParams(form).toString(),
  })

const cookieOf = (answer: { headers: Readonly<Record<string, string | string[] | undefined>> }): string =>
  String(answer.headers['set-cookie'] ?? '').split(';')[0] ?? ''

/** A cookie for a solved challenge. */
async function solve(edge: EdgeScenario, host = HOST, worker = 0): Promise<string> {
  const page = await edge.get('/c', { headers: HTML, host, worker })
  const puzzle = attribute(page.body, 'puzzle')
  const answer = await post(edge, 'challenge', { p: puzzle, n: work(puzzle) }, { host, worker })
  assert.equal(answer.status, 200)
  return cookieOf(answer)
}

test('a challenge: 202 with a page where HTML is wanted; its work gives a token for the immunity time, at every worker', async (t) => {
  const { edge, use } = await challenged(t, { count: 2 })
  const page = await edge.get('/c?a=b', { headers: HTML })
  assert.equal(page.status, 202)
  assert.equal(page.headers['x-amzn-waf-action'], 'challenge')
  assert.match(String(page.headers['cache-control']), /no-store/)
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'.*script-src 'sha256-[^']+'/)
  assert.match(page.body, /<noscript>.*JavaScript/s)
  assert.equal(attribute(page.body, 'text'), workText(attribute(page.body, 'puzzle')))
  for (const [headers, method] of [
    [{}, 'GET'],
    [{ accept: 'application/json' }, 'POST'],
    [HTML, 'HEAD'],
  ] as const) {
    const bare = await edge.get('/c', { headers, method })
    assert.deepEqual([bare.status, bare.headers['x-amzn-waf-action'], bare.body], [202, 'challenge', ''])
  }
  assert.equal((await edge.get('/elsewhere')).status, 200)

  const cookie = await solve(edge)
  assert.match(cookie, /^aws-waf-token=[\w-]+\.[\w-]+$/)
  const passed = await edge.get('/c', { headers: { cookie } })
  assert.equal(passed.status, 200)
  assert.match(passed.body, /checked: yes/)
  // It lets the request go on, and no further: later rules look at it, and the other action asks for more.
  assert.equal((await edge.get('/c', { headers: { cookie, 'x-teapot': 'yes' } })).status, 418)
  assert.equal((await edge.get('/p', { headers: { cookie } })).status, 405)
  assert.equal((await edge.get('/c', { headers: { cookie }, worker: 1 })).status, 200)
  assert.equal((await edge.get('/c', { headers: { cookie: `aws-waf-token=stale; ${cookie}` } })).status, 200)

  await edge.feed.moveClock(200_000)
  assert.equal((await edge.get('/c', { headers: { cookie } })).status, 200)
  await edge.feed.moveClock(302_000)
  assert.equal((await edge.get('/c', { headers: { cookie } })).status, 202)
  await use(ACL({ ChallengeConfig: { ImmunityTimeProperty: { ImmunityTime: 3_600 } } }))
  assert.equal((await edge.get('/c', { headers: { cookie } })).status, 200)
  assert.deepEqual(edge.problems, [])
})

test('tokens of another name, forged, cut or changed ones are none; token domains share one', async (t) => {
  const { edge, use, origin } = await challenged(t)
  const status = async (cookie: string, host = HOST) => (await edge.get('/c', { headers: { cookie }, host })).status
  const cookie = await solve(edge, 'a.shop.localhost')
  assert.equal(await status(cookie, 'a.shop.localhost'), 200)
  for (const host of [HOST, 'b.shop.localhost', 'other.localhost']) assert.equal(await status(cookie, host), 202, host)
  const [payload = '', mac = ''] = cookie.split('=')[1]?.split('.') ?? []
  const forged = Buffer.from(payload, 'base64url').toString().replace('a.shop.localhost', 'other.localhost')
  for (const token of [
    `${Buffer.from(forged).toString('base64url')}.${mac}`,
    `${payload}.`,
    payload,
    `${payload}.${mac.slice(1)}`,
    `${payload}.${mac}A`,
    `${payload}.${mac.toLowerCase()}`,
    `.${mac}`,
    '',
    'x'.repeat(6_000),
  ])
    for (const host of ['a.shop.localhost', 'other.localhost'])
      assert.equal(await status(`aws-waf-token=${token}`, host), 202, token)

  await use(ACL({ TokenDomains: ['shop.localhost'] }))
  assert.equal(await status(cookie, 'b.shop.localhost'), 200)
  assert.equal(await status(cookie, 'other.localhost'), 200)
  assert.equal(await status(await solve(edge, 'other.localhost'), 'b.shop.localhost'), 202)
  const page = await edge.get('/c', { headers: HTML, host: 'b.shop.localhost' })
  const puzzle = attribute(page.body, 'puzzle')
  const number = work(puzzle)
  // Work for one name is none for another, wrong work is none, and right work is good once.
  for (const [form, host] of [
    [{ p: puzzle, n: number }, 'a.shop.localhost'],
    [{ p: puzzle, n: `${number}0` }, 'b.shop.localhost'],
    [{ p: `${puzzle}x`, n: number }, 'b.shop.localhost'],
    [{ n: number }, 'b.shop.localhost'],
    [{ p: 'A'.repeat(50_000), n: '1' }, 'b.shop.localhost'],
  ] as const)
    assert.equal((await post(edge, 'challenge', form, { host })).status, 403)
  const answer = await post(edge, 'challenge', { p: puzzle, n: number }, { host: 'b.shop.localhost' })
  assert.equal(answer.status, 200)
  assert.match(String(answer.headers['set-cookie']), /; Domain=shop\.localhost; HttpOnly; SameSite=Lax$/)
  assert.equal((await post(edge, 'challenge', { p: puzzle, n: number }, { host: 'b.shop.localhost' })).status, 403)
  // Nothing of it reached the origin, whatever was asked for there.
  for (const path of ['', 'image', 'image?p=x', 'audio', 'nothing', '../c'])
    assert.equal((await edge.get(`/.cachefront/waf/${path}`)).status, 404)
  assert.equal(origin.count('/.cachefront/waf/'), 0)
})

test('a CAPTCHA: one try a puzzle, in the right time, for the right page, at any worker; addresses that try too often wait', async (t) => {
  const { edge } = await challenged(t, { count: 2 })
  const keys = (await openTokenKeys(`${edge.directory}/waf-keys`, systemClock, assert.fail)).keys
  // What only somebody with the secret of the installation can do.
  const readOff = (puzzle: string) => openCaptcha(puzzle, HOST, Date.now(), keys)
  const ask = async (path = '/p/a?b=%3Cc%3E', worker = 0) => {
    const page = await edge.get(path, { headers: HTML, worker })
    assert.equal(page.status, 405)
    assert.equal(page.headers['x-amzn-waf-action'], 'captcha')
    assert.match(String(page.headers['content-security-policy']), /form-action 'self'/)
    return { p: field(page.body, 'p'), to: field(page.body, 'to'), body: page.body }
  }
  const bare = await edge.get('/p')
  assert.deepEqual([bare.status, bare.headers['x-amzn-waf-action'], bare.body], [405, 'captcha', ''])

  const { p, to, body } = await ask()
  const puzzle = readOff(p) ?? assert.fail()
  assert.equal(body.includes(puzzle.characters), false)
  const image = await edge.get(`/.cachefront/waf/image?p=${p}`)
  assert.deepEqual([image.status, image.headers['content-type'], image.body.slice(1, 4)], [200, 'image/png', 'PNG'])
  assert.equal((await edge.get(`/.cachefront/waf/image?p=${p}`, { worker: 1 })).body, image.body)
  const sound = await edge.get(`/.cachefront/waf/audio?p=${p}`)
  assert.deepEqual([sound.headers['content-type'], sound.body.slice(0, 4)], ['audio/wav', 'RIFF'])

  const wrong = await post(edge, 'captcha', { p, to, answer: 'WRONG' })
  assert.equal(wrong.status, 405)
  assert.match(wrong.body, /role="alert"/)
  // Now the right answer is too late, at the other worker, too; the new puzzle leads to the same page.
  assert.equal((await post(edge, 'captcha', { p, to, answer: puzzle.characters }, { worker: 1 })).status, 405)
  const next = { p: field(wrong.body, 'p'), to: field(wrong.body, 'to') }
  const solved = await post(
    edge,
    'captcha',
    { ...next, answer: readOff(next.p)?.characters.toLowerCase() ?? '' },
    { worker: 1 },
  )
  assert.equal(solved.status, 303)
  assert.equal(solved.headers.location, '/p/a?b=%3Cc%3E')
  const cookie = cookieOf(solved)
  assert.equal((await edge.get('/p', { headers: { cookie } })).status, 200)
  assert.equal((await edge.get('/c', { headers: { cookie } })).status, 202)
  // One cookie for both.
  const page = await edge.get('/c', { headers: { ...HTML, cookie } })
  const worked = attribute(page.body, 'puzzle')
  const both = cookieOf(await post(edge, 'challenge', { p: worked, n: work(worked) }, { cookie }))
  assert.equal((await edge.get('/p', { headers: { cookie: both } })).status, 200)
  assert.equal((await edge.get('/c', { headers: { cookie: both } })).status, 200)
  // The beeps are an answer, too; and nobody is sent elsewhere.
  const beeps = await ask('/p')
  const heard = await post(edge, 'captcha', {
    p: beeps.p,
    to: 'https://elsewhere.example/',
    answer: readOff(beeps.p)?.beeps ?? '',
  })
  assert.deepEqual([heard.status, heard.headers.location], [303, '/'])

  await edge.feed.moveClock(61_000)
  assert.equal((await edge.get('/p', { headers: { cookie: both } })).status, 405)
  const old = await ask()
  await edge.feed.moveClock(700_000)
  assert.equal((await edge.get(`/.cachefront/waf/image?p=${old.p}`)).status, 404)
  const late = await post(edge, 'captcha', { p: old.p, to: old.to, answer: readOff(old.p)?.characters ?? '' })
  assert.equal(late.status, 405)

  const guesses: number[] = []
  for (let at = 0; at < 14; at++) {
    const form = { p: 'x', to: '', answer: 'AAAAA' }
    guesses.push((await post(edge, 'captcha', form, { address: '192.0.2.5' })).status)
  }
  assert.deepEqual(guesses.slice(11), [405, 429, 429])
  const elsewhere = await post(edge, 'captcha', { p: 'x', to: '', answer: '' }, { address: '192.0.2.6' })
  assert.equal(elsewhere.status, 405)
})

test('in a browser: a challenge passes by itself, a puzzle by typing what the picture shows', {
  skip: browserIsMissing,
}, async (t) => {
  const { edge } = await challenged(t)
  const browser = await startBrowser()
  t.after(() => browser.close())
  const page = await browser.newPage()
  const wrong: string[] = []
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()))
  page.on('pageerror', (error) => wrong.push(String(error)))
  const site = `http://${HOST}:${edge.port()}`
  await page.goto(`${site}/c/deep?x=1#part`)
  await page.locator('#path').waitFor()
  assert.equal(await page.textContent('#path'), '/c/deep')
  assert.equal(page.url(), `${site}/c/deep?x=1#part`)

  await page.goto(`${site}/p/form`)
  const image = page.locator('img')
  await image.waitFor()
  await page.waitForLoadState('load')
  assert.equal(await page.evaluate('document.images[0].naturalWidth'), 260)
  const { keys } = await openTokenKeys(`${edge.directory}/waf-keys`, systemClock, assert.fail)
  const puzzle = openCaptcha(await page.inputValue('[name=p]'), HOST, Date.now(), keys)
  await page.getByLabel('Characters').fill('nope')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('alert').waitFor()
  assert.notEqual(await page.inputValue('[name=p]'), puzzle)
  const second = openCaptcha(await page.inputValue('[name=p]'), HOST, Date.now(), keys)
  await page.getByLabel('Characters').fill(second?.characters ?? '')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.locator('#path').waitFor()
  assert.equal(await page.textContent('#path'), '/p/form')
  // 405 of a page is an error in the eyes of the console; anything else would be ours.
  assert.deepEqual(
    wrong.filter((text) => !text.includes('405')),
    [],
  )

  const scriptless = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
  await scriptless.goto(`${site}/c`)
  assert.match(await scriptless.innerText('main'), /Please turn\s+JavaScript on/)
})
