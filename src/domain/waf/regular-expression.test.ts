import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patternProblem } from './regular-expression.ts'

test('what an edge can use in little time is taken, and what is wrong with another is said', () => {
  for (const pattern of ['^/a+b$', 'x{2,3}', '[a-z]{200}', '(?i)union.{1,200}select', '日本[語x]', '.{1000}']) {
    assert.equal(patternProblem(pattern), null, pattern)
  }
  assert.match(patternProblem('(a)\\1') ?? '', /escape/)
  assert.match(patternProblem('(?=a)') ?? '', /\?=/)
  assert.match(patternProblem('(a|aa|aaa){1000}b') ?? '', /9003 instructions, at most 2000/)
})
