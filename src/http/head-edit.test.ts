import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileEdit, editHead, namesAdded, type Wanted } from './head-edit.ts'

const head = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, ''].join('\r\n')

interface Row {
  readonly name: string
  readonly removes?: readonly string[]
  readonly wanted?: readonly Wanted[]
  readonly variesByOrigin?: boolean
  readonly before: readonly string[]
  readonly after: readonly string[]
}

const frames = (override: boolean): Wanted => ({ name: 'X-Frame-Options', value: 'DENY', override })

const ROWS: readonly Row[] = [
  { name: 'nothing to do', before: ['A: 1'], after: ['A: 1'] },
  {
    name: 'override: the value of the policy replaces all lines of that name, in any case',
    wanted: [frames(true)],
    before: ['x-frame-options: SAMEORIGIN', 'A: 1', 'X-FRAME-OPTIONS: x'],
    after: ['A: 1', 'X-Frame-Options: DENY'],
  },
  {
    name: 'override without a value of the origin: added',
    wanted: [frames(true)],
    before: ['A: 1'],
    after: ['A: 1', 'X-Frame-Options: DENY'],
  },
  {
    name: 'no override: the value of the origin stays',
    wanted: [frames(false)],
    before: ['x-frame-options: SAMEORIGIN'],
    after: ['x-frame-options: SAMEORIGIN'],
  },
  {
    name: 'no override: a gap is filled',
    wanted: [frames(false)],
    before: ['A: 1'],
    after: ['A: 1', 'X-Frame-Options: DENY'],
  },
  { name: 'removed', removes: ['a', 'b'], before: ['A: 1', 'a: 2', 'C: 3'], after: ['C: 3'] },
  {
    name: 'removal comes first: removed and wanted is there, override or not',
    removes: ['x-frame-options'],
    wanted: [frames(false)],
    before: ['X-Frame-Options: SAMEORIGIN'],
    after: ['X-Frame-Options: DENY'],
  },
  {
    name: 'an empty value',
    wanted: [{ name: 'X-Empty', value: '', override: true }],
    before: [],
    after: ['X-Empty: '],
  },
  { name: 'Vary: Origin is added', variesByOrigin: true, before: ['A: 1'], after: ['A: 1', 'Vary: Origin'] },
  {
    name: 'Vary: Origin beside another Vary',
    variesByOrigin: true,
    before: ['Vary: Accept-Encoding'],
    after: ['Vary: Accept-Encoding', 'Vary: Origin'],
  },
  {
    name: 'Vary that names Origin already',
    variesByOrigin: true,
    before: ['vary: Accept-Encoding, origin'],
    after: ['vary: Accept-Encoding, origin'],
  },
  { name: 'Vary: *', variesByOrigin: true, before: ['Vary: *'], after: ['Vary: *'] },
  {
    name: 'a name that only ends with origin is another',
    variesByOrigin: true,
    before: ['Vary: X-Origin'],
    after: ['Vary: X-Origin', 'Vary: Origin'],
  },
  {
    name: 'a policy that removes Vary wants none',
    removes: ['vary'],
    variesByOrigin: true,
    before: ['Vary: A'],
    after: [],
  },
]

for (const { name, removes = [], wanted = [], variesByOrigin = false, before, after } of ROWS) {
  test(`edit of a head: ${name}`, () => {
    const edit = compileEdit(new Set(removes), wanted, { variesByOrigin })
    assert.equal(editHead(head(...before), edit), head(...after))
  })
}

test('the names of what an edit may put in', () => {
  const edit = compileEdit(new Set(['b']), [frames(true), { name: 'B', value: 'x: y', override: false }, frames(false)])
  assert.deepEqual([...namesAdded(edit)].sort(), ['b', 'x-frame-options'])
})
