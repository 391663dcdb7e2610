//! Bad input at the front doors of the real program: what is not HTTP, what comes from a web page, and origins that fail.
//! Each refusal in all its forms: test/scenarios/api, test/scenarios/edge, src/edge/listen.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { CloudFront, waitUntilDistributionDeployed } from '@aws-sdk/client-cloudfront'
import { startRawOrigin } from '../../support/edge-origin.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { endAll, type Installation, newHome, up } from '../../support/program-installation.ts'

/** Sends bytes and returns all that came until the other side closed. */
async function spoken(address: string, bytes: string): Promise<string> {
  const [host, port] = address.split(':')
  const socket = connect(Number(port), host)
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return answer
}

describe('bad input at the front doors', { timeout: 90_000 }, () => {
  let running: Installation
  let client: CloudFront
  let origin: Awaited<ReturnType<typeof startRawOrigin>>
  let host: string

  before(async () => {
    running = await up(await newHome())
    origin = await startRawOrigin((socket, head) => {
      if (head.startsWith('GET /reset')) socket.resetAndDestroy()
      else if (head.startsWith('GET /cut')) {
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\ncache-control: max-age=60\r\n\r\nhalf')
      } else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine')
    })
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    client = new CloudFront({ endpoint: running.api, region: 'us-east-1', credentials, maxAttempts: 1 })
    const DistributionConfig = oneOrigin('doors', origin.port)
    const { Distribution } = await client.createDistribution({ DistributionConfig })
    host = Distribution!.DomainName!
    const wait = { client, minDelay: 0.02, maxDelay: 0.2, maxWaitTime: 20 }
    await waitUntilDistributionDeployed(wait as never, { Id: Distribution!.Id! })
  })
  after(async () => {
    client.destroy()
    await origin.close()
    assert.deepEqual(await endAll(running.home), [])
  })

  it('the edge answers what is not HTTP with 400, closes, and forwards nothing', async () => {
    for (const bytes of [
      `GET / HTTP/1.1\r\nHost : ${host}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nHost: ${host}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `GET / HTTP/1.1\nHost: ${host}\n\n`,
    ]) {
      assert.match(await spoken(running.edge, bytes), /^HTTP\/1\.1 400 /, JSON.stringify(bytes))
    }
    assert.deepEqual(origin.requests, [])
  })

  it('the API turns away a malformed document, a web page and a rebound name; nothing is made', async () => {
    const api = new URL(running.api).host
    const signed =
      'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/cloudfront/aws4_request, SignedHeaders=host, Signature='
    const post = (headers: string, body: string): Promise<string> =>
      spoken(
        api,
        `POST /2020-05-31/distribution HTTP/1.1\r\n${headers}Authorization: ${signed}${'0'.repeat(64)}\r\nX-Amz-Date: 20260101T000000Z\r\nContent-Type: text/xml\r\n` +
          `Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
    assert.match(
      await post(`Host: ${api}\r\n`, '<DistributionConfig>'),
      /^HTTP\/1\.1 400 .*<Code>MalformedInput<\/Code>/s,
    )
    assert.match(await post(`Host: ${api}\r\nOrigin: https://evil.example\r\n`, '<a/>'), /^HTTP\/1\.1 403 /)
    assert.match(await post('Host: rebound.evil.example\r\n', '<a/>'), /^HTTP\/1\.1 403 /)
    assert.equal((await client.listDistributions({})).DistributionList?.Quantity, 1)
  })

  it('an origin that resets is a 502, one gone in mid-body a cut answer, neither kept; the next page is served', async () => {
    const get = (path: string): Promise<string> =>
      spoken(running.edge, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    assert.match(await get('/reset'), /^HTTP\/1\.1 502 .*X-Cache: Error from cloudfront/is)
    for (const _time of [1, 2]) {
      const answer = await get('/cut')
      assert.doesNotMatch(answer, /X-Cache: Hit/i)
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      const whole = head.startsWith('HTTP/1.1 200') && Number(/content-length: (\d+)/i.exec(head)?.[1]) === body.length
      assert.equal(whole, false, 'a cut body is not told as whole')
    }
    assert.ok(origin.requests.filter((head) => head.startsWith('GET /cut')).length >= 2)
    assert.match(await get('/fine'), /^HTTP\/1\.1 200 .*fine$/s)
  })
})
