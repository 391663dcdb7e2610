//! The signer by itself: who gets cookies, for what, for how long; that they are what CloudFront verifies; and what it
//! refuses. The whole way, edge and browser included, is test/scenarios/storefront.
import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { after, before, test } from 'node:test'
import { Accounts } from './accounts.ts'
import { createSigner } from './signer.ts'

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
const SECONDS = 900
let now = Date.UTC(2026, 0, 1)
let site = ''
let close = (): void => {}

before(async () => {
  const accounts = new Accounts(() => now)
  await accounts.add('ada', 'analytical engine', ['/images/*', '/films/*'])
  const server = createSigner({
    key: { keyPairId: 'K2JCJMDEHXQW5F', privateKey },
    accounts,
    cookieSeconds: SECONDS,
    images: ['/images/a.svg'],
    now: () => now,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  site = `127.0.0.1:${(server.address() as AddressInfo).port}`
  close = () => {
    server.close()
    server.closeAllConnections()
  }
})
after(() => close())

const ask = (path: string, { cookie = '', body, proto }: { cookie?: string; body?: string; proto?: string } = {}) =>
  fetch(`http://${site}${path}`, {
    redirect: 'manual',
    headers: {
      cookie,
      ...(proto === undefined ? {} : { 'cloudfront-forwarded-proto': proto }),
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(body === undefined ? {} : { method: 'POST', body }),
  })

const login = (name: string, password: string) =>
  ask('/members/login', { body: new URLSearchParams({ name, password }).toString() })

async function session(): Promise<string> {
  const answer = await login('ada', 'analytical engine')
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), '/signed-cookie?resource=%2Fimages%2F*&to=/members')
  const [cookie = ''] = answer.headers.getSetCookie()
  assert.match(cookie, /^signer-session=[^;]+; Path=\/; Max-Age=28800; HttpOnly; SameSite=Lax$/)
  return cookie.split(';')[0] ?? ''
}

/** By name, without attributes. */
const cookiesOf = (answer: Response): Record<string, string> =>
  Object.fromEntries(
    answer.headers.getSetCookie().map((line) => (line.split(';')[0] ?? '').split('=') as [string, string]),
  )

const decoded = (text = ''): Buffer =>
  Buffer.from(text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/'), 'base64')

test('cookies for a resource: a policy of this site with an end, and a signature that the public key verifies', async () => {
  const answer = await ask('/signed-cookie?resource=/images/*', { cookie: await session() })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('cache-control'), 'private, no-store')
  assert.deepEqual(await answer.json(), { until: new Date(now + SECONDS * 1000).toISOString() })
  const cookies = cookiesOf(answer)
  const policy = decoded(cookies['CloudFront-Policy'])
  assert.deepEqual(JSON.parse(policy.toString()), {
    Statement: [
      { Resource: `*://${site}/images/*`, Condition: { DateLessThan: { 'AWS:EpochTime': now / 1000 + SECONDS } } },
    ],
  })
  assert.equal(cookies['CloudFront-Key-Pair-Id'], 'K2JCJMDEHXQW5F')
  assert.equal(cookies['CloudFront-Hash-Algorithm'], 'SHA256')
  assert.ok(verify('sha256', policy, publicKey, decoded(cookies['CloudFront-Signature'])))
  for (const line of answer.headers.getSetCookie()) {
    assert.match(line, /; Path=\/images\/; Max-Age=900; HttpOnly; SameSite=Lax$/)
  }
})

test('over HTTPS all cookies go by HTTPS alone', async () => {
  const answer = await ask('/signed-cookie?resource=/films/*', { cookie: await session(), proto: 'https' })
  assert.equal(answer.headers.getSetCookie().length, 4)
  for (const line of answer.headers.getSetCookie()) assert.match(line, /; Path=\/films\/; .*; Secure$/)
})

test('only with a session, and only what the account lists', async () => {
  assert.equal((await ask('/signed-cookie?resource=/images/*')).status, 401)
  assert.equal((await ask('/refresh')).status, 401)
  const cookie = await session()
  for (const resource of ['/*', '*', '/images/', '/images/**', '/images/*?', '//images/*', '/IMAGES/*', '']) {
    const answer = await ask(`/signed-cookie?resource=${encodeURIComponent(resource)}`, { cookie })
    assert.deepEqual([answer.status, answer.headers.getSetCookie()], [403, []], resource)
  }
})

test('a session that was forged, cut or is over is none', async () => {
  const cookie = await session()
  const [name = '', value = ''] = cookie.split('=')
  const [who, until = '', seal] = value.split('.')
  const forged = [
    `${who}.${Number(until) + 1}.${seal}`,
    `eve.${until}.${seal}`,
    `${who}.${until}.`,
    `${who}.${until}.${String(seal).slice(1)}`,
    `%.${until}.${seal}`,
    value.slice(0, -4),
    'x',
  ]
  for (const one of forged) {
    assert.equal((await ask('/refresh', { cookie: `${name}=${one}` })).status, 401, one)
  }
  assert.equal((await ask('/refresh', { cookie })).status, 200)
  now += 8 * 60 * 60 * 1000
  assert.equal((await ask('/refresh', { cookie })).status, 401)
})

test('a refresh renews the session and the cookies of all resources', async () => {
  const cookie = await session()
  now += 600_000
  const answer = await ask('/refresh', { cookie })
  const lines = answer.headers.getSetCookie()
  assert.equal(lines.length, 9)
  assert.deepEqual(await answer.json(), { until: new Date(now + SECONDS * 1000).toISOString() })
  assert.notEqual(lines[0]?.split(';')[0], cookie)
})

test('logging out takes the cookies away', async () => {
  const answer = await ask('/members/logout', { cookie: await session(), body: '' })
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/members'])
  const lines = answer.headers.getSetCookie()
  assert.equal(lines.length, 9)
  for (const line of lines) assert.match(line, /^[\w-]+=; Path=\/[a-z/]*; Max-Age=0;/)
})

test('no way to another site', async () => {
  const cookie = await session()
  const at = (to: string) => ask(`/signed-cookie?resource=/images/*&to=${encodeURIComponent(to)}`, { cookie })
  assert.equal((await at('/members')).headers.get('location'), '/members')
  for (const to of ['//evil.test', '/\\evil.test', 'https://evil.test', '/a\r\nX: y', '']) {
    const answer = await at(to)
    assert.deepEqual([answer.status, answer.headers.get('location')], [400, null], to)
  }
})

test('a Host that means something in a policy is refused', async () => {
  const cookie = await session()
  for (const host of ['*', 'a.test/*', 'a.test"', '*.test:80', 'ä.test']) {
    const socket = connect(Number(site.split(':')[1]), '127.0.0.1')
    socket.end(
      `GET /signed-cookie?resource=/images/* HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
      'latin1',
    )
    let got = ''
    for await (const chunk of socket.setEncoding('latin1')) got += chunk
    assert.match(got, /^HTTP\/1\.1 400 /, host)
    assert.doesNotMatch(got, /CloudFront-/)
  }
})

test('wrong passwords: the same answer for every name, and an end to guessing', async () => {
  assert.equal((await login('nobody', 'x')).status, 403)
  for (let attempt = 0; attempt < 5; attempt++) assert.equal((await login('ada', `guess ${attempt}`)).status, 403)
  const answer = await login('ada', 'analytical engine')
  assert.equal(answer.status, 429)
  assert.match(await answer.text(), /Too many attempts/)
  now += 60_000
  await session()
})

test('many guesses at a time are as few as one after the other', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, (_, guess) => login('many', `guess ${guess}`)))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [...Array(5).fill(403), ...Array(7).fill(429)])
})

test('the page of a member escapes what it shows; who has not logged in gets the form', async () => {
  assert.match(await (await ask('/members')).text(), /<form method="post" action="\/members\/login">/)
  const page = await (await ask('/members', { cookie: await session() })).text()
  assert.match(page, /Hello, ada/)
  assert.match(page, /<img src="\/images\/a\.svg"/)
  assert.equal((await ask('/members/else')).status, 404)
  assert.equal((await ask('/members/login')).status, 404)
})
