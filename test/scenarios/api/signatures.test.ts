//! Signatures where they count: calls in the name of the configured key, and everything from beyond loopback (a listener
//! on all interfaces makes every peer one).
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { CloudFront } from '@aws-sdk/client-cloudfront'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { Hash as SdkHash } from '@smithy/core/serde'
import { SignatureV4 } from '@smithy/signature-v4'
import { systemClock } from '../../../src/lib/clock.ts'
import { type Sent, send } from '../../support/api-http.ts'
import { clientOptions, KEY_PAIR, startApi, type TestApi } from '../../support/api-server.ts'

const WRONG = { ...KEY_PAIR, secretAccessKey: 'another secret' }
const STRANGER = { accessKeyId: 'AKIDSTRANGER', secretAccessKey: 'whatever' }

async function whoAmI(url: string, credentials: typeof KEY_PAIR): Promise<string> {
  const client = new STSClient(clientOptions(url, credentials))
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand({}))
    return Arn ?? ''
  } catch (error) {
    return (error as Error).name
  } finally {
    client.destroy()
  }
}

/** The SDK's own hash, as its clients use it. */
const Hash = SdkHash.bind(null, 'sha256')
const ROOT = 'arn:aws:iam::123456789012:root'

describe('on loopback', () => {
  let server: TestApi
  before(async () => {
    server = await startApi()
  })
  after(() => server.api.close())

  test('the configured key is verified', async () => {
    assert.equal(await whoAmI(server.url, KEY_PAIR), ROOT)
    assert.equal(server.log.at(-1)?.verified, true)
    assert.equal(await whoAmI(server.url, WRONG), 'SignatureDoesNotMatch')
  })

  test('any other key is taken at its word', async () => {
    assert.equal(await whoAmI(server.url, STRANGER), ROOT)
    assert.deepEqual([server.log.at(-1)?.verified, server.log.at(-1)?.accessKeyId], [false, 'AKIDSTRANGER'])
  })

  test('nothing secret reaches the log', () => {
    assert.ok(server.rawLog.length > 0)
    assert.ok(server.rawLog.every((line) => !line.includes('secret') && !line.includes('Signature=')))
  })
})

describe('beyond loopback', () => {
  let server: TestApi
  let url: string
  let ahead = 0
  before(async () => {
    server = await startApi({
      listen: { host: '0.0.0.0', port: 0 },
      clock: { ...systemClock, wall: () => systemClock.wall() + ahead },
      localRoutes: [
        {
          method: 'GET',
          path: '/_cachefront/health',
          run: async () => ({ status: 200, contentType: 'text/plain', body: 'ok' }),
        },
        {
          method: 'GET',
          path: '/_cachefront/traces/*',
          readsNeedSignature: true,
          run: async () => ({ status: 200, contentType: 'text/plain', body: 'a trace' }),
        },
        {
          method: 'POST',
          path: '/_cachefront/stop',
          run: async () => ({ status: 200, contentType: 'text/plain', body: 'ok' }),
        },
      ],
    })
    url = `http://127.0.0.1:${server.port}`
  })
  after(() => server.api.close())

  test('only the configured key with its secret gets in', async () => {
    assert.equal(await whoAmI(url, KEY_PAIR), ROOT)
    assert.equal(await whoAmI(url, WRONG), 'SignatureDoesNotMatch')
    assert.equal(await whoAmI(url, STRANGER), 'InvalidClientTokenId')
  })

  test('paths, labels and queries that need escaping verify', async () => {
    const client = new CloudFront(clientOptions(url))
    const awkward = "a b/ü*'()!~%2F+=&"
    try {
      for (const call of [
        client.getDistribution({ Id: awkward }),
        client.listTagsForResource({ Resource: awkward }),
        client.listDistributions({ Marker: awkward, MaxItems: 3 }),
        client.listDistributions({ Marker: '' }),
        client.createInvalidation({
          DistributionId: awkward,
          InvalidationBatch: { CallerReference: awkward, Paths: { Quantity: 1, Items: [`/${awkward}`] } },
        }),
      ]) {
        await assert.rejects(call, { name: 'NotImplemented' })
      }
    } finally {
      client.destroy()
    }
  })

  test('a clock that is off by more than 15 minutes is refused, either way', async () => {
    for (const [offset, outcome] of [
      [14 * 60_000, ROOT],
      [-14 * 60_000, ROOT],
      [16 * 60_000, 'RequestExpired'],
      [-16 * 60_000, 'RequestExpired'],
    ] as const) {
      ahead = offset
      assert.equal(await whoAmI(url, KEY_PAIR), outcome)
    }
    ahead = 0
  })

  test('what was signed cannot be changed on the way', async () => {
    const body = 'Action=GetCallerIdentity&Version=2011-06-15'
    const original = { path: '/', body, headers: { 'x-amz-meta': 'a' } as Record<string, string> }
    const headers = await sign('POST', 'sts', original)
    const post = (change: Sent) =>
      send(server.port, {
        method: 'POST',
        path: change.path ?? '/',
        body: change.body ?? body,
        headers: { ...headers, ...change.headers },
      })
    assert.equal((await post({})).status, 200)
    const changes: readonly Sent[] = [
      { body: `${body}&` },
      { path: '/?x=1' },
      { headers: { 'x-amz-meta': 'b' } },
      { headers: { 'x-amz-new': 'unsigned' } },
      { headers: { 'Content-Type': 'text/plain' } },
      { headers: { Host: 'localhost' } },
      { headers: { authorization: headers.authorization!.replace('/sts/', '/cloudfront/') } },
    ]
    for (const change of changes) {
      const answer = await post(change)
      assert.notEqual(answer.status, 200, JSON.stringify(change))
      assert.ok(answer.status < 500, answer.body)
    }
    assert.equal((await post({ headers: { 'x-amz-new': 'unsigned' } })).code, 'SignatureDoesNotMatch')
  })

  test('a payload that calls itself unsigned, or of another hash, is not', async () => {
    const body = 'Action=GetCallerIdentity&Version=2011-06-15'
    for (const claim of ['UNSIGNED-PAYLOAD', createHash('sha256').update('other').digest('hex')]) {
      const headers = await sign('POST', 'sts', { path: '/', body, headers: { 'x-amz-content-sha256': claim } })
      assert.equal((await send(server.port, { method: 'POST', body, headers })).code, 'SignatureDoesNotMatch', claim)
    }
  })

  test('local reads are open, those that show traffic and all changes want a signature', async () => {
    assert.equal((await send(server.port, { path: '/_cachefront/health' })).status, 200)
    const trace = { path: '/_cachefront/traces/x' }
    assert.equal((await send(server.port, trace)).code, 'MissingAuthenticationToken')
    assert.equal(
      (await send(server.port, { ...trace, headers: await sign('GET', 'cachefront', { ...trace, body: '' }) })).status,
      200,
    )
    assert.equal(
      (await send(server.port, { ...trace, headers: await sign('GET', 'sts', { ...trace, body: '' }) })).code,
      'SignatureDoesNotMatch',
    )
    const stop = { path: '/_cachefront/stop', body: '{}' }
    const json = { 'Content-Type': 'application/json' }
    assert.equal((await send(server.port, { method: 'POST', ...stop, headers: json })).status, 403)
    const headers = await sign('POST', 'cachefront', { ...stop, headers: json })
    assert.equal((await send(server.port, { method: 'POST', ...stop, headers })).status, 200)
  })

  /** Headers of a request signed by the SDK's signer. */
  async function sign(
    method: string,
    service: string,
    { path, body, headers = {} }: { path: string; body: string; headers?: Record<string, string> },
  ): Promise<Record<string, string>> {
    const signer = new SignatureV4({
      credentials: KEY_PAIR,
      region: 'us-east-1',
      service,
      sha256: Hash as never,
      applyChecksum: false,
    })
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const signed = await signer.sign({
      method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path,
      headers: { Host: `127.0.0.1:${server.port}`, ...(method === 'POST' ? type : {}), ...headers },
      body,
    })
    return signed.headers
  }
})
