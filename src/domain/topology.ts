//! The network that an installation stands for: edge locations (POPs) with the regional edge cache that each asks
//! (spec/cloudfront.md 3.1 step 14). A topology is made from the settings once (src/config.ts) and given to every worker.

/** An edge location. */
export interface PopDoc {
  /** `FRA50-C1`: letters, digits and hyphens; unique among POPs and regional edge caches. */
  readonly name: string
  /** `eu-central-1` */
  readonly region: string
  /** Name of the regional edge cache that it asks; null when it asks the origin (or its shield) itself. */
  readonly regional: string | null
}

/** A regional edge cache; an origin shield is the one in the region that the origin names (spec 7.6). */
export interface RegionalDoc {
  /** `REC-eu-central-1` */
  readonly name: string
  readonly region: string
}

export interface Topology {
  /** At least one; the number of a POP is its place in this list. */
  readonly pops: readonly PopDoc[]
  readonly regionals: readonly RegionalDoc[]
}
