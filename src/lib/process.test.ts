import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { identify, isAlive, parseStat, processesBelow, signalProcess, waitForEnd } from './process.ts'

test('fields of /proc/PID/stat are counted after the last parenthesis of the name', () => {
  const tail = `S 1 2 3 4 5 6 7 8 9 10 30 12 13 14 15 16 17 18 4711 20`
  assert.deepEqual(parseStat(`42 (evil) R 1 (name)) ${tail}`), { state: 'S', startTime: '4711', cpuTicks: 42 })
  assert.equal(parseStat('nonsense'), null)
})

test('a process is known by pid, start time and boot; another start time is another process', async () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'process-')))
  const child = spawn('sleep', ['60'], { stdio: 'ignore', cwd: dir })
  await once(child, 'spawn')
  const identity = identify(child.pid!)
  assert.ok(identity !== null && isAlive(identity))
  assert.equal(isAlive({ ...identity, startTime: '1' }), false)
  assert.equal(isAlive({ ...identity, bootId: 'of another boot' }), false)
  assert.equal(signalProcess({ ...identity, startTime: '1' }, 'SIGKILL'), false, 'a stranger with its pid is spared')
  assert.deepEqual(processesBelow(dir), [{ process: identity, dir }])
  assert.equal(signalProcess(identity, 'SIGKILL'), true)
  assert.equal(await waitForEnd(identity, 5000), true)
  assert.equal(identify(child.pid!), null)
  rmSync(dir, { recursive: true })
})
