//! Which distributions no edge can be given. A new look costs what has changed since the last one.
import type { Kind } from '../state/kinds.ts'
import type { State } from '../state/state.ts'
import { brokenDistributions } from './plan/feed-changes.ts'

/** What is written without breaking or mending any distribution but, for its own kind, the one that is written. */
const APART: ReadonlySet<Kind> = new Set<Kind>([
  'distribution',
  'invalidation',
  'tags',
  'cache-cluster',
  'replication-group',
  'cache-parameter-group',
  'cache-subnet-group',
  'cache-event',
  'keeper-cursor',
])

export class BrokenDistributions {
  readonly #state: State
  /** Revision of the last look; -1 before the first. */
  #seen = -1
  /** By id, what is wrong, for a person; as of the last look. */
  known: ReadonlyMap<string, string> = new Map()

  constructor(state: State) {
    this.#state = state
  }

  async look(): Promise<ReadonlyMap<string, string>> {
    const revision = await this.#state.revision()
    const changes = this.#seen < 0 ? null : await this.#state.changesSince(this.#seen)
    if (changes?.every(({ kind }) => APART.has(kind)) !== true) this.known = await brokenDistributions(this.#state)
    else {
      const ids = new Set(changes.filter(({ kind }) => kind === 'distribution').map(({ id }) => id))
      if (ids.size > 0) this.known = await this.#lookAgainAt(ids)
    }
    this.#seen = revision
    return this.known
  }

  async #lookAgainAt(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
    const others = [...this.known].filter(([id]) => !ids.has(id))
    return new Map([...others, ...(await brokenDistributions(this.#state, ids))])
  }
}
