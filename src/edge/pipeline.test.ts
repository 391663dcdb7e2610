import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { PIPELINE } from './pipeline.ts'
import { requestFlowDocument } from './request-flow.ts'

test('the committed drawing of the request flow is the table of today', () => {
  const committed = readFileSync(new URL('../../docs/request-flow.md', import.meta.url), 'utf8')
  assert.equal(committed, requestFlowDocument(), 'run `npm run docs`')
})

test('every stage file is in the table under its own name', () => {
  const files = readdirSync(new URL('./stages', import.meta.url)).filter((name) => !name.endsWith('.test.ts'))
  assert.deepEqual(files.map((name) => name.replace('.ts', '')).sort(), PIPELINE.map((stage) => stage.name).sort())
})
