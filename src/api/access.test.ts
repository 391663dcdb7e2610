import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback, judgeAccess } from './access.ts'

test('loopback is 127.0.0.0/8 and ::1, mapped addresses included', () => {
  for (const address of ['127.0.0.1', '127.16.0.9', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(address), address)
  for (const address of ['10.0.0.1', '128.0.0.1', '::', '::ffff:10.0.0.1', 'fe80::1', '', 'localhost']) {
    assert.ok(!isLoopback(address), address)
  }
})

test('an Origin must be the Host it was loaded from', () => {
  const judge = (host: string, origin: string) =>
    judgeAccess({ method: 'POST', hosts: [host], origin, fetchSite: undefined }, new Set()).allowed
  assert.ok(judge('localhost:4566', 'http://localhost:4566'))
  assert.ok(judge('localhost', 'https://localhost'))
  assert.ok(!judge('localhost:4566', 'http://localhost'))
  assert.ok(!judge('localhost:4566', 'http://localhost:4567'))
  assert.ok(!judge('localhost', 'http://localhost.evil.example'))
  assert.ok(!judge('localhost', ''))
})

test('exactly one Host', () => {
  const judge = (hosts: readonly string[]) =>
    judgeAccess({ method: 'GET', hosts, origin: undefined, fetchSite: undefined }, new Set()).allowed
  assert.ok(judge(['127.0.0.1']))
  assert.ok(!judge([]))
  assert.ok(!judge(['127.0.0.1', '127.0.0.1']))
})
