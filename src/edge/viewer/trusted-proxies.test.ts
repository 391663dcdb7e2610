import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unframedHeaders } from '../listen/header-block.ts'
import type { ViewerConnection } from '../listen/viewer.ts'
import { TrustedProxies } from './trusted-proxies.ts'

const proxies = new TrustedProxies(['10.0.0.0/8', '2001:db8:1::/48'])
function seen(from: string, ...fields: string[]): string | null {
  const headers = unframedHeaders(
    fields.flatMap((value) => ['X-Forwarded-For', value]),
    'h',
  )
  const connection = { remoteAddress: from, remotePort: 9 } as ViewerConnection
  const found = proxies.viewerOf({ connection, headers })
  assert.equal(proxies.viewerOf({ connection, headers }), found)
  return found === null ? null : `${found.address} ${found.port} <${found.forwardedFor}>`
}

test('the last untrusted entry, from the right', () => {
  const rows: [from: string, fields: string[], viewer: string | null][] = [
    ['192.0.2.1', ['8.8.8.8'], null],
    ['192.0.2.1', [], null],
    ['::ffff:10.0.0.1', ['8.8.8.8'], '8.8.8.8 0 <>'],
    ['10.0.0.1', [], '10.0.0.1 9 <>'],
    ['10.0.0.1', ['8.8.8.8'], '8.8.8.8 0 <>'],
    ['10.0.0.1', ['1.1.1.1, 8.8.8.8, 10.2.3.4'], '8.8.8.8 0 <1.1.1.1>'],
    ['10.0.0.1', ['1.1.1.1', '8.8.8.8', '10.2.3.4'], '8.8.8.8 0 <1.1.1.1>'],
    ['10.0.0.1', ['10.9.9.9, 10.2.3.4'], '10.9.9.9 0 <>'],
    ['10.0.0.1', ['8.8.8.8:4711'], '8.8.8.8 4711 <>'],
    ['10.0.0.1', ['[2001:db8::7]:4711'], '2001:db8::7 4711 <>'],
    ['2001:db8:1::5', ['2001:db8::7, 2001:db8:1::9'], '2001:db8::7 0 <>'],
    ['10.0.0.1', ['8.8.8.8, unknown'], '10.0.0.1 9 <8.8.8.8, unknown>'],
    ['10.0.0.1', ['8.8.8.8, , '], '8.8.8.8 0 <>'],
    ['10.0.0.1', ['fe80::1%eth0'], '10.0.0.1 9 <fe80::1%eth0>'],
    ['10.0.0.1', ['8.8.8.8:99999'], '8.8.8.8 0 <>'],
  ]
  for (const [from, fields, viewer] of rows)
    assert.equal(seen(from, ...fields), viewer, `${from} ${fields.join(' | ')}`)
})

test('whatever a viewer writes, it is the address that the proxy appended', () => {
  const lies = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constant('10.0.0.7')), { maxLength: 5 })
  fc.assert(
    fc.property(lies, (forged) => {
      const field = [...forged, '198.51.100.7', '10.1.1.1'].join(', ')
      assert.equal(seen('10.0.0.1', field)?.split(' ')[0], '198.51.100.7')
    }),
  )
})
