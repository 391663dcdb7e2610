import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { findLogs, follow, readTail } from './log-tail.ts'

const directory = mkdtempSync(join(tmpdir(), 'cachefront-logs-'))
after(() => rmSync(directory, { recursive: true }))
const file = join(directory, 'access-worker-0.log')

describe('the end of a log', { timeout: 20_000 }, () => {
  it('follows a log through what happens to it: half lines, being set aside, being emptied', async () => {
    writeFileSync(file, '#Fields: a\nold\nhal')
    const tail = await readTail(file)
    assert.deepEqual([tail.heading, tail.lines], [['#Fields: a'], ['old']])
    const shown: string[] = []
    let wake = (): void => {}
    const stop = new AbortController()
    const following = follow(
      tail,
      (line) => {
        shown.push(line)
        wake()
      },
      stop.signal,
    )
    const until = async (line: string): Promise<void> => {
      while (shown.at(-1) !== line) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    appendFileSync(file, 'f\nsecond\n')
    await until('second')
    appendFileSync(file, 'last of the old\n')
    renameSync(file, `${file}.2026-01-01-00.1`)
    writeFileSync(file, '#Fields: a\nfirst of the new\n')
    await until('first of the new')
    truncateSync(file, 0)
    appendFileSync(file, 'x\n')
    await until('x')
    stop.abort()
    await following
    assert.deepEqual(shown, ['half', 'second', 'last of the old', '#Fields: a', 'first of the new', 'x'])
  })

  it('does not take a log that was set aside for one that is written', async () => {
    writeFileSync(join(directory, 'access-worker-1.log.2026-01-01-00.1'), '')
    assert.deepEqual(await findLogs(directory), [file])
    await assert.rejects(findLogs(join(directory, 'nothing')), /There is no log yet .* first request/)
  })
})
