import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressGuard } from './guard.ts'

const OWN = ['127.0.0.1:4566', '0.0.0.0:9000', '[::1]:4567', '127.16.0.0/16']

test('ordinary addresses may be origins, loopback on other ports too', () => {
  const guard = addressGuard(OWN, [])
  for (const address of ['93.184.216.34', '10.0.0.1', '127.0.0.1', '::1'])
    assert.equal(guard.refusal(address, 80), null)
})

test('metadata, own endpoints and engines are refused in every spelling', () => {
  const guard = addressGuard(OWN, [])
  assert.match(guard.refusal('169.254.169.254', 80) ?? '', /metadata address \(--allow-origin 169\.254\.169\.254\/32 /)
  assert.match(guard.refusal('::ffff:169.254.169.254', 80) ?? '', /metadata/)
  assert.match(guard.refusal('fe80::1', 80) ?? '', /metadata address \(--allow-origin fe80::1\/128 /)
  assert.match(guard.refusal('127.0.0.1', 4566) ?? '', /this installation/)
  assert.match(guard.refusal('127.0.0.2', 9000) ?? '', /this installation/)
  assert.match(guard.refusal('::1', 4567) ?? '', /this installation/)
  assert.match(guard.refusal('127.16.3.4', 6379) ?? '', /engines/)
})

test('an allowed network is allowed', () => {
  const guard = addressGuard(OWN, ['169.254.169.254/32', '127.0.0.0/8'])
  assert.equal(guard.refusal('169.254.169.254', 80), null)
  assert.equal(guard.refusal('127.16.3.4', 6379), null)
  assert.match(guard.refusal('169.254.169.253', 80) ?? '', /metadata/)
})

test('nonsense in the configuration is named', () => {
  assert.throws(() => addressGuard(['localhost'], []), /localhost is neither/)
  assert.throws(() => addressGuard([], ['ten/8']), /ten\/8 is not a CIDR/)
})
