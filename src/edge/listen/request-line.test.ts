import assert from 'node:assert/strict'
import { METHODS } from 'node:http'
import { test } from 'node:test'
import { KNOWN_METHODS } from './request-line.ts'

test("the methods are those of Node's own parser, but for CONNECT", () => {
  assert.deepEqual([...KNOWN_METHODS], METHODS.filter((method) => method !== 'CONNECT').toSorted())
})
