import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { readAuthorization } from '../aws/authorization.ts'
import { verifySignature } from '../aws/verify-signature.ts'
import { systemClock } from '../lib/clock.ts'
import { localCall, localDocument } from './local-call.ts'

const KEYS = { accessKeyId: 'AKIDLOCAL', secretAccessKey: 'a secret' }

/** Answers with its verdict on the signature: 200 when it is valid, 403 otherwise. */
const server = createServer((message, response) => {
  const chunks: Buffer[] = []
  message.on('data', (chunk: Buffer) => chunks.push(chunk))
  message.on('end', async () => {
    const headers = new Map(Object.entries(message.headers).map(([name, value]) => [name, String(value)]))
    const request = {
      method: message.method!,
      rawPath: message.url!,
      rawQuery: '',
      headers,
      body: Buffer.concat(chunks),
    }
    const read = readAuthorization(headers, '')
    let verdict = 'unsigned'
    if (read.found === 'authorization' && read.authorization.service === 'cachefront') {
      const secret = read.authorization.accessKeyId === KEYS.accessKeyId ? KEYS.secretAccessKey : 'of nobody'
      verdict = verifySignature(request, read.authorization, [secret], [], systemClock.wall()).verdict
    }
    response.statusCode = verdict === 'valid' ? 200 : 403
    response.end(JSON.stringify({ error: `It is ${verdict}.` }))
  })
})

describe('calls of the local routes', () => {
  let endpoint: string
  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => server.close())

  it('are signed, reads and changes, with what a path may hold', async () => {
    const api = { endpoint, credentials: KEYS }
    for (const path of ['/_cachefront/status', '/_cachefront/traces/a%2Fb%20=c']) {
      assert.equal((await localCall(api, path)).status, 200, path)
    }
    assert.equal((await localCall(api, '/_cachefront/clock', { advanceMs: 5, text: 'ä' })).status, 200)
  })

  it('say which keys are asked for when they have the wrong ones', async () => {
    const api = { endpoint, credentials: { ...KEYS, secretAccessKey: 'another' } }
    await assert.rejects(
      localDocument(api, '/_cachefront/status'),
      /It is mismatch\. Set CACHEFRONT_ACCESS_KEY_ID and CACHEFRONT_SECRET_ACCESS_KEY/,
    )
  })
})
