//! The limit of an engine's log.
import assert from 'node:assert/strict'
import { appendFileSync, closeSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ENGINE_LOG_BYTES_MAX, limitLog } from './log-rotation.ts'

test('a long log is set aside, and its writer goes on from the beginning', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'cachefront-log-'))
  t.after(() => rm(dir, { recursive: true }))
  limitLog(dir)
  const log = join(dir, 'log')
  const engine = openSync(log, 'a')
  writeSync(engine, 'first\n')
  limitLog(dir)
  assert.equal(readFileSync(log, 'utf8'), 'first\n')
  truncateSync(log, ENGINE_LOG_BYTES_MAX)
  appendFileSync(log, 'last\n')
  limitLog(dir)
  assert.equal(statSync(`${log}.1`).size, ENGINE_LOG_BYTES_MAX + 5)
  writeSync(engine, 'next\n')
  closeSync(engine)
  assert.equal(readFileSync(log, 'utf8'), 'next\n')
})
