import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '../lib/clock.ts'
import { openOperatorLog } from './operator-log.ts'

const directory = mkdtempSync(join(tmpdir(), 'cachefront-operator-'))
after(() => rmSync(directory, { recursive: true }))

test('a line a message, private, set aside when it is large, never a reason to fail', () => {
  const file = join(directory, 'control.log')
  const log = openOperatorLog(file, { ...systemClock, wall: () => 0 }, 60)
  log('two\nlines')
  log('{"time":"its own"}')
  assert.equal(readFileSync(file, 'utf8'), '1970-01-01T00:00:00.000Z two\\nlines\n{"time":"its own"}\n')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  for (let n = 0; n < 20; n++) log(`line ${n}`)
  assert.deepEqual(readdirSync(directory).sort(), ['control.log', 'control.log.1'])
  assert.match(readFileSync(file, 'utf8'), /line 19\n$/)
  assert.ok(statSync(`${file}.1`).size < 120)
  openOperatorLog(join(directory, 'no', 'such'), systemClock)('nowhere to go')
})
