//! Invalidations by revision (spec/cloudfront.md 8). Nothing walks through the cache: an object is compared, when it is
//! next asked for, with the invalidations that are newer than it. A path is exact or ends with `*`; a tag is one of those
//! that the origin gave the object. What is remembered is bounded (invalidation-patterns.ts); of what is older nobody
//! knows any more what it was, so that objects which were not compared with it count as invalidated.
import { feed, type HashState, PATTERN, type PatternKind, Patterns } from './invalidation-patterns.ts'

/**
 * Distinct patterns that a worker remembers at least once there were as many; at most twice as many, in 24 MiB (100,000
 * take 12).
 */
const PATTERNS_MIN = 250_000

/** What the invalidations say of an object. */
export type Standing =
  | 'valid'
  /** A soft invalidation is newer than the object: it may be served while it is fetched anew. */
  | 'soft'
  /** An invalidation is newer than the object: it must never be served again. */
  | 'dead'

/** What of an object is compared. */
export interface Compared {
  readonly distributionId: string
  /** The path, with the query as far as it is keyed. */
  readonly uri: string
  /** As of ObjectMeta; null while nobody knows them: then every newer tag counts as one of them. */
  readonly tags: string | null
  readonly asOf: number
  /** The newest invalidation that it was compared with; without it `asOf`. */
  readonly checkedRevision?: number
}

/** What `onEntry` hears: enough to do the same again with `enter`. Plain documents. */
export type InvalidationEntry =
  | {
      readonly kind: 'path'
      readonly distributionId: string
      readonly path: string
      /** A `*` at the end is a character like any other. */
      readonly exact?: true
      readonly revision: number
      readonly soft?: true
    }
  | {
      readonly kind: 'tag'
      readonly distributionId: string
      /** Header that tags were read from, lower case. */
      readonly header: string
      readonly tag: string
      readonly revision: number
      readonly soft?: true
    }
  /** Everything fetched under an older revision is dead. */
  | { readonly kind: 'horizon'; readonly revision: number }

interface OfDistribution {
  readonly start: HashState
  /** Newest revision of each kind: an object that is not older needs no look. */
  exact: number
  prefix: number
  tag: number
  /** 1 at each length that a prefix has. */
  lengths: Uint8Array
}

export class Invalidations {
  /** Hears of each invalidation, before the call that enters it returns: the disk tier keeps it (cache/disk/journal.ts). */
  onEntry: ((entry: InvalidationEntry) => void) | null = null
  /** That of the newest one, or a little above; an object that was compared under it needs no look. */
  revision = -1
  /** What was compared last before these revisions counts as dead, or as soft. */
  #hardHorizon = -1
  #softHorizon = -1
  #patterns: Patterns
  #byDistribution = new Map<string, OfDistribution>()
  readonly #patternsMin: number
  readonly #state: HashState = { a: 0, b: 0 }

  constructor(patternsMin = PATTERNS_MIN) {
    this.#patternsMin = patternsMin
    this.#patterns = new Patterns(patternsMin)
  }

  /** Patterns that are remembered. */
  get patterns(): number {
    return this.#patterns.count
  }

  /** Bytes of their memory. */
  get bytes(): number {
    return this.#patterns.bytes
  }

  /** `path` may end with `*`; a `*` elsewhere is itself. Revisions are above 0. */
  add(distributionId: string, path: string, revision: number, soft = false): void {
    if (!path.endsWith('*')) {
      this.addExact(distributionId, path, revision, soft)
      return
    }
    this.onEntry?.({ kind: 'path', distributionId, path, revision, ...(soft ? { soft } : {}) })
    const known = this.#of(distributionId)
    const length = path.length - 1
    if (length >= known.lengths.length) {
      const grown = new Uint8Array(Math.max(length + 1, known.lengths.length * 2))
      grown.set(known.lengths)
      known.lengths = grown
    }
    known.lengths[length] = 1
    known.prefix = Math.max(known.prefix, revision)
    this.#set(known, path.slice(0, -1), 'prefix', revision, soft)
  }

  /** The path and query of one object, whatever it ends with. */
  addExact(distributionId: string, path: string, revision: number, soft = false): void {
    const exact = path.endsWith('*') ? { exact: true as const } : {}
    this.onEntry?.({ kind: 'path', distributionId, path, revision, ...exact, ...(soft ? { soft } : {}) })
    const known = this.#of(distributionId)
    known.exact = Math.max(known.exact, revision)
    this.#set(known, path, 'exact', revision, soft)
  }

  /** `header` (lower case) is where the tags of objects were read from when this was asked for; any case in `tag`. */
  addTag(distributionId: string, header: string, tag: string, revision: number, soft = false): void {
    this.onEntry?.({ kind: 'tag', distributionId, header, tag, revision, ...(soft ? { soft } : {}) })
    const known = this.#of(distributionId)
    known.tag = Math.max(known.tag, revision)
    this.#set(known, `${header},${tag.toLowerCase()}`, 'tag', revision, soft)
  }

  /** Everything fetched under an older revision is dead: the log of changes did not reach back far enough. */
  forgetBefore(revision: number): void {
    this.onEntry?.({ kind: 'horizon', revision })
    this.#hardHorizon = Math.max(this.#hardHorizon, revision)
    this.revision = Math.max(this.revision, revision)
  }

  /** Does again what `onEntry` heard. */
  enter(entry: InvalidationEntry): void {
    if (entry.kind === 'horizon') this.forgetBefore(entry.revision)
    else if (entry.kind === 'path') {
      if (entry.exact) this.addExact(entry.distributionId, entry.path, entry.revision, entry.soft)
      else this.add(entry.distributionId, entry.path, entry.revision, entry.soft)
    } else this.addTag(entry.distributionId, entry.header, entry.tag, entry.revision, entry.soft)
  }

  clear(): void {
    this.revision = -1
    this.#hardHorizon = -1
    this.#softHorizon = -1
    this.#patterns = new Patterns(this.#patternsMin)
    this.#byDistribution = new Map()
  }

  /** True when an invalidation newer than `asOf` matches that is not a soft one. */
  isDead(distributionId: string, uri: string, asOf: number, tags: string | null = ''): boolean {
    return this.standing({ distributionId, uri, tags, asOf }) === 'dead'
  }

  /** What the invalidations newer than the object's `asOf` make of it. */
  standing(object: Compared): Standing {
    const { asOf, uri, tags } = object
    const compared = object.checkedRevision ?? asOf
    if (compared < this.#hardHorizon) return 'dead'
    const isSoft = compared < this.#softHorizon
    const known = this.#byDistribution.get(object.distributionId)
    if (known === undefined) return isSoft ? 'soft' : 'valid'
    const byPath = this.#ofPath(known, uri, asOf)
    if (byPath === 'dead') return 'dead'
    const byTag = known.tag > asOf && tags !== '' ? this.#ofTags(known, tags, asOf) : 'valid'
    if (byTag === 'dead') return 'dead'
    return isSoft || byPath === 'soft' || byTag === 'soft' ? 'soft' : 'valid'
  }

  #ofPath({ start, exact, prefix, lengths }: OfDistribution, uri: string, asOf: number): Standing {
    if (exact <= asOf && prefix <= asOf) return 'valid'
    const state = this.#state
    state.a = start.a
    state.b = start.b
    let fed = 0
    let soft = false
    if (prefix > asOf) {
      const last = Math.min(uri.length, lengths.length - 1)
      for (let length = 0; length <= last; length++) {
        if (lengths[length] === 0) continue
        feed(state, uri, fed, length)
        fed = length
        const match = this.#patterns.match(state.a, state.b, PATTERN.prefix, asOf)
        if (match === 'hard') return 'dead'
        soft ||= match === 'soft'
      }
    }
    if (exact > asOf) {
      // On from the last prefix: it is the same hash.
      feed(state, uri, fed)
      const match = this.#patterns.match(state.a, state.b, PATTERN.exact, asOf)
      if (match === 'hard') return 'dead'
      soft ||= match === 'soft'
    }
    return soft ? 'soft' : 'valid'
  }

  #ofTags({ start }: OfDistribution, tags: string | null, asOf: number): Standing {
    // A soft one may be meant as well, but nobody can tell: the stricter word is safe.
    if (tags === null) return 'dead'
    let soft = false
    const headerEnd = tags.indexOf(',') + 1
    const header = { ...start }
    feed(header, tags, 0, headerEnd)
    const state = this.#state
    for (let from = headerEnd, end = tags.indexOf(',', from); end >= 0; from = end + 1, end = tags.indexOf(',', from)) {
      state.a = header.a
      state.b = header.b
      feed(state, tags, from, end)
      const match = this.#patterns.match(state.a, state.b, PATTERN.tag, asOf)
      if (match === 'hard') return 'dead'
      soft ||= match === 'soft'
    }
    return soft ? 'soft' : 'valid'
  }

  #of(distributionId: string): OfDistribution {
    let known = this.#byDistribution.get(distributionId)
    if (known === undefined) {
      const start = this.#patterns.begin(distributionId)
      known = { start, exact: -1, prefix: -1, tag: -1, lengths: new Uint8Array(64) }
      this.#byDistribution.set(distributionId, known)
    }
    return known
  }

  #set({ start }: OfDistribution, text: string, kind: PatternKind, revision: number, soft: boolean): void {
    const state = { ...start }
    feed(state, text)
    const forgotten = this.#patterns.set(state, kind, revision, soft)
    if (forgotten !== null) {
      this.#hardHorizon = Math.max(this.#hardHorizon, forgotten.hard)
      this.#softHorizon = Math.max(this.#softHorizon, forgotten.soft)
    }
    // It may be no newer than the newest (the next item of a batch; the feed's after the POP's own, peers/purge.ts): what
    // was compared with that one is compared again, because this goes on by as little as it can.
    this.revision = revision > this.revision ? revision : this.revision * (1 + Number.EPSILON)
  }
}
