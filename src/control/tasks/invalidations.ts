//! `InProgress` becomes `Completed` when every live edge has acknowledged the invalidation: it has applied it, and can
//! store nothing that it fetched before.
import type { State } from '../../state/state.ts'
import type { Task } from '../reconciler.ts'

/** Commits to these may have left something to do. */
export const INVALIDATION_KINDS: readonly string[] = ['invalidation']

export interface InvalidationsTask extends Task {
  /** Keys (`<distribution id>/<invalidation id>`) that a commit wrote: cheaper than to look at all there ever were. */
  written(keys: readonly string[]): void
}

export function invalidationsTask(state: State, acknowledged: () => number | null): InvalidationsTask {
  /** Keys that may be in progress; null before the first look at all of them. */
  let open: Set<string> | null = null
  const early: string[] = []
  return {
    name: 'invalidations',
    periodMs: 5_000,
    written(keys) {
      for (const key of keys) {
        if (open === null) early.push(key)
        else open.add(key)
      }
    },
    async run() {
      if (open === null) {
        const stored = await state.list('invalidation')
        open = new Set([...stored.filter(({ doc }) => doc.status === 'InProgress').map(({ id }) => id), ...early])
      }
      const revision = acknowledged()
      if (revision === null || open.size === 0) return []
      const keys = [...open]
      const done: string[] = []
      const completed = await state.transact(async (tx) => {
        const actions: string[] = []
        for (const key of keys) {
          const stored = await tx.get('invalidation', key)
          if (stored?.doc.status !== 'InProgress') done.push(key)
          else if (stored.doc.createdRevision <= revision) {
            await tx.put('invalidation', key, { ...stored.doc, status: 'Completed' })
            done.push(key)
            actions.push(`${key} is completed`)
          }
        }
        return actions
      })
      // After the commit: had it failed, they would still be open.
      for (const key of done) open.delete(key)
      return completed
    },
  }
}
