import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../domain/faults.ts'
import { quotasWith } from '../../domain/quotas.ts'
import { checkItems, sameItems, wildcardsOf } from './invalidation-items.ts'

const codeOf = (items: readonly string[], tagHeader?: string): string => {
  try {
    checkItems(items, tagHeader, quotasWith())
    return 'taken'
  } catch (error) {
    assert.ok(error instanceof Fault)
    return error.code
  }
}

test('what an item may be', () => {
  const rows: [items: string[], tagHeader: string | undefined, code: string][] = [
    [['/'], undefined, 'taken'],
    [['/*'], undefined, 'taken'],
    [['/a?x=1&y=%20*'], undefined, 'taken'],
    [[`/${'x'.repeat(3_999)}`], undefined, 'taken'],
    [[`/${'x'.repeat(4_000)}`], undefined, 'InvalidArgument'],
    [['a'], undefined, 'InvalidArgument'],
    [[''], undefined, 'InvalidArgument'],
    [['*'], undefined, 'InvalidArgument'],
    [['/a*b'], undefined, 'InvalidArgument'],
    [['/a**'], undefined, 'InvalidArgument'],
    [['/with space'], undefined, 'InvalidArgument'],
    [['/caf\u00e9'], undefined, 'InvalidArgument'],
    [[], undefined, 'InvalidArgument'],
    [['/a', '#t'], 'x-tags', 'taken'],
    [['#a*'], 'x-tags', 'taken'],
    [[`#${'x'.repeat(256)}`], 'x-tags', 'taken'],
    [[`#${'x'.repeat(257)}`], 'x-tags', 'InvalidArgument'],
    [['#'], 'x-tags', 'InvalidArgument'],
    [['#a,b'], 'x-tags', 'InvalidArgument'],
    [['#a b'], 'x-tags', 'InvalidArgument'],
    [['#t'], undefined, 'InvalidArgument'],
    [Array.from({ length: 3_000 }, (_, at) => `/${at}`), undefined, 'taken'],
    [Array.from({ length: 3_001 }, (_, at) => `#${at}`), 'x-tags', 'BatchTooLarge'],
  ]
  for (const [items, tagHeader, code] of rows) assert.equal(codeOf(items, tagHeader), code, `${items.slice(0, 3)}`)
})

test('wildcards are counted, tags are none; order and repetition do not matter', () => {
  assert.equal(wildcardsOf(['/a*', '/b', '#c*', '/*']), 2)
  assert.ok(sameItems(['/a', '/b', '/a'], ['/b', '/a']))
  assert.ok(!sameItems(['/a'], ['/a', '/b']))
})
