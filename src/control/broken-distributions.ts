//! Stored distributions that are not what they should be: those that no edge can be given, for something that they name
//! is not there, and those that this version would refuse. Every start and every change looks again, at the cost of what
//! has changed since the last look.
import { refusedToday } from '../services/cloudfront/stored-checks.ts'
import type { Kind } from '../state/kinds.ts'
import type { Reader, State } from '../state/state.ts'
import { brokenDistributions } from './plan/feed-changes.ts'

/** What is written without breaking or mending any distribution but, for its own kind, the one that is written. */
const APART: ReadonlySet<Kind> = new Set<Kind>([
  'distribution',
  'invalidation',
  'ip-set',
  'regex-pattern-set',
  'rule-group',
  'tags',
  'cache-cluster',
  'replication-group',
  'cache-parameter-group',
  'cache-subnet-group',
  'cache-event',
  'keeper-cursor',
])

type Problems = ReadonlyMap<string, string>

export class BrokenDistributions {
  readonly #state: State
  readonly #edgeDomain: string
  /** Revision of the last look; -1 before the first. */
  #seen = -1
  /** By id, what is wrong, for a person; as of the last look. Edges go on with the version that they have, if any. */
  known: Problems = new Map()
  /** Those that are served as they were stored, and would be refused today. */
  refused: Problems = new Map()

  constructor(state: State, edgeDomain: string) {
    this.#state = state
    this.#edgeDomain = edgeDomain
  }

  async look(): Promise<Problems> {
    const revision = await this.#state.revision()
    const changes = this.#seen < 0 ? null : await this.#state.changesSince(this.#seen)
    const isApart = changes?.every(({ kind }) => APART.has(kind)) === true
    const ids = isApart ? new Set(changes.filter(({ kind }) => kind === 'distribution').map(({ id }) => id)) : null
    if (ids === null || ids.size > 0) {
      const broken = await brokenDistributions(this.#state, ids)
      const refused = await this.#refusedOf(this.#state, ids, broken)
      this.known = merged(this.known, ids, broken)
      this.refused = merged(this.refused, ids, refused)
    }
    this.#seen = revision
    return this.known
  }

  async #refusedOf(reader: Reader, ids: ReadonlySet<string> | null, broken: Problems): Promise<Problems> {
    const refused = new Map<string, string>()
    for (const { id, doc } of await reader.list('distribution')) {
      if (broken.has(id) || (ids !== null && !ids.has(id))) continue
      const why = await refusedToday(reader, doc, { edgeDomain: this.#edgeDomain })
      if (why !== null) refused.set(id, `${why} It is served as it was stored; an update sets it right.`)
    }
    return refused
  }
}

/** `found` of `ids` (null: of all) in the place of what was known of them. */
function merged(known: Problems, ids: ReadonlySet<string> | null, found: Problems): Problems {
  return ids === null ? found : new Map([...[...known].filter(([id]) => !ids.has(id)), ...found])
}
