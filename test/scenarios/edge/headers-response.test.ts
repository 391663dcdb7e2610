//! Every row of spec/cloudfront.md 6.4 at a real edge: what a viewer gets of each header of an answer, on a Miss, on a Hit
//! and in an answer that the edge makes itself; with one worker and with three.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRawOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

const VIA = /^1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)$/

interface Row {
  readonly header: string
  /** Lines of the origin's head. */
  readonly origin?: string
  /** Undefined: the viewer gets no such header. */
  readonly miss: RegExp | undefined
  readonly hit: RegExp | undefined
  /** In an error page of the edge's own (a host that is nobody's). */
  readonly own: RegExp | undefined
  /** Cookies are forwarded. */
  readonly cookies?: true
}

const stripped = (header: string, value = 'x'): Row => ({
  ...{ header, origin: `${header}: ${value}`, miss: undefined, hit: undefined, own: undefined },
})

const ROWS: readonly Row[] = [
  { header: 'Via', miss: VIA, hit: VIA, own: VIA },
  { header: 'Via', origin: 'Via: 1.1 inner', miss: /cloudfront\.net \(CloudFront\)$/, hit: /cloudfront\.net \(CloudFront\)$/, own: VIA },
  { header: 'X-Cache', origin: 'X-Cache: HIT of the origin', miss: /^Miss from cloudfront$/, hit: /^Hit from cloudfront$/, own: /^Error from cloudfront$/ },
  { header: 'X-Amz-Cf-Pop', origin: 'X-Amz-Cf-Pop: forged', miss: /^FRA50-C1$/, hit: /^FRA50-C1$/, own: /^FRA50-C1$/ },
  { header: 'X-Amz-Cf-Id', origin: 'X-Amz-Cf-Id: forged', miss: /^[\w-]{54}==$/, hit: /^[\w-]{54}==$/, own: /^[\w-]{54}==$/ },
  { header: 'Age', miss: undefined, hit: /^\d$/, own: undefined },
  { header: 'Age', origin: 'Age: 100', miss: /^10\d$/, hit: /^10\d$/, own: undefined },
  { header: 'Server', origin: 'Server: mine/1', miss: /^mine\/1$/, hit: /^mine\/1$/, own: /^CloudFront$/ },
  { header: 'Date', miss: /GMT$/, hit: /GMT$/, own: /GMT$/ },
  { header: 'Date', origin: 'Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nExpires: Thu, 01 Jan 2099 00:00:00 GMT', miss: /^Thu, 01 Jan 2026/, hit: /^Thu, 01 Jan 2026/, own: /GMT$/ },
  { header: 'Set-Cookie', origin: 'Set-Cookie: a=1', miss: undefined, hit: undefined, own: undefined },
  { header: 'Set-Cookie', origin: 'Set-Cookie: a=1', cookies: true, miss: /^a=1$/, hit: /^a=1$/, own: undefined },
  { header: 'ETag', origin: 'ETag: "v"', miss: /^"v"$/, hit: /^"v"$/, own: undefined },
  { header: 'Vary', origin: 'Vary: Accept-Encoding, X-Unforwarded', miss: /^Accept-Encoding$/, hit: /^Accept-Encoding$/, own: undefined },
  { header: 'X-Custom', origin: 'X-Custom: v', miss: /^v$/, hit: /^v$/, own: undefined },
  // The connection is the edge's own with the viewer.
  { header: 'Connection', origin: 'Connection: x-hop\r\nX-Hop: 1', miss: /^keep-alive$/, hit: /^keep-alive$/, own: /^keep-alive$/ },
  stripped('Keep-Alive', 'timeout=5'),
  stripped('X-Hop', '1\r\nConnection: X-Hop'),
  stripped('Trailer', 'X-T'),
  stripped('Upgrade', 'h2c'),
  stripped('TE'),
  stripped('Proxy-Authenticate', 'Basic'),
  stripped('Proxy-Connection', 'keep-alive'),
  stripped('X-Edge-Location', 'FRA'),
  stripped('X-Amz-Cf-Internal'),
  stripped('X-Amzn-Cf-Internal'),
  // HTTP/3 is not built: nothing is promised.
  { header: 'Alt-Svc', miss: undefined, hit: undefined, own: undefined },
] // biome-ignore format: a table

/** The values of a header, joined; undefined when it is not there. */
function fieldIn(head: string, header: string): string | undefined {
  const lines = head.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${header.toLowerCase()}: `))
  return lines.length === 0 ? undefined : lines.map((line) => line.slice(header.length + 2)).join(' | ')
}

for (const count of [1, 3]) {
  test(`what a viewer gets of each header, ${count === 1 ? 'one worker' : 'three workers'}`, async (t) => {
    const origin = await startRawOrigin((socket, head) => {
      const [, at = ''] = /^GET \/(\d+)/.exec(head) ?? []
      const own = ROWS[Number(at)]?.origin
      socket.write(`HTTP/1.1 200 OK\r\n${own === undefined ? '' : `${own}\r\n`}Content-Length: 1\r\n\r\nx`)
    })
    t.after(() => origin.close())
    const all = cachePolicy({ id: 'cookies', cookies: { behavior: 'all', names: [] } })
    const behaviors = [behaviorDoc({ pathPattern: '/*-cookies', cachePolicy: all }), behaviorDoc()]
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })], { count })
    const headOf = async (path: string, host: string, worker: number): Promise<string> => {
      const get = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n`
      // Two requests, so that the first answer does not end the connection.
      const text = await edge.raw(`${get}\r\nGET / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n`, worker)
      return text.slice(0, text.indexOf('\r\n\r\n'))
    }
    for (const [at, row] of ROWS.entries()) {
      await t.test(
        `${row.header}${row.origin === undefined ? '' : `, the origin has ${row.origin.split('\r\n')[0]}`}`,
        async () => {
          const path = `/${at}${row.cookies ? '-cookies' : ''}`
          const heads = {
            miss: await headOf(path, HOST, 0),
            hit: await headOf(path, HOST, 0),
            own: await headOf('/', 'nobody.test', count - 1),
          }
          for (const kind of ['miss', 'hit', 'own'] as const) {
            const value = fieldIn(heads[kind], row.header)
            const expected = row[kind]
            if (expected === undefined) assert.equal(value, undefined, `${kind}: ${value}`)
            else assert.match(value ?? 'no such header', expected, kind)
          }
        },
      )
    }
  })
}

test('Transfer-Encoding is chunked when the origin sent it so', async (t) => {
  const origin = await startRawOrigin((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const text = await edge.raw(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
  assert.match(text, /\r\nTransfer-Encoding: chunked\r\n/)
})
