//! `InProgress` becomes `Deployed` when every live edge has acknowledged the revision of the change.
import type { State } from '../../state/state.ts'
import type { Task } from '../reconciler.ts'

/** Commits to these may have left something to do. */
export const DEPLOY_KINDS: readonly string[] = ['distribution']

export function deployTask(state: State, acknowledged: () => number | null): Task {
  return {
    name: 'deploy',
    periodMs: 5_000,
    async run() {
      const revision = acknowledged()
      if (revision === null) return []
      const waiting = (await state.list('distribution')).filter(({ doc }) => doc.status === 'InProgress')
      if (!waiting.some(({ doc }) => doc.changedRevision <= revision)) return []
      return state.transact(async (tx) => {
        const deployed: string[] = []
        for (const { id } of waiting) {
          // Read again: it may have been changed or deleted since.
          const stored = await tx.get('distribution', id)
          if (stored?.doc.status !== 'InProgress' || stored.doc.changedRevision > revision) continue
          await tx.put('distribution', id, { ...stored.doc, status: 'Deployed' })
          deployed.push(`${id} is deployed`)
        }
        return deployed
      })
    },
  }
}
