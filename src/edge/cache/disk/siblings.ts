//! What the other workers of the POP have invalidated among themselves (peers/purge.ts) while this one was not there to
//! hear of it: their journals, which lie beside its own, tell. The feed tells nobody of these invalidations again.
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { asOfNow, nextAfter } from '../as-of.ts'
import type { InvalidationEntry, Invalidations } from '../invalidation.ts'
import { readJournal } from './journal.ts'

/**
 * Invalidates anew, at a point after everything that this worker has, whatever was invalidated within the POP by any of
 * its workers; everything when a sibling's journal does not go back to `reached`, where this worker's own ends. Never
 * throws: a journal that cannot be read counts as not there.
 */
export async function hearSiblings(
  directory: string,
  reached: number,
  invalidations: Invalidations,
  snapshotRevision: number,
): Promise<void> {
  const own = basename(directory)
  const names = await readdir(dirname(directory)).catch(() => [])
  for (const name of names) {
    if (name === own) continue
    const journal = await readJournal(join(dirname(directory), name)).catch(() => null)
    if (journal?.kind !== 'read') continue
    const known = { snapshot: { revision: Math.max(snapshotRevision, reached) }, invalidations }
    enterAnew(journal.entries, reached, nextAfter(asOfNow(known)), invalidations)
  }
}

function enterAnew(
  entries: readonly InvalidationEntry[],
  reached: number,
  point: number,
  invalidations: Invalidations,
): void {
  const heard = new Set<string>()
  for (const entry of entries) {
    if (entry.kind === 'horizon') {
      if (entry.revision <= reached) continue
      invalidations.forgetBefore(point)
      return
    } else if (isOfThePop(entry)) heard.add(`${entry.distributionId} ${entry.path}`)
  }
  for (const text of heard) {
    const space = text.indexOf(' ')
    invalidations.addExact(text.slice(0, space), text.slice(space + 1), point)
  }
}

/** Revisions of the feed are whole numbers. Some of its invalidations count as a little later: they are heard too. */
const isOfThePop = (entry: InvalidationEntry): entry is InvalidationEntry & { kind: 'path' } =>
  entry.kind === 'path' &&
  entry.soft !== true &&
  !Number.isInteger(entry.revision) &&
  (entry.exact === true || !entry.path.endsWith('*'))
