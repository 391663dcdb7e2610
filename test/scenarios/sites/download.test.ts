//! Large downloads that go on where they broke off: curl with -C -, and If-Range when the file has changed meanwhile.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, truncate } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import {
  CreateInvalidationCommand,
  ListDistributionsCommand,
  waitUntilInvalidationCompleted,
} from '@aws-sdk/client-cloudfront'
import { startSite } from '../../support/site.ts'

const run = promisify(execFile)
const MIB = 1024 * 1024

test('a download goes on where it broke off, and begins anew when the file has changed', {
  timeout: 120_000,
}, async (t) => {
  let file = randomBytes(24 * MIB)
  const etagOf = (bytes: Buffer): string => `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`
  const server = createServer((request, response) => {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    response.setHeader('etag', etagOf(file)).setHeader('accept-ranges', 'bytes')
    response.setHeader('content-type', 'application/octet-stream')
    if (range === null) {
      response.setHeader('content-length', file.length).end(file)
      return
    }
    const first = Number(range[1])
    const last = Math.min(file.length - 1, range[2] === '' ? file.length : Number(range[2]))
    response.writeHead(206, {
      'content-range': `bytes ${first}-${last}/${file.length}`,
      'content-length': last - first + 1,
    })
    response.end(file.subarray(first, last + 1))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-download-'))
  t.after(() => rm(directory, { recursive: true }))
  const { secureUrl, name, running, client } = await startSite(
    t,
    (server.address() as AddressInfo).port,
    (config) => config,
  )
  const out = join(directory, 'image.iso')
  const resolve = `${name}:${running.edgeHttps.split(':')[1]}:127.0.0.1`
  const curl = async (...args: string[]) =>
    (
      await run('curl', [
        '-sS',
        '--cacert',
        running.authority,
        '--resolve',
        resolve,
        '-o',
        out,
        '-w',
        '%{http_code} %{size_download}',
        ...args,
        `${secureUrl}/image.iso`,
      ])
    ).stdout

  assert.equal(await curl(), `200 ${file.length}`)
  assert.ok((await readFile(out)).equals(file))
  // As if it had broken off after 10 MiB.
  await truncate(out, 10 * MIB)
  assert.equal(await curl('-C', '-'), `206 ${file.length - 10 * MIB}`)
  assert.ok((await readFile(out)).equals(file))
  // With its tag: the same file goes on, another one comes whole.
  const tag = etagOf(file)
  const range = ['-H', `Range: bytes=${20 * MIB}-`, '-H', `If-Range: ${tag}`]
  assert.equal(await curl(...range), `206 ${4 * MIB}`)
  file = randomBytes(24 * MIB)
  const Id = (await client.send(new ListDistributionsCommand({}))).DistributionList?.Items?.[0]?.Id ?? ''
  const batch = { CallerReference: 'changed', Paths: { Quantity: 1, Items: ['/*'] } }
  const { Invalidation } = await client.send(
    new CreateInvalidationCommand({ DistributionId: Id, InvalidationBatch: batch }),
  )
  await waitUntilInvalidationCompleted(
    { client, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.2 },
    { DistributionId: Id, Id: Invalidation?.Id ?? '' },
  )
  assert.equal(await curl(...range), `200 ${file.length}`)
  assert.ok((await readFile(out)).equals(file))
})
