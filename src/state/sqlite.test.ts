import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stateSuite } from '../../test/contract/state-suite.ts'
import { mountSmallDisk } from '../../test/support/small-disk.ts'
import { systemClock } from '../lib/clock.ts'
import { SCHEMA_VERSION } from './migrations.ts'
import { openSqliteState } from './sqlite.ts'

const tempHome = () => mkdtemp(join(tmpdir(), 'cachefront-state-'))
const remove = (home: string) => rm(home, { recursive: true, force: true })

stateSuite({
  name: 'SQLite',
  async open() {
    const home = await tempHome()
    const file = join(home, 'state.db')
    const reopen = () => openSqliteState(file, systemClock)
    return { state: await reopen(), reopen, cleanUp: () => remove(home) }
  },
  async openShort(changesKept) {
    const home = await tempHome()
    const state = await openSqliteState(join(home, 'state.db'), systemClock, { changesKept })
    return { state, cleanUp: () => remove(home) }
  },
})

describe('the SQLite state on its disk', () => {
  it('is readable by its owner only, write-ahead log included', async () => {
    const home = await tempHome()
    const file = join(home, 'new', 'state.db')
    const state = await openSqliteState(file, systemClock)
    await state.transact((tx) => tx.put('tags', 'a', { tags: {} }))
    const mode = async (path: string) => (await stat(path)).mode & 0o777
    assert.equal(await mode(join(home, 'new')), 0o700)
    assert.equal(await mode(file), 0o600)
    assert.equal(await mode(`${file}-wal`), 0o600)
    await state.close()
    await remove(home)
  })

  const refused: readonly { what: string; make(home: string): Promise<string>; says: RegExp }[] = [
    {
      what: 'a path through a file',
      async make(home) {
        await writeFile(join(home, 'file'), '')
        return join(home, 'file', 'state.db')
      },
      says: /^The state .* cannot be used: a part of the path is a file/,
    },
    {
      what: 'a file system without files',
      make: async () => '/proc/nowhere/state.db',
      says: /choose another CACHEFRONT_HOME\.$/,
    },
    {
      what: 'something else than a database',
      async make(home) {
        await writeFile(join(home, 'state.db'), 'a shopping list, longer than any header of a database '.repeat(40))
        return join(home, 'state.db')
      },
      says: /is not a database of Cachefront/,
    },
    {
      what: 'a directory in the place of the file',
      async make(home) {
        await mkdir(join(home, 'state.db'))
        return join(home, 'state.db')
      },
      says: /a directory stands in its place/,
    },
    {
      what: 'a database of a newer program',
      async make(home) {
        const file = join(home, 'state.db')
        await (await openSqliteState(file, systemClock)).close()
        const db = new DatabaseSync(file)
        db.prepare('INSERT INTO migration VALUES (?, ?, 0)').run(SCHEMA_VERSION + 1, 'later')
        db.close()
        return file
      },
      says: new RegExp(`newer Cachefront \\(schema ${SCHEMA_VERSION + 1}, this one knows ${SCHEMA_VERSION}\\)`),
    },
  ]
  for (const { what, make, says } of refused) {
    it(`refuses ${what} in one line`, async () => {
      const home = await tempHome()
      await assert.rejects(openSqliteState(await make(home), systemClock), (error: Error) => {
        assert.match(error.message, says)
        assert.ok(!error.message.includes('\n'))
        return true
      })
      await remove(home)
    })
  }

  it('refuses to open on a full disk, and fails a commit there without losing what was acknowledged', async (t) => {
    const home = await tempHome()
    const disk = await mountSmallDisk(t, home, '256k')
    if (disk === null) {
      await remove(home)
      return
    }
    try {
      const file = join(home, 'state.db')
      const state = await openSqliteState(file, systemClock)
      let acknowledged = 0
      const fill = async () => {
        for (;;) {
          await state.transact((tx) => tx.put('tags', `t${acknowledged}`, { tags: { value: 'x'.repeat(8_000) } }))
          acknowledged += 1
        }
      }
      await assert.rejects(fill(), /cannot be used: the disk is full/)
      assert.ok(acknowledged > 0)
      assert.equal((await state.list('tags')).length, acknowledged)
      await state.close()
      await rm(join(home, 'other.db'), { force: true })
      const filler = await writeFile(join(home, 'filler'), Buffer.alloc(256 * 1024)).catch(() => 'full')
      assert.equal(filler, 'full')
      await assert.rejects(openSqliteState(join(home, 'other.db'), systemClock), /cannot be used: .*disk/)
    } finally {
      await disk.unmount()
      await remove(home)
    }
  })

  it('has every acknowledged commit, whole, after SIGKILL at any instant', { timeout: 60_000 }, async () => {
    const home = await tempHome()
    const file = join(home, 'state.db')
    let acknowledged = 0
    for (let round = 0; round < 8; round++) {
      const writer = spawn(
        process.execPath,
        [join(import.meta.dirname, '../../test/support/program-state-writer.ts'), file],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      const lines = createInterface({ input: writer.stdout })
      lines.on('line', (line) => {
        acknowledged = Math.max(acknowledged, Number(line))
      })
      await once(lines, 'line')
      await sleep(Math.random() * 40)
      writer.kill('SIGKILL')
      await once(writer, 'close')

      const state = await openSqliteState(file, systemClock)
      const revision = await state.revision()
      assert.ok(revision >= acknowledged, `revision ${revision}, acknowledged ${acknowledged}`)
      const left = await state.list('tags', { prefix: 'left/' })
      const right = await state.list('tags', { prefix: 'right/' })
      assert.equal(left.length, revision, 'each commit wrote one on the left')
      assert.deepEqual(
        left.map((one) => one.doc),
        right.map((one) => one.doc),
        'and the same on the right',
      )
      assert.equal((await state.changesSince(0))?.length, revision * 2)
      await state.close()
    }
    assert.ok(acknowledged > 8)
    await remove(home)
  })
})
