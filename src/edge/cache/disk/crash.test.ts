import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openTestStore, testBody, testMeta, versionOf } from '../../../../test/support/disk-store.ts'
import { mountSmallDisk } from '../../../../test/support/small-disk.ts'
import { COUNTER } from '../../../observe/counters.ts'

const WRITER = join(import.meta.dirname, '../../../../test/support/disk-writer.ts')

async function directoryFor(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-disk-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

test('SIGKILL at any instant: what was written is there, whole; what was removed is not', {
  timeout: 60_000,
}, async (t) => {
  const directory = await directoryFor(t)
  let written = 0
  for (let round = 0; round < 8; round++) {
    const writer = spawn(process.execPath, [WRITER, directory, String(written + 1)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: writer.stdout })
    lines.on('line', (line) => {
      written = Math.max(written, Number(line))
    })
    await once(lines, 'line')
    await sleep(Math.random() * 60)
    writer.kill('SIGKILL')
    await once(writer, 'close')
    const { store, counters } = await openTestStore(directory, { segmentBytes: 1024 * 1024, segments: 8 })
    // The last batch that began may have been written in part.
    let newest = written
    for (let at = 0; at < 20; at++) {
      const key = `key-${at}`
      const object = await store.read(key)
      const removed = written % 20 === at
      if (object === null) {
        // Removed by the last batch that is known, or by one that came after it.
        assert.ok(removed || store.count < 20, `${key} after batch ${written}`)
        continue
      }
      const version = versionOf(key, object.body)
      assert.notEqual(version, null, `${key} is not whole`)
      const least = removed ? written + 1 : written
      assert.ok((version as number) >= least, `${key} is version ${version}, batch ${written} was written`)
      newest = Math.max(newest, version as number)
    }
    written = newest
    assert.ok(store.count >= 18, `${store.count}`)
    assert.equal(counters.get(COUNTER.diskCorrupt), 0)
    await store.close()
  }
  assert.ok(written > 8)
})

test('On a full disk the store goes on with what it has and says so', async (t) => {
  const directory = await directoryFor(t)
  const disk = await mountSmallDisk(t, directory, '1m')
  if (disk === null) return
  try {
    const { store, counters, troubles } = await openTestStore(directory, { segmentBytes: 512 * 1024, segments: 4 })
    for (let at = 0; at < 300; at++) {
      const key = `key-${at}`
      store.put(key, testMeta(key), [testBody(key, 1, 10_000)], false)
      if (at % 10 === 9) await store.idle()
    }
    assert.ok(troubles.some((error) => error !== null))
    assert.ok(counters.get(COUNTER.diskSkipped) > 0)
    assert.ok(counters.get(COUNTER.diskWrites) > 20)
    let read = 0
    for (let at = 0; at < 300; at++) {
      const object = await store.read(`key-${at}`)
      if (object === null) continue
      assert.equal(versionOf(`key-${at}`, object.body), 1)
      read++
    }
    assert.ok(read > 20)
    await store.close()
    const again = await openTestStore(directory, { segmentBytes: 512 * 1024, segments: 4 })
    assert.ok(again.store.count >= read - 1)
    await again.store.close()
    assert.equal(await writeFile(join(directory, 'more'), Buffer.alloc(1024 * 1024)).catch(() => 'full'), 'full')
  } finally {
    await disk.unmount()
  }
})
