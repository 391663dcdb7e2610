import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { SharedTicketKeys } from './ticket-keys.ts'

const PERIOD_MS = 3_600_000

describe('the keys of session tickets', () => {
  let directory = ''
  let wall = 1_000 * PERIOD_MS + 5
  const problems: string[] = []
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cachefront-tickets-'))
  })
  after(() => rm(directory, { recursive: true }))

  const started = async (): Promise<SharedTicketKeys> => {
    const keys = new SharedTicketKeys({ directory, wall: () => wall, problem: (text) => problems.push(text) })
    await keys.start()
    keys.close()
    return keys
  }

  it('are the same for workers that start together, and found again', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, started))
    assert.equal(new Set(all.map(({ keys }) => keys.current.toString('hex'))).size, 1)
    assert.equal(all[0]?.keys.current.length, 48)
    assert.equal(all[0]?.keys.previous, null)
    assert.deepEqual((await started()).keys, all[0]?.keys)
    assert.deepEqual(await readdir(directory), ['1000.key'])
  })

  it('are new in each period; the one before is kept, older ones are deleted', async () => {
    const { current } = (await started()).keys
    wall += PERIOD_MS
    const next = (await started()).keys
    assert.deepEqual(next.previous, current)
    assert.notDeepEqual(next.current, current)
    wall += PERIOD_MS
    assert.deepEqual((await started()).keys.previous, next.current)
    assert.deepEqual((await readdir(directory)).sort(), ['1001.key', '1002.key'])
    wall += 5 * PERIOD_MS
    assert.equal((await started()).keys.previous, null)
    assert.deepEqual(await readdir(directory), ['1007.key'])
    assert.deepEqual(problems, [])
  })

  it('of a damaged file are replaced by keys of the worker alone, and that is said without them', async () => {
    wall += PERIOD_MS
    await writeFile(join(directory, '1008.key'), 'short')
    const { keys } = await started()
    assert.equal(keys.current.length, 48)
    assert.match(problems.join(), /1008\.key is damaged: remove it/)
    assert.doesNotMatch(problems.join(), new RegExp(keys.current.toString('hex')))
  })

  it('that everybody may read, or put there, are not taken', async () => {
    wall += PERIOD_MS
    const known = Buffer.alloc(48, 1)
    const file = join(directory, '1009.key')
    await writeFile(file, known)
    await chmod(file, 0o644)
    assert.notDeepEqual((await started()).keys.current, known)
    assert.match(problems.pop()!, /1009\.key is open to everybody: remove it/)
    await chmod(file, 0o640)
    assert.deepEqual((await started()).keys.current, known)
    await chmod(directory, 0o777)
    assert.notDeepEqual((await started()).keys.current, known)
    assert.match(problems.pop()!, /everybody may write there: chmod 700/)
  })
})
