//! The shape of a row of the conformance tables: a sentence of RFC 9113 or RFC 7541, what is sent on a fresh connection, and
//! what must come of it.
import type { ErrorName, Settings } from '../../../support/http2-frames.ts'
import type { Rule } from '../../../support/http2-observer.ts'
import type { OurServer } from '../../../support/http2-server.ts'
import type { Http2Wire } from '../../../support/http2-wire.ts'

/** Frames go in one write as long as no function stands between them. */
export type Step = Buffer | ((wire: Http2Wire) => unknown)

export type Expected =
  /** GOAWAY with one of these codes, then the end of the connection. */
  | { readonly kind: 'connection-error'; readonly codes: readonly ErrorName[] }
  /** The end of the connection, told or not. */
  | { readonly kind: 'ended' }
  /** RST_STREAM with one of these codes; the connection goes on. */
  | { readonly kind: 'stream-error'; readonly stream: number; readonly codes: readonly ErrorName[] }
  /** 8.1.1: RST_STREAM(PROTOCOL_ERROR), perhaps behind a 4xx, and nothing is handed on; the connection goes on. */
  | { readonly kind: 'malformed'; readonly stream: number }
  /** 8.2.1: like `malformed`, or answered with a 4xx or 5xx that ends the stream. */
  | { readonly kind: 'refused'; readonly stream: number }
  /** The answer is whole and has this status and body. */
  | { readonly kind: 'answered'; readonly stream: number; readonly status: number; readonly body: string | null }
  /** No error; the connection goes on. */
  | { readonly kind: 'ignored' }

export interface Row {
  readonly section: string
  /** In our words. */
  readonly must: string
  /** Of the client; sent with the preface. */
  readonly settings?: Settings
  /** The preface is part of `send`. */
  readonly bare?: true
  readonly send: readonly Step[]
  /** One of them. */
  readonly expect: readonly Expected[]
  /** What else must be so, once all is read. */
  readonly also?: (wire: Http2Wire, server: OurServer) => unknown
}

/** A rule for what the server sends: watched in every frame of every row (http2-observer.ts). */
export interface WatchedRow {
  readonly section: string
  readonly must: string
  readonly watched: Rule
}

/** A sentence that this server cannot keep or break. */
export interface OtherRow {
  readonly section: string
  readonly must: string
  readonly reason: string
}

/** Rows that need more than one connection, or another handshake. */
export interface SpecialRow {
  readonly section: string
  readonly must: string
  readonly run: (server: OurServer) => Promise<void>
}

export type AnyRow = Row | WatchedRow | OtherRow | SpecialRow

export const connectionError = (...codes: readonly ErrorName[]): Expected => ({ kind: 'connection-error', codes })
export const streamError = (stream: number, ...codes: readonly ErrorName[]): Expected => ({
  kind: 'stream-error',
  stream,
  codes,
})
export const malformed = (stream = 1): Expected => ({ kind: 'malformed', stream })
export const refused = (stream = 1): Expected => ({ kind: 'refused', stream })
export const answered = (stream = 1, status = 200, body: string | null = 'ok'): Expected => ({
  kind: 'answered',
  stream,
  status,
  body,
})
export const ignored: Expected = { kind: 'ignored' }
export const ended: Expected = { kind: 'ended' }

/** A row in the order of its sentence. */
export const row = (section: string, must: string, send: readonly Step[], ...expect: readonly Expected[]): Row => ({
  section,
  must,
  send,
  expect,
})
export const watched = (section: string, must: string, rule: Rule): WatchedRow => ({ section, must, watched: rule })
export const other = (section: string, must: string, reason: string): OtherRow => ({ section, must, reason })

/** Waits until the server has read all so far. */
export const read: Step = (wire) => wire.pong()
/** Waits for the whole answer. */
export const whole =
  (stream: number): Step =>
  (wire) =>
    wire.answered(stream)
