//! Which connections are closed when a worker runs short of them, so that new viewers still get in: those that never
//! brought a request, then idle ones, then slow ones; of each kind the oldest first. Likewise of handshakes. All of them
//! are looked at once for many that are closed, so that nothing has to be kept in order while all is well.

/** In the order in which they are closed. */
export const RELIEF_ORDER = [
  /** No request has come yet, or not all of its head. */
  'unused',
  /** None is under way. */
  'idle',
  /** The head of a further request, or a body, comes slowly, or the viewer does not take its answer. */
  'slow',
] as const

export type ReliefKind = (typeof RELIEF_ORDER)[number] | 'handshake'

export interface Standing {
  readonly kind: (typeof RELIEF_ORDER)[number]
  /** Clock.monotonic() */
  readonly since: number
}

/** A connection as it is seen from here: a ViewerSocket. */
interface RelievableConnection {
  readonly remoteAddress: string
  place: { left(): void } | null
  standing(now: number): Standing | null
  relieve(): void
}

/** What one listener has. */
interface Relievable {
  readonly connections: ReadonlySet<RelievableConnection>
  readonly arrivals: { oldest(before: number): Iterable<{ readonly address: string; end(): void }> }
}

/** Share of a bound from which room is made, and how much of it at a time. */
export const RELIEF_AT = 0.95
const RELIEF_SHARE = 0.05
export class Relief {
  readonly #listeners = new Set<Relievable>()
  readonly #relieved: (kind: ReliefKind, address: string) => void

  constructor(relieved: (kind: ReliefKind, address: string) => void = () => {}) {
    this.#relieved = relieved
  }

  add(listener: Relievable): void {
    this.#listeners.add(listener)
  }

  remove(listener: Relievable): void {
    this.#listeners.delete(listener)
  }

  /** Makes room for some connections out of `bound`; only those that were as they are before `before` are closed. */
  connections(bound: number, before: number, now: number): void {
    const found: { connection: RelievableConnection; kind: Standing['kind']; since: number }[] = []
    for (const { connections } of this.#listeners) {
      for (const connection of connections) {
        const standing = connection.place === null ? null : connection.standing(now)
        if (standing !== null && standing.since <= before) found.push({ connection, ...standing })
      }
    }
    found.sort((one, other) => rank(one.kind) - rank(other.kind) || one.since - other.since)
    for (const { connection, kind } of found.slice(0, atOnce(bound))) {
      connection.relieve()
      connection.place?.left()
      connection.place = null
      this.#relieved(kind, connection.remoteAddress)
    }
  }

  /** The same for handshakes. */
  handshakes(bound: number, before: number): void {
    let left = atOnce(bound)
    for (const { arrivals } of this.#listeners) {
      for (const opening of arrivals.oldest(before)) {
        if (left-- <= 0) return
        opening.end()
        this.#relieved('handshake', opening.address)
      }
    }
  }
}

const rank = (kind: Standing['kind']): number => RELIEF_ORDER.indexOf(kind)
const atOnce = (bound: number): number => Math.max(1, Math.floor(bound * RELIEF_SHARE))
