//! What can be wrong with a request before any operation sees it. The codes and statuses that a problem gets differ from
//! service to service (spec/cloudfront.md 1.5, spec/elasticache.md 1.8): each service brings a table by these words.

export type WireProblem =
  /** Not XML, not a form, not UTF-8, a limit of the syntax passed. */
  | 'malformed'
  /** An element, parameter or attribute that the operation does not have. */
  | 'unknown'
  /** A value that is not of the member's type. */
  | 'type'
  /** A required member is absent. */
  | 'missing'
  /** A value breaks a constraint of its member: a length, a range, a pattern, a list of words. */
  | 'constraint'
  /** The operation needs a body and there is none. */
  | 'no-body'
  /** `Quantity` is not the number of `Items`. */
  | 'quantity'
  /** The request names no operation, or one that the service does not have. */
  | 'no-action'
  | 'no-operation'

/** Messages repeat names that the caller sent, and those can be as long as a body. Characters. */
const MESSAGE_CHARS_MAX = 1_000

export class WireError extends Error {
  readonly problem: WireProblem
  /** The member concerned, in the names of the wire (`DistributionConfig.Aliases.Quantity`); empty for the whole. */
  readonly path: string

  constructor(problem: WireProblem, path: string, message: string) {
    super(message.length > MESSAGE_CHARS_MAX ? `${message.slice(0, MESSAGE_CHARS_MAX)}...` : message)
    this.name = 'WireError'
    this.problem = problem
    this.path = path
  }
}
