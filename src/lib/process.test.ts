import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { identify, isAlive, parseStat, processesBelow, signalProcess, waitForEnd } from './process.ts'

test('fields of /proc/PID/stat are counted after the last parenthesis of the name', () => {
  const tail = `S 1 2 3 4 5 6 7 8 9 10 30 12 13 14 15 16 17 18 4711 20`
  const stat = { state: 'S', startTime: '4711', cpuTicks: 42, threads: 17 }
  assert.deepEqual(parseStat(`42 (evil) R 1 (name)) ${tail}`), stat)
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

test('a process that is killed lives until nobody reaches it any more, whichever of its threads ends first', async () => {
  // It listens, and has threads that take the processor while it dies.
  const program = `
    const { Worker } = require('node:worker_threads')
    for (let n = 0; n < 8; n++) new Worker('for (;;) {}', { eval: true })
    const server = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port))`
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [printed] = await once(child.stdout, 'data')
    const port = Number(String(printed))
    const holds = () => listening(port)
    assert.ok(holds())
    const identity = identify(child.pid!)!
    signalProcess(identity, 'SIGKILL')
    while (isAlive(identity));
    assert.equal(holds(), false)
  }
})

/** A socket listens on 127.0.0.1:port (/proc/net/tcp). */
function listening(port: number): boolean {
  const at = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`
  return readFileSync('/proc/net/tcp', 'utf8').includes(at)
}
