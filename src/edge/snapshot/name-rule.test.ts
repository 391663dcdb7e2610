import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NameList } from '../../domain/policy.ts'
import { admits, compileNames, filterCookies, filterQuery, union } from './name-rule.ts'

const list = (behavior: NameList['behavior'], ...names: string[]): NameList => ({ behavior, names })
const NONE = list('none')
const ALL = list('all')

test('what reaches the origin is the union of both policies (the table of spec 4.2)', () => {
  const rows: readonly (readonly [cache: NameList, request: NameList, admitted: string])[] = [
    [NONE, NONE, ''],
    [NONE, ALL, 'abcd'],
    [NONE, list('whitelist', 'a'), 'a'],
    [NONE, list('allExcept', 'a'), 'bcd'],
    [ALL, NONE, 'abcd'],
    [ALL, list('whitelist', 'a'), 'abcd'],
    [ALL, list('allExcept', 'a'), 'abcd'],
    [list('whitelist', 'a'), NONE, 'a'],
    [list('whitelist', 'a'), ALL, 'abcd'],
    [list('whitelist', 'a'), list('whitelist', 'b'), 'ab'],
    [list('whitelist', 'a'), list('allExcept', 'a', 'b'), 'acd'],
    [list('allExcept', 'a'), NONE, 'bcd'],
    [list('allExcept', 'a', 'b'), list('whitelist', 'a'), 'acd'],
    [list('allExcept', 'a'), list('allExcept', 'b'), 'cd'],
  ]
  for (const [cache, request, admitted] of rows) {
    const rule = union(compileNames(cache), compileNames(request))
    const names = ['a', 'b', 'c', 'd'].filter((name) => admits(rule, name)).join('')
    assert.equal(names, admitted, JSON.stringify([cache, request]))
  }
})

test('query strings keep their order, names and values as they came', () => {
  const only = compileNames(list('whitelist', 'a', 'flag'))
  assert.equal(filterQuery(only, 'b=1&flag&a=2&a=1&A=3'), 'flag&a=2&a=1')
  assert.equal(filterQuery(only, 'b=1;a=2'), '', 'only & separates')
  assert.equal(filterQuery(compileNames(ALL), 'z&a=%20&&'), 'z&a=%20&&')
  assert.equal(filterQuery(only, null), '')
})

test('cookies are sorted by name', () => {
  assert.equal(filterCookies(compileNames(ALL), ['b=2; a=1', 'c=x=y']), 'a=1; b=2; c=x=y')
  assert.equal(filterCookies(compileNames(list('allExcept', 'a')), ['b=2; a=1']), 'b=2')
  assert.equal(filterCookies(compileNames(NONE), ['b=2']), '')
})
