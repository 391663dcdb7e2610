//! What a worker that lacks a key says to the worker that owns it, there or at the next place on the way to the origin, over the owner's Unix socket: one JSON line as the
//! question, one as the head of the answer, then the body in pieces (4 bytes of length, big endian, then the bytes; a
//! length of 0 ends it). Interim answers of the origin come as lines of their own before the head, trailers as a piece of
//! JSON behind the length TRAILERS, before the end. One question at a time on a connection; a body that breaks off is a
//! closed connection.
import type { Layer } from '../../domain/outcomes.ts'
import type { ViewerLocation } from '../../domain/viewer.ts'
import type { Answer } from '../cache/flight.ts'
import type { SliceAsked } from '../cache/slices.ts'
import type { EdgeFault, InnerPurpose, Told } from '../exchange.ts'
import type { ErrorOf, ViewerTls } from '../listen/viewer.ts'

/** A viewer's request as it was received; it never has a body, only cacheable requests come this way. */
export interface PeerQuestion {
  readonly method: string
  readonly path: string
  readonly query: string | null
  readonly httpVersion: '1.0' | '1.1' | '2.0'
  readonly scheme: 'http' | 'https'
  readonly rawHeaders: readonly string[]
  /** As of ViewerRequest. */
  readonly errorOf?: ErrorOf | undefined
  readonly viewerAddress: string
  readonly viewerPort: number
  /** As of Exchange. */
  readonly forwardedFor: string | null
  /** Where the asker knows the viewer to be; null when it has not looked. */
  readonly location: ViewerLocation | null
  /** What the handshake agreed on; whether the request may come over it is decided. */
  readonly tls: Omit<ViewerTls, 'terms' | 'certificate'> | null
  readonly reused: boolean
  /** As viewer/header-order.ts has it: `rawHeaders` may be fewer than the viewer sent. */
  readonly headerOrder: string
  /** Port of the listener that the viewer came to. */
  readonly localPort: number
  readonly requestId: string
  /** The distribution that the asker serves the request by: the Host may be that of its primary (choose-staging). */
  readonly distributionId: string
  /** Name of the POP or regional edge cache whose object is asked for. */
  readonly place: string
  /** What that place is to who asks. */
  readonly layer: Layer
  /** Who asks keeps copies for the same place; otherwise it asks in the name of a place further out. */
  readonly ofSamePlace: boolean
  /** The slice of a large object that is asked for; null for a whole object. */
  readonly slice: SliceAsked | null
  /** As of Exchange: the owner must not answer with this version. */
  readonly goneVersion: string
  /** Null when a viewer waits for the answer. */
  readonly inner: InnerPurpose | null
  /** The answer is to tell its trace. */
  readonly explain: boolean
  /** Revision of the asker's snapshot: an owner that is behind catches up first. */
  readonly revision: number
}

export type PeerHead =
  | ({ readonly kind: 'answer'; readonly answer: Answer } & Told)
  | ({ readonly kind: 'fault'; readonly fault: EdgeFault } & Told)
  /** The owner could not catch up with the asker's revision in time. */
  | { readonly kind: 'behind' }

/** A line before the head: an interim answer of the origin, in strict mode. */
export interface PeerHint {
  readonly kind: 'hint'
  readonly status: number
  readonly headers: readonly string[]
}

/** A line before the head: the answer is not one for several, who waits for it at the asker is to ask for itself. */
export interface PeerAlone {
  readonly kind: 'alone'
}

/** Stands in the place of a length: what follows, with a length of its own, are trailers. */
export const TRAILERS = 0xff_ff_ff_ff

/** What became of a question; `gone` means that the next worker in line is asked. */
export type PeerResult = PeerHead | { readonly kind: 'gone' }
