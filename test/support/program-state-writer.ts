//! A process to be killed: commits two documents at a time for ever and prints each revision once it was acknowledged.
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/lib/clock.ts'
import { openSqliteState } from '../../src/state/sqlite.ts'

const file = process.argv[2]
if (file === undefined) throw new Error('which file?')
const state = await openSqliteState(file, systemClock)
for (;;) {
  const revision = await state.transact(async (tx) => {
    const id = String(tx.revision).padStart(8, '0')
    const doc = { tags: { number: id } }
    await tx.put('tags', `left/${id}`, doc)
    await tx.put('tags', `right/${id}`, doc)
    return tx.revision
  })
  writeSync(1, `${revision}\n`)
}
