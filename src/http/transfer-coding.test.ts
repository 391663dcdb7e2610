import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyEndOf } from './transfer-coding.ts'

const ROWS = [
  [['chunked'], 'chunked'],
  [[' Chunked\t'], 'chunked'],
  [['foo'], 'until-close'],
  [['identity'], 'until-close'],
  [['foo', 'bar , baz'], 'until-close'],
  [['chunked', 'chunked'], 'unusable'],
  [['chunked, chunked'], 'unusable'],
  [['foo, chunked'], 'unusable'],
  [['chunked, foo'], 'unusable'],
  [['xchunked'], 'unusable'],
  [['CHUNKEDx'], 'unusable'],
  [['chunked;q=1'], 'unusable'],
  [['"chunked"'], 'unusable'],
  [['\x0bchunked'], 'unusable'],
  [['gzip'], 'unusable'],
  [['foo, GZip'], 'unusable'],
  [['x-gzip'], 'unusable'],
  [['deflate'], 'unusable'],
  [['compress', 'foo'], 'unusable'],
  [['x-compress'], 'unusable'],
  [['foo;level=1'], 'unusable'],
  [['foo bar'], 'unusable'],
  [['foo,'], 'unusable'],
  [[''], 'unusable'],
  [['f\u00f6o'], 'unusable'],
] as const

for (const [values, end] of ROWS) {
  test(`Transfer-Encoding: ${JSON.stringify(values)} is ${end}`, () => assert.equal(bodyEndOf(values), end))
}
