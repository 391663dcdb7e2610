//! One interface for every wire protocol, in the server direction: which operation, decode, encode, encode an error.
import type { ConstraintTable } from './check-constraints.ts'
import type { OperationModel, ServiceModel } from './model.ts'

/** What a protocol needs to know of a service besides its model. */
export interface WireService {
  readonly model: ServiceModel
  /** XML namespace of requests and answers; with awsJson, what the operation's name follows in X-Amz-Target. */
  readonly namespace: string
  /** API version, e.g. `2015-02-02`. */
  readonly version: string
  /** Members of inputs that the model has as float or double; the SDK's schemas know only numbers. */
  readonly fractions: ReadonlySet<string>
  /** Absent: all constraints of members are the operations' to check. */
  readonly constraints?: ConstraintTable
}

/** A request as a protocol sees it, after the HTTP layer. */
export interface WireRequest {
  readonly method: string
  /** As sent, percent-encoded, without the query. */
  readonly rawPath: string
  /** As sent, without the question mark; empty for none. */
  readonly rawQuery: string
  /** By lower-case name; repeated ones joined with commas. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
}

export interface WireAnswer {
  readonly status: number
  /** Names in the case they are sent in. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** An error for the wire; `fault` says whose it is. */
export interface WireFault {
  readonly code: string
  readonly status: number
  readonly message: string
  /** Further members of the error's structure; only JSON has a place for them. */
  readonly details?: Readonly<Record<string, string>>
}

export interface Matched {
  readonly operation: OperationModel
  /** Percent-decoded values of the labels in the path, by member name. */
  readonly labels: Readonly<Record<string, string>>
}

export interface Protocol {
  /** @throws WireError `no-action`, `no-operation` or `malformed` */
  match(service: WireService, request: WireRequest): Matched
  /** The operation's input, of the right types; constraints are check-shape.ts's. @throws WireError */
  decode(service: WireService, matched: Matched, request: WireRequest): Record<string, unknown>
  /** @throws Error when the output does not fit the model: a defect of ours, never the caller's */
  encode(service: WireService, operation: OperationModel, output: unknown, requestId: string): WireAnswer
  encodeFault(service: WireService, fault: WireFault, requestId: string): WireAnswer
}
