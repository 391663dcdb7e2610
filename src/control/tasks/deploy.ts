//! `InProgress` becomes `Deployed` when every live edge has acknowledged the revision of the change and listens at the
//! address that the distribution has for itself. One that no edge can be given never does: it is named among the problems.
import type { State } from '../../state/state.ts'
import { BrokenDistributions } from '../broken-distributions.ts'
import type { Task } from '../reconciler.ts'

/** Commits to these may have left something to do. */
export const DEPLOY_KINDS: readonly string[] = ['distribution']

export interface DeployTask extends Task {
  /** Distributions that cannot be served, or would be refused today, by id, with what is wrong; as of the last run. */
  problems(): ReadonlyMap<string, string>
}

/** `silent`: distributions whose own address some edge cannot bind. */
export function deployTask(
  state: State,
  edgeDomain: string,
  edges: { acknowledged(): number | null; silent(): ReadonlySet<string> },
): DeployTask {
  const breaks = new BrokenDistributions(state, edgeDomain)
  return {
    problems: () => new Map([...breaks.known, ...breaks.refused]),
    name: 'deploy',
    periodMs: 5_000,
    async run() {
      const broken = await breaks.look()
      const revision = edges.acknowledged()
      if (revision === null) return []
      const silent = edges.silent()
      const waiting = (await state.list('distribution')).filter(
        ({ id, doc }) => doc.status === 'InProgress' && !broken.has(id) && !silent.has(id),
      )
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
