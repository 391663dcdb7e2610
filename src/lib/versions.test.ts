import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOlder } from './versions.ts'

const rows: readonly [string, string, boolean][] = [
  ['7.0.15', '7.0.16', true],
  ['7.0.16', '7.0.15', false],
  ['7.0.15', '7.0.15', false],
  ['7.0.9', '7.0.15', true],
  ['7.2', '7.0.15', false],
  ['7.0', '7.0.1', true],
]

for (const [version, other, expected] of rows) {
  test(`${version} is ${expected ? '' : 'not '}older than ${other}`, () => {
    assert.equal(isOlder(version, other), expected)
  })
}
