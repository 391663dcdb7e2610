//! Invalidations by revision (spec/cloudfront.md 8). Nothing walks through the cache: an object is compared, when it is
//! next asked for, with the invalidations that are newer than it. Paths are exact (a map) or end with `*` (a trie of
//! prefixes); the memory of them is bounded, and what is older than the oldest remembered one counts as invalidated.

/** Paths remembered; with more, the older half is forgotten and everything fetched before it counts as dead. */
const PATHS_MAX = 20_000

interface TrieNode {
  children: Map<number, TrieNode> | null
  /** Newest revision whose wildcard ends here; -1 for none. */
  revision: number
}

interface DistributionInvalidations {
  readonly exact: Map<string, number>
  readonly prefixes: TrieNode
}

/** What `onEntry` hears: enough to do the same again with `enter`. */
export type InvalidationEntry =
  | { readonly kind: 'path'; readonly distributionId: string; readonly path: string; readonly revision: number }
  /** Everything fetched under an older revision is dead. */
  | { readonly kind: 'horizon'; readonly revision: number }

export class Invalidations {
  /** Hears of everything that kills objects, before this returns: the disk tier keeps it (cache/disk/journal.ts). */
  onEntry: ((entry: InvalidationEntry) => void) | null = null
  /** The newest one; an object that was compared with it needs no look. */
  revision = -1
  /** Objects fetched under an older revision than this count as invalidated. */
  #horizon = -1
  #byDistribution = new Map<string, DistributionInvalidations>()
  #log: { readonly distributionId: string; readonly path: string; readonly revision: number }[] = []
  readonly #pathsMax: number

  constructor(pathsMax = PATHS_MAX) {
    this.#pathsMax = pathsMax
  }

  /** `path` may end with `*`; a `*` elsewhere is itself. Revisions never go down. */
  add(distributionId: string, path: string, revision: number): void {
    this.onEntry?.({ kind: 'path', distributionId, path, revision })
    this.#log.push({ distributionId, path, revision })
    this.#enter(distributionId, path, revision)
    this.revision = Math.max(this.revision, revision)
    if (this.#log.length > this.#pathsMax) this.#forgetOlder()
  }

  /** Everything fetched under an older revision is dead: the log of changes did not reach back far enough. */
  forgetBefore(revision: number): void {
    this.onEntry?.({ kind: 'horizon', revision })
    this.#horizon = Math.max(this.#horizon, revision)
    this.revision = Math.max(this.revision, revision)
  }

  /** Does again what `onEntry` heard. */
  enter(entry: InvalidationEntry): void {
    if (entry.kind === 'horizon') this.forgetBefore(entry.revision)
    else this.add(entry.distributionId, entry.path, entry.revision)
  }

  clear(): void {
    this.revision = -1
    this.#horizon = -1
    this.#byDistribution = new Map()
    this.#log = []
  }

  /** True when an invalidation newer than `asOf` matches. `uri` is the path, with the query as far as it is keyed. */
  isDead(distributionId: string, uri: string, asOf: number): boolean {
    if (asOf < this.#horizon) return true
    const known = this.#byDistribution.get(distributionId)
    if (known === undefined) return false
    if ((known.exact.get(uri) ?? -1) > asOf) return true
    let node: TrieNode | undefined = known.prefixes
    for (let at = 0; node !== undefined; at++) {
      if (node.revision > asOf) return true
      if (at === uri.length) return false
      node = node.children?.get(uri.charCodeAt(at))
    }
    return false
  }

  #enter(distributionId: string, path: string, revision: number): void {
    let known = this.#byDistribution.get(distributionId)
    if (known === undefined) {
      known = { exact: new Map(), prefixes: { children: null, revision: -1 } }
      this.#byDistribution.set(distributionId, known)
    }
    if (!path.endsWith('*')) {
      known.exact.set(path, revision)
      return
    }
    let node = known.prefixes
    for (let at = 0; at < path.length - 1; at++) {
      const code = path.charCodeAt(at)
      node.children ??= new Map()
      let child = node.children.get(code)
      if (child === undefined) {
        child = { children: null, revision: -1 }
        node.children.set(code, child)
      }
      node = child
    }
    node.revision = revision
  }

  /** Rebuilt from the newer half: rare, and simpler than taking single paths out of a trie. */
  #forgetOlder(): void {
    const half = Math.floor(this.#log.length / 2)
    this.#horizon = Math.max(this.#horizon, this.#log[half - 1]?.revision ?? -1)
    this.#log = this.#log.slice(half)
    this.#byDistribution = new Map()
    for (const { distributionId, path, revision } of this.#log) this.#enter(distributionId, path, revision)
  }
}
