//! What the workers of a POP say to each other for web ACLs, over the peers' sockets: one JSON line as the question, one as
//! the answer. Requests counted (rate/counters.ts), keys over their limit, puzzles that have been answered.

/** A rate-based rule as its counters know it. */
export interface RateRule {
  /** Of one use of one statement; a changed statement is another rule, whose counts begin anew. */
  readonly id: string
  readonly limit: number
  readonly windowMs: number
}

/** A key of a rule (by its place in the message) and counts by slice: slice, count, slice, count ... */
export type KeyCounts = readonly [rule: number, key: string, ...slices: number[]]

/** A key of a rule that is over its limit until then, if nobody sends more. Milliseconds since the epoch. */
export type KeyOver = readonly [rule: number, key: string, until: number]

export type WafQuestion =
  | {
      readonly waf: 'counts'
      /** Name and pid of the worker that has counted. */
      readonly from: string
      /** What it has sent before is to be forgotten: this begins anew, with all that it has. */
      readonly reset: boolean
      readonly rules: readonly RateRule[]
      readonly counts: readonly KeyCounts[]
    }
  | { readonly waf: 'over'; readonly rules: readonly RateRule[]; readonly over: readonly KeyOver[] }
  /** May this be used, which may be used once? */
  | { readonly waf: 'claim'; readonly id: string; readonly until: number }

export type WafAnswer =
  /** Of the keys that were counted, those over their limit. */
  { readonly over: readonly KeyOver[] } | { readonly first: boolean }

export const isWafQuestion = (question: object): question is WafQuestion => 'waf' in question
