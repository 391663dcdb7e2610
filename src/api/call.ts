//! All that one call learns on its way through the pipeline; every field exists from birth.
import type { IncomingMessage } from 'node:http'
import type { Authorization } from '../aws/authorization.ts'
import type { Matched, WireAnswer, WireRequest } from '../aws/protocol.ts'
import type { Caller } from '../domain/access-keys.ts'
import type { Fault } from '../domain/faults.ts'
import type { StepWatcher } from '../lib/pipeline.ts'
import type { MatchedRoute } from './local.ts'
import type { ApiService } from './services.ts'

/** What a call is for, once route has run. */
export type Target =
  | { readonly kind: 'operation'; readonly service: ApiService; readonly matched: Matched }
  | { readonly kind: 'local'; readonly matched: MatchedRoute }

export interface Call {
  readonly watcher: StepWatcher | null
  readonly message: IncomingMessage
  /** UUID; in the answer's header, in its body and in the log. */
  readonly requestId: string
  /** Milliseconds, monotonic. */
  readonly startedAt: number
  /** Address of the client's end of the connection. */
  readonly peer: string
  /** Head and body as they came, which is what was signed; the body is empty until `receive` has read it. */
  sent: WireRequest
  /** The same without what presigning adds to the query: what the service is asked. */
  request: WireRequest
  /** Service in whose shape errors are answered; null before it is known, and for local paths. */
  service: ApiService | null
  target: Target | null
  /** Null for a call without a well-formed signature. */
  authorization: Authorization | null
  /** Null until authenticate has run. */
  caller: Caller | null
  /** Of what was signed, when the signature was checked and held. */
  digest: string | null
  /** The caller's role does not allow the call. */
  denied: boolean
  /** It stands in the audit log: what comes of it has to follow. */
  audited: boolean
  /** The first call with its signature: what comes of it is what later ones get. */
  isFirst: boolean
  /** The answer is that of an earlier call with the same signature; nothing was run. */
  replayed: boolean
  /** The parsed body of a call of a local route. */
  localBody: unknown
  /** Names and ids that a local route tells of what it made, for the audit log. */
  madeIds: Readonly<Record<string, string>>
  input: Record<string, unknown>
  output: unknown
  fault: Fault | null
  answer: WireAnswer | null
  /** The body of the answer, in place of `answer.body`, when it is made while it is sent. */
  stream: AsyncIterable<string | Uint8Array> | null
}

/** Hands a call over to `encode` with an error. */
export function refuse(call: Call, fault: Fault): 'encode' {
  call.fault = fault
  return 'encode'
}
