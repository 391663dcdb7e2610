import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../domain/faults.ts'
import type { LocalRoute } from '../services/cachefront/local-route.ts'
import { findLocalRoute, isLocalPath } from './local.ts'

const route = (method: 'GET' | 'POST', path: string): LocalRoute => ({
  method,
  path,
  run: async () => ({ status: 200, contentType: 'text/plain', body: '' }),
})
const ROUTES = [
  route('GET', '/_cachefront/clock'),
  route('POST', '/_cachefront/clock'),
  route('GET', '/_cachefront/traces/*'),
]

function find(method: string, path: string) {
  const { route: found, rest } = findLocalRoute(ROUTES, method, path)
  return [ROUTES.indexOf(found), rest]
}

test('method and path choose the route; HEAD is GET', () => {
  assert.deepEqual(find('GET', '/_cachefront/clock'), [0, ''])
  assert.deepEqual(find('HEAD', '/_cachefront/clock'), [0, ''])
  assert.deepEqual(find('POST', '/_cachefront/clock'), [1, ''])
  assert.deepEqual(find('GET', '/_cachefront/traces/x%2Fy'), [2, 'x/y'])
})

test('no route, another method and bad encoding are faults', () => {
  for (const [method, path, status] of [
    ['GET', '/_cachefront/clock/', 404],
    ['GET', '/_cachefront/trace/x', 404],
    ['GET', '/_cachefront/traces/', 404],
    ['GET', '/_cachefront/traces/a/b', 404],
    ['GET', '/_cachefront/traces/%ff', 404],
    ['DELETE', '/_cachefront/clock', 405],
  ] as const) {
    assert.throws(
      () => find(method, path),
      (error) => error instanceof Fault && error.status === status,
      path,
    )
  }
})

test('only whole first parts are local', () => {
  for (const path of ['/_cachefront', '/_cachefront/x', '/console', '/console/']) assert.ok(isLocalPath(path), path)
  for (const path of ['/', '/consoles', '/_cachefrontier', '/x/console']) assert.ok(!isLocalPath(path), path)
})
