import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Clock } from '../lib/clock.ts'
import { ACCESS_LOG_HEADER } from './access-log.ts'
import { AccessLogFile } from './access-log-file.ts'
import { COUNTER, Counters } from './counters.ts'

function handClock() {
  const time = { wall: Date.UTC(2026, 10, 21, 4, 59, 0), monotonic: 0 }
  const clock: Clock = { now: () => time.wall, wall: () => time.wall, monotonic: () => time.monotonic }
  return { time, clock }
}

async function logIn(t: TestContext, options: { rotateBytes?: number; keepFiles?: number } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'cachefront-log-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const { time, clock } = handClock()
  const counters = new Counters()
  const path = join(folder, 'access.log')
  const file = new AccessLogFile({ path, clock, counters, ...options })
  t.after(() => file.close())
  return { folder, path, file, counters, time, read: () => readFile(path, 'latin1') }
}

test('begins with the header lines, and not again when it is opened anew', async (t) => {
  const { file, path, counters, read } = await logIn(t)
  file.append('one\n')
  await file.close()
  const again = new AccessLogFile({ path, clock: handClock().clock, counters })
  again.append('two\n')
  await again.close()
  assert.equal(await read(), `${ACCESS_LOG_HEADER}one\ntwo\n`)
  assert.equal(counters.get(COUNTER.logLines), 2)
})

test('lines are written without being asked', async (t) => {
  const { file, read } = await logIn(t)
  const line = `${'x'.repeat(999)}\n`
  for (let n = 0; n < 200; n++) file.append(line)
  const until = performance.now() + 10_000
  let text = ''
  while (text.length < 200_000 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    text = await read().catch(() => '')
  }
  assert.equal(text.length, ACCESS_LOG_HEADER.length + 200_000)
})

test('a file that somebody moved away is begun anew', async (t) => {
  const { file, folder, path, time, read } = await logIn(t)
  file.append('before\n')
  await file.flush()
  await rename(path, join(folder, 'moved'))
  time.monotonic += 6_000
  file.append('after\n')
  await file.flush()
  assert.equal(await read(), `${ACCESS_LOG_HEADER}after\n`)
  assert.equal(await readFile(join(folder, 'moved'), 'latin1'), `${ACCESS_LOG_HEADER}before\n`)
})

test('rotates by size and by hour, keeps the newest', async (t) => {
  const { file, folder, time, read } = await logIn(t, { rotateBytes: 1_000, keepFiles: 2 })
  const write = async (text: string) => {
    file.append(`${text}\n`)
    await file.flush()
  }
  await write('x'.repeat(1_000))
  await write('second')
  time.wall += 3_600_000
  await write('third')
  await write('y'.repeat(1_000))
  await write('fourth')
  assert.deepEqual((await readdir(folder)).sort(), [
    'access.log',
    'access.log.2026-11-21-04.2',
    'access.log.2026-11-21-05.1',
  ])
  assert.equal(await read(), `${ACCESS_LOG_HEADER}fourth\n`)
})

test('a directory that is not there is counted and never fatal; the log goes on when it is back', async (t) => {
  const { file, folder, counters } = await logIn(t)
  await rm(folder, { recursive: true })
  file.append('lost\n')
  await file.flush()
  assert.equal(counters.get(COUNTER.logErrors), 1)
  const { mkdir } = await import('node:fs/promises')
  await mkdir(folder)
  file.append('kept\n')
  await file.flush()
  assert.equal(await readFile(join(folder, 'access.log'), 'latin1'), `${ACCESS_LOG_HEADER}kept\n`)
})

test('lines that a slow disk cannot take are dropped and counted, not held without end', async (t) => {
  const { file, counters } = await logIn(t)
  const line = `${'x'.repeat(1024 * 1024 - 1)}\n`
  for (let n = 0; n < 40; n++) file.append(line)
  assert.ok(counters.get(COUNTER.logLinesLost) >= 20)
  await file.flush()
  assert.equal(counters.get(COUNTER.logLines) + counters.get(COUNTER.logLinesLost), 40)
})
