import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalPath } from './normal-path.ts'

const ROWS: readonly (readonly [path: string, normal: string])[] = [
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/a/b/', '/a/b/'],
  ['//', '/'],
  ['//a///b//', '/a/b/'],
  ['/a/./b', '/a/b'],
  ['/a/../b', '/b'],
  ['/a/b/..', '/a/'],
  ['/a/b/.', '/a/b/'],
  ['/..', '/'],
  ['/../../a', '/a'],
  ['/a/%2e%2e/b', '/b'],
  ['/a/%2E./b', '/b'],
  ['/a/..%2fb', '/a/..%2fb'],
  ['/a%2f..%2fb', '/a%2f..%2fb'],
  ['/%61%42%7e%5f%2d%39', '/aB~_-9'],
  ['/a%00%0a%20%3f%23%5c%25%3b', '/a%00%0a%20%3f%23%5c%25%3b'],
  ['/a/...', '/a/...'],
  ['/a/.b', '/a/.b'],
  ['/a\\..\\b', '/a\\..\\b'],
  ['/a;/../b', '/b'],
  ['/%252e%252e/a', '/%252e%252e/a'],
]

for (const [path, normal] of ROWS) {
  test(`${path} is matched as ${normal}`, () => {
    assert.equal(normalPath(path), normal)
  })
}
