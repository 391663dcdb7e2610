import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { limitFile } from './limit-file.ts'

test('a long file is set aside, and who appends to it goes on from its beginning', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'cachefront-limit-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'keeper.log')
  limitFile(file)
  const writer = openSync(file, 'a')
  writeSync(writer, 'first line\n')
  limitFile(file, 11)
  assert.equal(readFileSync(file, 'utf8'), 'first line\n')
  writeSync(writer, 'x')
  limitFile(file, 11)
  writeSync(writer, 'next\n')
  closeSync(writer)
  assert.equal(readFileSync(file, 'utf8'), 'next\n')
  assert.equal(readFileSync(`${file}.1`, 'utf8'), 'first line\nx')
})
