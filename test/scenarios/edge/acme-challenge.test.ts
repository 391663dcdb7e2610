//! What the edge answers to an ACME server that checks a name: HTTP-01 at every worker before any distribution has the
//! name, DNS-01 at its name server, which a real pebble asks; and that nobody else notices.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ChallengeDesk } from '../../../src/control/issuers/acme/desk.ts'
import { acmeIssuer } from '../../../src/control/issuers/acme.ts'
import type { IssueStep } from '../../../src/control/issuers/issuer.ts'
import { type ChallengeDoc, challengeId } from '../../../src/domain/challenge.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'
import { Pebble } from '../../support/pebble.ts'

const TOKEN = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA'
const PATH = `/.well-known/acme-challenge/${TOKEN}`
const challenge = (changes: Partial<ChallengeDoc> = {}): ChallengeDoc => ({
  ...{ kind: 'http-01', name: 'new.example.com', token: TOKEN, content: `${TOKEN}.thumbprint` },
  ...changes,
})
const dns = (content: string): ChallengeDoc => challenge({ kind: 'dns-01', token: '', content })

async function tell(edge: EdgeScenario, ...challenges: readonly ChallengeDoc[]): Promise<void> {
  for (const one of challenges)
    await edge.feed.change(() => ({ kind: 'challenge', id: challengeId(one), challenge: one }))
}

const end = (edge: EdgeScenario, one: ChallengeDoc): Promise<void> =>
  edge.feed.change(() => ({ kind: 'challenge', id: challengeId(one), challenge: null }))

test('HTTP-01: a pending token of its name at every worker; everything else as before', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(`origin ${asked.method} ${asked.url}`))
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, { aliases: ['old.example.com'] })
  const edge = await EdgeScenario.start(t, [document], { count: 2 })
  await tell(edge, challenge(), challenge({ name: 'old.example.com' }))
  for (const worker of [0, 1]) {
    const answer = await edge.get(PATH, { host: 'NEW.example.com:80', worker })
    assert.deepEqual([answer.status, answer.body], [200, `${TOKEN}.thumbprint`])
    assert.deepEqual(
      [answer.headers['content-type'], answer.headers['cache-control'], answer.headers['content-length']],
      ['application/octet-stream', 'no-store', String(answer.body.length)],
    )
  }
  const rows: [host: string, path: string, method: string, status: number, body: RegExp][] = [
    ['old.example.com', PATH, 'GET', 200, /thumbprint$/],
    // Over the distribution's own name, an unknown token and another method: the origin's.
    [document.domainName, PATH, 'GET', 200, /^origin GET/],
    ['old.example.com', `${PATH}x`, 'GET', 200, /^origin GET .*x$/],
    ['old.example.com', PATH, 'HEAD', 200, /^$/],
    ['old.example.com', `/a${PATH}`, 'GET', 200, /^origin GET/],
    // Nobody's.
    ['new.example.com', '/', 'GET', 403, /ERROR/],
    ['other.example.com', PATH, 'GET', 403, /ERROR/],
  ]
  for (const [host, path, method, status, body] of rows) {
    const answer = await edge.get(path, { host, method })
    assert.equal(answer.status, status, `${method} ${host}${path}`)
    assert.match(answer.body, body, `${method} ${host}${path}`)
  }
  assert.ok(origin.asked.every(({ method, headers }) => method !== 'GET' || headers.host !== 'new.example.com'))
  const explained = await edge.get(PATH, { host: 'new.example.com', headers: { 'x-cachefront-explain': '1' } })
  assert.deepEqual([explained.status, explained.body], [200, `${TOKEN}.thumbprint`])
  assert.deepEqual(edge.problems, [])
  // Two on one connection, the second behind the first.
  const request = (more: string) => `GET ${PATH} HTTP/1.1\r\nHost: new.example.com\r\n${more}\r\n`
  assert.equal((await edge.raw(request('') + request('Connection: close\r\n'))).split(`${TOKEN}.thumbprint`).length, 3)
  await end(edge, challenge())
  assert.equal((await edge.get(PATH, { host: 'new.example.com' })).status, 403)
  assert.equal((await edge.get(PATH, { host: 'old.example.com' })).body, `${TOKEN}.thumbprint`)
})

test('a worker that starts again knows what is pending, also without control', async (t) => {
  const edge = await EdgeScenario.start(t, [distributionDoc(1)])
  await tell(edge, challenge(), challenge({ name: 'second.example.com' }))
  await end(edge, challenge({ name: 'second.example.com' }))
  await edge.pause()
  await edge.resume()
  assert.equal((await edge.get(PATH, { host: 'new.example.com' })).body, `${TOKEN}.thumbprint`)
  assert.equal((await edge.get(PATH, { host: 'second.example.com' })).status, 403)
  await edge.pause()
  await edge.feed.stop()
  await edge.addWorker('worker-0')
  assert.equal((await edge.get(PATH, { host: 'new.example.com' })).body, `${TOKEN}.thumbprint`)
})

test('DNS-01: the TXT records of a name and of its wildcard, and nothing after them', async (t) => {
  const names = { dns: { host: '127.0.0.1', port: 0, edgeDomain: 'cloudfront.localhost' } }
  const edge = await EdgeScenario.start(t, [distributionDoc(1)], names)
  const resolver = new Resolver()
  resolver.setServers([`127.0.0.1:${edge.workers[0]?.dns?.port}`])
  const texts = () => resolver.resolveTxt('_ACME-challenge.new.example.com')
  await assert.rejects(texts(), { code: 'EREFUSED' })
  await tell(edge, dns('one'), dns('two'), challenge())
  assert.deepEqual((await texts()).sort(), [['one'], ['two']])
  // Where a CNAME of the name's own zone leads.
  const delegated = await resolver.resolveTxt('_acme-challenge.new.example.com.cloudfront.localhost')
  assert.deepEqual(delegated.sort(), [['one'], ['two']])
  await assert.rejects(resolver.resolve4('_acme-challenge.new.example.com'), { code: 'ENODATA' })
  await assert.rejects(resolver.resolveTxt('_acme-challenge.example.com'), { code: 'EREFUSED' })
  await end(edge, dns('one'))
  assert.deepEqual(await texts(), [['two']])
  await end(edge, dns('two'))
  await assert.rejects(texts(), { code: 'EREFUSED' })
})

test('pebble issues a wildcard of the edge domain, by the name server alone', async (t) => {
  const pebble = await Pebble.start({ asksEdge: true })
  t.after(() => pebble.close())
  const [host = '', port] = pebble.nameServer.split(':')
  const names = { dns: { host, port: Number(port), edgeDomain: 'cloudfront.localhost' } }
  const edge = await EdgeScenario.start(t, [distributionDoc(1)], names)
  let told: readonly ChallengeDoc[] = []
  const desk: ChallengeDesk = {
    async set(_arn, wanted) {
      for (const one of told) if (!wanted.some((other) => challengeId(other) === challengeId(one))) await end(edge, one)
      await tell(edge, ...wanted)
      told = wanted
      return edge.feed.revision
    },
    isEverywhere: () => true,
  }
  const home = join(edge.directory, 'acme')
  const authorities = [pebble.authorityFile]
  const settings = { directory: pebble.directory, contacts: [], authorities, external: null, dnsHook: null }
  const parts = { environment: {}, home, nameServer: 'cloudfront.localhost', desk, clock: systemClock, version: 'test' }
  const issuer = acmeIssuer({ ...settings, ...parts, problem: assert.fail })
  t.after(() => issuer.close())
  const order = { names: ['*.cloudfront.localhost', 'cloudfront.localhost'], keyAlgorithm: 'EC_prime256v1' } as const
  const next = (memory: unknown): Promise<IssueStep> =>
    issuer.step({ ...order, arn: 'a', validationMethod: 'DNS', purpose: 'first', memory })
  let step = await next(undefined)
  while (step.kind === 'waiting') {
    const ms = Math.max(0, step.retryAt - Date.now())
    assert.ok(ms < 60_000, step.why)
    await new Promise((resolve) => setTimeout(resolve, ms))
    step = await next(step.memory)
  }
  assert.ok(step.kind === 'issued', JSON.stringify(step))
  const { subjectAltName } = new X509Certificate(step.certificate)
  assert.deepEqual(subjectAltName?.split(', ').sort(), ['DNS:*.cloudfront.localhost', 'DNS:cloudfront.localhost'])
  assert.deepEqual(told, [])
})
