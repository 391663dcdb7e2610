import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allValues, firstValue, relayedHeaders } from './headers.ts'

const RULES = { setCookie: false, forwardsHeader: () => false, without: [] }

test('hop-by-hop fields, those that Connection names, and the edge’s own are not relayed', () => {
  const raw = [
    ...['Content-Type', 'text/css', 'Connection', 'close, X-Hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=5'],
    ...['Transfer-Encoding', 'chunked', 'Trailer', 'T', 'Upgrade', 'h2c', 'Proxy-Authenticate', 'Basic', 'TE', 'x'],
    ...[
      'Via',
      '1.1 origin',
      'X-Cache',
      'Hit from elsewhere',
      'X-Amz-Cf-Id',
      'forged',
      'X-Edge-Secret',
      's',
      'Age',
      '5',
    ],
    ...['Content-Length', '3', 'Link', '<a>', 'LINK', '<b>'],
  ]
  assert.deepEqual(relayedHeaders(raw, RULES), ['Content-Type', 'text/css', 'Link', '<a>', 'LINK', '<b>'])
})

test('Connection cannot take away what decides caching or security', () => {
  const raw = [
    'Connection',
    'cache-control, strict-transport-security',
    'Cache-Control',
    'no-store',
    'Strict-Transport-Security',
    'max-age=1',
  ]
  assert.deepEqual(relayedHeaders(raw, RULES), raw.slice(2))
})

test('Set-Cookie passes only where cookies are forwarded', () => {
  const raw = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X', 'y']
  assert.deepEqual(relayedHeaders(raw, RULES), ['X', 'y'])
  assert.deepEqual(relayedHeaders(raw, { ...RULES, setCookie: true }), raw)
})

test('Vary keeps Accept-Encoding, Cookie and what is forwarded', () => {
  const raw = ['Vary', 'accept-encoding, User-Agent,Cookie, X-A, ,*']
  assert.deepEqual(relayedHeaders(raw, RULES), ['Vary', 'accept-encoding, Cookie'])
  const rules = { ...RULES, forwardsHeader: (name: string) => name === 'x-a' }
  assert.deepEqual(relayedHeaders(raw, rules), ['Vary', 'accept-encoding, Cookie, X-A'])
  assert.deepEqual(relayedHeaders(['Vary', 'User-Agent'], RULES), [])
})

test('fields that no-cache="..." names are left out', () => {
  assert.deepEqual(relayedHeaders(['X-A', '1', 'X-B', '2'], { ...RULES, without: ['x-a'] }), ['X-B', '2'])
})

test('values by name', () => {
  const raw = ['A', '1', 'b', '2', 'a', '3']
  assert.equal(firstValue(raw, 'a'), '1')
  assert.equal(firstValue(raw, 'c'), undefined)
  assert.deepEqual(allValues(raw, 'a'), ['1', '3'])
})
