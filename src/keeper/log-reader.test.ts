import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type LogPosition, readLog } from './log-reader.ts'
import { setAside } from './log-rotation.ts'

function logDirectory(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'cachefront-log-'))
  t.after(() => rmSync(dir, { recursive: true }))
  let position: LogPosition | null = null
  return {
    dir,
    append: (text: string) => appendFileSync(join(dir, 'log'), text),
    rotate: () => setAside(dir),
    read() {
      const reading = readLog(dir, position)
      position = reading.position
      return reading.gap ? `gap ${reading.text}` : reading.text
    },
  }
}

test('it begins at the end and gives whole lines once', (t) => {
  const log = logDirectory(t)
  log.append('old\nhalf')
  assert.equal(log.read(), '')
  assert.equal(log.read(), '')
  log.append(' line\nnext\nbegun')
  assert.equal(log.read(), 'half line\nnext\n')
  assert.equal(log.read(), '')
})

test('over a rotation the rest of the file that was set aside comes first', (t) => {
  const log = logDirectory(t)
  log.append('one\n')
  log.read()
  log.append('two\n')
  log.rotate()
  log.append('three\n')
  assert.equal(log.read(), 'two\n')
  assert.equal(log.read(), 'three\n')
  log.append('four\n')
  log.rotate()
  assert.equal(log.read(), 'four\n')
  assert.equal(log.read(), '')
  log.append('five\n')
  assert.equal(log.read(), 'five\n')
})

test('of a log that was set aside twice the newest is read from its beginning, and the gap is told', (t) => {
  const log = logDirectory(t)
  log.read()
  log.append('lost\n')
  log.rotate()
  log.append('kept\n')
  log.rotate()
  log.append('new\n')
  assert.equal(log.read(), 'gap kept\n')
  assert.equal(log.read(), 'new\n')
})

test('a file that is gone with its directory is read anew from its beginning', (t) => {
  const log = logDirectory(t)
  log.append('one\ntwo\n')
  log.read()
  truncateSync(join(log.dir, 'log'))
  log.append('new\n')
  assert.equal(log.read(), 'new\n')
})

test('a long log comes in pieces, each whole lines', (t) => {
  const log = logDirectory(t)
  log.read()
  const line = `${'x'.repeat(99)}\n`
  log.append(line.repeat(5000))
  let [all, pieces] = ['', 0]
  for (let text = log.read(); text !== ''; text = log.read()) {
    assert.ok(text.endsWith('\n') && text.length <= 256 * 1024)
    all += text
    pieces++
  }
  assert.equal(all.length, 500_000)
  assert.ok(pieces > 1)
})

test('without a log there is nothing', (t) => {
  const log = logDirectory(t)
  assert.equal(log.read(), '')
  log.append('first\n')
  assert.equal(log.read(), 'first\n')
})
