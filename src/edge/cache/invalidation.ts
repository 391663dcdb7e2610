//! Invalidations by revision (spec/cloudfront.md 8). Nothing walks through the cache: an object is compared, when it is
//! next asked for, with the invalidations that are newer than it. A path is exact or ends with `*`; a tag is one of those
//! that the origin gave the object. What is remembered is bounded (invalidation-patterns.ts); of what is older nobody
//! knows any more what it was, so that objects which were not compared with it count as invalidated.
import { FACTOR_A, FACTOR_B, feed, type HashState, PATTERN, PatternTable } from './invalidation-patterns.ts'

/**
 * Distinct patterns remembered by a worker: at 24 bytes a row and half of the rows free at most 24 MiB (100,000 take
 * 6 MiB). With more, the older half is forgotten.
 */
const PATTERNS_MAX = 500_000
/** In so many steps of its revisions the memory can be cut. */
const MARKS = 64
/** Share of the patterns that may be left then: forgetting is rare, not done at every one. */
const LEFT_AFTER_FORGETTING = 0.75

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
  /** Hears of everything that kills objects, before this returns: the disk tier keeps it (cache/disk/journal.ts). */
  onEntry: ((entry: InvalidationEntry) => void) | null = null
  /** The newest one; an object that was compared with it needs no look. */
  revision = -1
  /** What was compared last before these revisions counts as dead, or as soft. */
  #hardHorizon = -1
  #softHorizon = -1
  #patterns = new PatternTable()
  #byDistribution = new Map<string, OfDistribution>()
  /** Newest revision after each `#markEvery` entries. */
  #marks: number[] = []
  #sinceMark = 0
  readonly #patternsMax: number
  readonly #markEvery: number
  readonly #state: HashState = { a: 0, b: 0 }

  constructor(patternsMax = PATTERNS_MAX) {
    this.#patternsMax = patternsMax
    this.#markEvery = Math.max(1, Math.floor(patternsMax / MARKS))
  }

  /** Distinct patterns that are remembered. */
  get patterns(): number {
    return this.#patterns.count
  }

  /** Bytes of their memory. */
  get bytes(): number {
    return this.#patterns.bytes
  }

  /** `path` may end with `*`; a `*` elsewhere is itself. Revisions never go down. */
  add(distributionId: string, path: string, revision: number, soft = false): void {
    this.onEntry?.({ kind: 'path', distributionId, path, revision, ...(soft ? { soft } : {}) })
    const known = this.#of(distributionId)
    const isPrefix = path.endsWith('*')
    const length = isPrefix ? path.length - 1 : path.length
    const state = { ...known.start }
    feed(state, path, 0, length)
    this.#patterns.set(state, isPrefix ? 'prefix' : 'exact', revision, soft)
    if (isPrefix) {
      known.prefix = revision
      if (length >= known.lengths.length) {
        const grown = new Uint8Array(Math.max(length + 1, known.lengths.length * 2))
        grown.set(known.lengths)
        known.lengths = grown
      }
      known.lengths[length] = 1
    } else known.exact = revision
    this.#added(revision)
  }

  /** `header` (lower case) is where the tags of objects were read from when this was asked for; any case in `tag`. */
  addTag(distributionId: string, header: string, tag: string, revision: number, soft = false): void {
    this.onEntry?.({ kind: 'tag', distributionId, header, tag, revision, ...(soft ? { soft } : {}) })
    const known = this.#of(distributionId)
    const state = { ...known.start }
    feed(state, `${header},${tag.toLowerCase()}`)
    this.#patterns.set(state, 'tag', revision, soft)
    known.tag = revision
    this.#added(revision)
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
    else if (entry.kind === 'path') this.add(entry.distributionId, entry.path, entry.revision, entry.soft)
    else this.addTag(entry.distributionId, entry.header, entry.tag, entry.revision, entry.soft)
  }

  clear(): void {
    this.revision = -1
    this.#hardHorizon = -1
    this.#softHorizon = -1
    this.#patterns = new PatternTable()
    this.#byDistribution = new Map()
    this.#marks = []
    this.#sinceMark = 0
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
    const patterns = this.#patterns
    let soft = false
    let { a, b } = start
    let at = 0
    if (prefix > asOf) {
      const last = Math.min(uri.length, lengths.length - 1)
      for (; ; at++) {
        if (lengths[at] === 1 && patterns.find(a, b, PATTERN.prefix)) {
          if (patterns.hard > asOf) return 'dead'
          soft ||= patterns.soft > asOf
        }
        if (at === last) break
        const code = uri.charCodeAt(at)
        a = Math.imul(a ^ code, FACTOR_A)
        b = Math.imul(b ^ code, FACTOR_B)
      }
    }
    if (exact > asOf) {
      // On from the last prefix: it is the same hash.
      for (; at < uri.length; at++) {
        const code = uri.charCodeAt(at)
        a = Math.imul(a ^ code, FACTOR_A)
        b = Math.imul(b ^ code, FACTOR_B)
      }
      if (patterns.find(a, b, PATTERN.exact)) {
        if (patterns.hard > asOf) return 'dead'
        soft ||= patterns.soft > asOf
      }
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
      if (!this.#patterns.find(state.a, state.b, PATTERN.tag)) continue
      if (this.#patterns.hard > asOf) return 'dead'
      soft ||= this.#patterns.soft > asOf
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

  #added(revision: number): void {
    this.revision = Math.max(this.revision, revision)
    if (++this.#sinceMark >= this.#markEvery) {
      this.#sinceMark = 0
      this.#marks.push(revision)
      // The same patterns again and again: coarser steps will do.
      if (this.#marks.length > MARKS * 4) this.#marks = this.#marks.filter((_, at) => at % 2 === 1)
    }
    if (this.#patterns.count > this.#patternsMax) this.#forgetOlder()
  }

  /** The older half of what was entered goes, until there is room for a while; whole revisions only. */
  #forgetOlder(): void {
    do {
      const half = Math.max(1, Math.floor(this.#marks.length / 2))
      const upTo = this.#marks[half - 1] ?? this.revision
      this.#marks = this.#marks.slice(half)
      const gone = this.#patterns.forgetUpTo(upTo)
      this.#hardHorizon = Math.max(this.#hardHorizon, gone.hard)
      this.#softHorizon = Math.max(this.#softHorizon, gone.soft)
    } while (this.#patterns.count > this.#patternsMax * LEFT_AFTER_FORGETTING)
  }
}
