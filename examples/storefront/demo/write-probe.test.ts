//! The probe against a real redis-server that is killed and comes back: it counts what was refused and times the gap.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { WriteProbe } from './write-probe.ts'

const HOST = '127.0.0.1'
const LONG_MS = 60_000

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('a kill, refused writes, and the first one that is accepted again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'write-probe-'))
  const port = await freePort()
  const start = (): ChildProcess =>
    spawn('redis-server', ['--port', String(port), '--bind', HOST, '--save', '', '--dir', directory], {
      stdio: 'ignore',
    })
  let redis = start()
  const probe = new WriteProbe(`${HOST}:${port}`)
  try {
    await probe.start()
    assert.equal(await probe.primaryPid(), redis.pid)
    assert.equal(await probe.replicasInSync(), 0)
    const ended = once(redis, 'exit')
    const killedAt = performance.now()
    await probe.killPrimary()
    assert.deepEqual(await ended, [null, 'SIGKILL'])
    const goneFor = performance.now() - killedAt
    redis = start()
    assert.equal(await probe.writable(LONG_MS), true)
    const result = await probe.stop()
    assert.ok(result.refused > 0 && result.accepted > 0)
    assert.ok(result.outageMs !== null && result.outageMs > goneFor)
  } finally {
    await probe.stop()
    const ended = once(redis, 'exit')
    redis.kill('SIGKILL')
    await ended
    rmSync(directory, { recursive: true })
  }
})
