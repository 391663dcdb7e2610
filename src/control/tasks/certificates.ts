//! The task that keeps certificates of caches valid: notes which one is served, and wishes a new one when two thirds of its
//! life are over by the movable clock. The keeper makes it; by the host's own clock it does so without being asked, too.
import type { TransitSettings } from '../../domain/transit.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Kind } from '../../state/kinds.ts'
import type { Reader, State } from '../../state/state.ts'
import type { KeeperLink } from '../keeper-link.ts'
import { certificateAfter } from '../plan/certificates.ts'
import type { Task } from '../reconciler.ts'

/** Kinds whose commits are to poke this task. */
export const CERTIFICATE_KINDS: readonly Kind[] = ['cache-cluster', 'replication-group']

const PERIOD_MS = 5_000

export interface CertificatesTaskOptions {
  readonly state: State
  readonly keeper: Pick<KeeperLink, 'seen'>
  readonly clock: Clock
  /** Directories of imported certificates, by name. */
  readonly directories: ReadonlyMap<string, string>
}

export function certificatesTask(options: CertificatesTaskOptions): Task {
  return {
    name: 'certificates',
    periodMs: PERIOD_MS,
    async run() {
      if ((await changesOf(options.state, options)).length === 0) return []
      return options.state.transact(async (tx) => {
        const changes = await changesOf(tx, options)
        for (const change of changes) {
          if (change.kind === 'replication-group') await tx.put(change.kind, change.id, change.doc)
          else await tx.put(change.kind, change.id, change.doc)
        }
        return changes.map(({ id, doc }) => `certificate of ${id}: until ${doc.certificate?.notAfter ?? '-'}`)
      })
    },
  }
}

async function changesOf(reader: Reader, { keeper, clock, directories }: CertificatesTaskOptions) {
  const seen = keeper.seen()
  if (seen === null) return []
  const after = <T extends TransitSettings & { readonly id: string; readonly status: string }>(doc: T): T =>
    doc.status === 'deleting'
      ? doc
      : certificateAfter(
          doc,
          seen.groups.find((group) => group.id === doc.id),
          directories,
          clock.now(),
        )
  const [clusters, groups] = await Promise.all([reader.list('cache-cluster'), reader.list('replication-group')])
  return [
    ...clusters
      .filter(({ doc }) => doc.replicationGroupId === null)
      .map((stored) => ({ kind: 'cache-cluster' as const, id: stored.id, before: stored.doc, doc: after(stored.doc) })),
    ...groups.map((stored) => ({
      kind: 'replication-group' as const,
      id: stored.id,
      before: stored.doc,
      doc: after(stored.doc),
    })),
  ].filter(({ before, doc }) => before !== doc)
}
