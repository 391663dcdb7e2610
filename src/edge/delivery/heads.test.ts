import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headersPolicy } from '../../../test/support/edge-scenario.ts'
import { type ObjectMeta, StoredObject } from '../cache/object.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { unframedHeaders } from '../listen/header-block.ts'
import { HeadersPolicyPlan } from '../snapshot/headers-policy.ts'
import { hitHead } from './heads.ts'

test('heads of an object are kept for edits that come again, however many origins a policy echoes', () => {
  const headersPolicyOf = new HeadersPolicyPlan(
    headersPolicy({
      cors: {
        allowCredentials: false,
        ...{ allowHeaders: ['*'], allowMethods: ['GET'], allowOrigins: ['https://*.b.test'], exposeHeaders: [] },
        maxAgeSec: null,
        override: true,
      },
    }),
  )
  const block = (origin: string) => unframedHeaders(['Origin', origin], 'h')
  const meta = { status: 200, head: 'HTTP/1.1 200 OK\r\n', bornAt: 0, freshUntil: 1_000 } as ObjectMeta
  const nothing = () => {}
  const object = new StoredObject('key', 0, meta, Buffer.from('body'), nothing, nothing)
  const edge = { clock: { now: () => 0 }, date: () => '' } as Edge
  for (let n = 0; n < 400; n++) {
    const origin = `https://n${n}.b.test`
    const x = {
      ...{ page: null, peer: null, inner: null, watcher: null, result: 'Hit', setCookie: '', requestId: 'id' },
      behavior: { headersPolicy: headersPolicyOf, strict: false },
      viewerRequest: { method: 'GET', headers: block(origin) },
      place: { name: 'POP', via: '' },
      reply: { closes: false },
    } as unknown as Exchange
    assert.match(hitHead(x, edge, object).text, new RegExp(`Access-Control-Allow-Origin: ${origin}\r\n`, 'i'))
  }
  const kept = [object.hitHead, ...(object.otherHitHeads ?? [])]
  assert.ok(kept.length > 1)
  for (const { text, edit } of kept) {
    const [, origin = ''] = /Access-Control-Allow-Origin: (.*)\r\n/i.exec(text) ?? []
    assert.equal(
      headersPolicyOf.editFor('GET', block(origin), () => 0),
      edit,
      origin,
    )
  }
})
