//! Brings every connected edge worker to the newest revision: a snapshot to one that has nothing or has been away too
//! long, changes to the others, each worker the same of one revision.
import { Packing, packed } from '../edge/feed-packing.ts'
import type { FeedChange, ToWorker } from '../edge/feed-protocol.ts'
import type { Reader, State } from '../state/state.ts'
import type { LiveWorkers } from './live-workers.ts'
import { placesDown } from './places.ts'
import { allDistributions, challengeDoc, feedChanges } from './plan/feed-changes.ts'
import { allWebAcls, WEB_ACL_KINDS } from './plan/web-acl-changes.ts'

/** Kinds that an edge serves from. */
const EDGE_KINDS: ReadonlySet<string> = new Set([
  'distribution',
  'place',
  'challenge',
  'invalidation',
  'cache-policy',
  'origin-request-policy',
  'response-headers-policy',
  ...WEB_ACL_KINDS,
])

/** Tells by itself after every commit that concerns an edge. */
export class Teller {
  readonly #state: State
  readonly #workers: LiveWorkers
  readonly #onProblem: (message: string) => void
  readonly #unwatch: () => void
  #telling: Promise<void> | null = null
  #tellAgain = false
  /** Tell of a newer revision even when nothing in it concerns an edge. */
  #tellEmpty = false
  #closed = false

  constructor(state: State, workers: LiveWorkers, onProblem: (message: string) => void) {
    this.#state = state
    this.#workers = workers
    this.#onProblem = onProblem
    this.#unwatch = state.watch((changes) => {
      if (changes.some((change) => EDGE_KINDS.has(change.kind))) this.tell()
    })
  }

  /** One run at a time, and one more for what came meanwhile. */
  tell(): void {
    this.#tellAgain = true
    this.#telling ??= this.#tellUntilQuiet().finally(() => {
      this.#telling = null
      // Wished between the last look at the wishes and now.
      if (this.#tellAgain && !this.#closed) this.tell()
    })
  }

  /** The same, also of a revision in which nothing concerns an edge. */
  tellEvenEmpty(): void {
    this.#tellEmpty = true
    this.tell()
  }

  /** Resolves when nothing is being told any more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#unwatch()
    await this.#telling
  }

  async #tellUntilQuiet(): Promise<void> {
    while (this.#tellAgain && !this.#closed) {
      this.#tellAgain = false
      try {
        await this.#tellOnce()
      } catch (error) {
        // The next commit or sweep tries again; workers serve on with what they have and nothing is called done.
        this.#onProblem(`the feed stands still: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }

  async #tellOnce(): Promise<void> {
    const tellEmpty = this.#tellEmpty
    this.#tellEmpty = false
    // Inside a transaction nothing else commits: what is read is of one revision.
    await this.#state.transact(async (tx) => {
      const head = tx.revision - 1
      const messages = new Map<number, ToWorker>()
      for (const worker of this.#workers.connected()) {
        const from = worker.sent ?? (worker.had > head ? -1 : worker.had)
        if (worker.sent === head) continue
        let message = messages.get(from)
        if (message === undefined) {
          const changes = from < 0 ? null : await this.#state.changesSince(from)
          message =
            changes === null
              ? await snapshotAt(head, tx)
              : { type: 'changes', revision: head, ...packedChanges(await feedChanges(tx, changes, from)) }
          messages.set(from, message)
        }
        // A status that was set is no news: edges need not compile again for it.
        if (worker.sent !== null && !tellEmpty && message.type === 'changes' && message.changes.length === 0) continue
        worker.connection?.send(message)
        worker.sent = head
      }
    })
  }
}

async function snapshotAt(revision: number, reader: Reader): Promise<ToWorker> {
  const { docs, kept } = await allDistributions(reader)
  const challenges = (await reader.list('challenge')).map(({ doc }) => challengeDoc(doc))
  const down = [...(await placesDown(reader))]
  const webAcls = await allWebAcls(reader)
  return { type: 'snapshot', revision, kept, down, challenges, webAcls, ...packed(docs) }
}

function packedChanges(changes: readonly FeedChange[]): { changes: readonly FeedChange[]; shared: readonly object[] } {
  const packing = new Packing()
  const rows = changes.map((change) =>
    change.kind === 'distribution' && change.distribution !== null
      ? { ...change, distribution: packing.pack(change.distribution) }
      : change,
  )
  return { changes: rows, shared: packing.shared }
}
