//! What a connection (HTTP/1.1 or HTTP/2) hands to the request pipeline, and what the pipeline answers through.
//! One interface for both protocols: the pipeline never sees a socket.
import type { Duplex, Readable } from 'node:stream'
import type { DetailedResultType } from '../../domain/result-types.ts'
import type { ViewerEnds } from './ends.ts'
import type { TlsTerms } from './tls/terms.ts'
import type { TunnelEnd } from './tunnel.ts'

/** One viewer connection; everything here is learnt once. */
export interface ViewerConnection extends ViewerEnds {
  readonly scheme: 'http' | 'https'
  /** What the TLS handshake agreed on; null for plain HTTP. */
  readonly tls: ViewerTls | null
  /** Index of the POP whose address accepted it. */
  readonly pop: number
  /** Access log text that stays the same for the connection; written by observe/access-log.ts at the first request. */
  logParts: { readonly between: string } | null
  /** Of the address; null until the first request asks for it (edge/shield/request-budgets.ts). */
  budget: RequestBudget | null
  /** Ends it without a word more, because its viewer goes on against all refusals. Absent where nobody is connected. */
  shun?(): void
}

/** `far-over`: it has been told so often enough. */
export type RequestVerdict = 'within' | 'over' | 'far-over'

/** How many requests an address may yet make. */
export interface RequestBudget {
  /** One more, at `now` (Clock.monotonic()). */
  take(now: number): RequestVerdict
}

/** Of whom there are no bounds for. */
export const UNLIMITED: RequestBudget = { take: () => 'within' }

/** Of one viewer connection, in OpenSSL's words. */
export interface ViewerTls {
  /** `TLSv1.3` */
  readonly protocol: string
  /** `TLS_AES_128_GCM_SHA256`, `ECDHE-RSA-AES128-GCM-SHA256` */
  readonly cipher: string
  /** The handshake took up an earlier session. */
  readonly resumed: boolean
  /** What ALPN agreed on (RFC 7301): `h2`, `http/1.1`; null when the viewer offered nothing. */
  readonly alpn: 'h2' | 'http/1.1' | null
  /** Name in the ClientHello (RFC 6066 3), in lower case; null for none. */
  readonly serverName: string | null
  /** What it was agreed under; null at a worker that a peer asks, which has the connection and has decided by them. */
  readonly terms: TlsTerms | null
  /** The certificate that was shown (ServedCertificate.id). */
  readonly certificate: string
  /** Null where viewers are not asked for certificates. */
  readonly client: ViewerClient | null
}

/** What a viewer that was asked for its certificate has shown. Told to other workers as it is. */
export interface ViewerClient {
  /** `passthrough`: nobody has verified the certificates. */
  readonly mode: 'required' | 'optional' | 'passthrough'
  /** DER in base64: the viewer's own, then what came behind it; none for a viewer that showed none. */
  readonly certificates: readonly string[]
}

/**
 * The header block of a request, parsed once and shared by all requests of a connection that repeat the same bytes:
 * whatever is derived from headers alone (log text, cache key parts) is kept in `derived` and found again.
 */
export interface HeaderBlock {
  /** Name, value, name, value ... in the order, case and spelling of the viewer. */
  readonly raw: readonly string[]
  /** Host header in lower case without port. */
  readonly host: string
  /** First value of a header, by its lower-case name; undefined when absent. */
  get(name: string): string | undefined
  /** All values of a header, by its lower-case name. */
  getAll(name: string): readonly string[]
  /** Bytes of the block on the wire. */
  readonly bytes: number
  /** Written by whoever derives something from these headers; keyed by the deriver's own symbol-like object. */
  readonly derived: Map<object, unknown>
}

export interface ViewerBody {
  /** Declared length in bytes; null for a chunked body. */
  readonly length: number | null
  stream(): Readable
  /** It is one side of a conversation: however slowly it comes, that is no attack. Absent where nothing limits its pace. */
  unhurried?(): void
  /** All of it has come. */
  readonly complete: boolean
  /** Trailers as they came, name, value, name, value ...; all of them once the stream has ended. */
  readonly trailers: readonly string[]
}

/** What a viewer asked for when the answer was an error (spec/cloudfront.md 3.5). */
export interface ErrorOf {
  readonly path: string
  readonly query: string | null
}

export interface ViewerRequest {
  readonly method: string
  /** Path as sent, neither decoded nor normalized; begins with a slash (an absolute-form target is cut to this). */
  readonly path: string
  /** Text after the first `?`, or null when there was none. */
  readonly query: string | null
  readonly httpVersion: '1.0' | '1.1' | '2.0'
  readonly headers: HeaderBlock
  /** Of a request that fetches a custom error page; made by the edge alone (edge/custom-error.ts). */
  readonly errorOf?: ErrorOf | undefined
  /** Null when the request has no body. */
  readonly body: ViewerBody | null
  readonly connection: ViewerConnection
  /** True when it is not the first request of its connection. */
  readonly reused: boolean
  /** Clock.monotonic() when the last byte of the header block was read. */
  readonly startedAt: number
}

/** The first part of a head that many answers have in common; it may end within a line, behind its name. */
export interface HeadPart {
  readonly text: string
  /** What HTTP/2 has made of it; null before it was first wanted. */
  encoded: EncodedPart | null
}

/** A head in two: what others begin with, too, and the rest with its final empty line. */
export interface HeadParts {
  readonly part: HeadPart
  readonly own: string
}

export interface EncodedPart {
  /** HPACK, one character a byte. */
  readonly block: string
  /** The block ends behind the name of a field. */
  readonly open: boolean
}

/** Answers one request. Exactly one of `whole` or `head`+`write`*+`end` is called; the listener keeps answers in order. */
export interface ViewerReply {
  /**
   * The whole answer: header text with its status line and final empty line, then the body (null for none), as one
   * corked write. `onSent` is called once when the kernel has taken the bytes or the connection is gone: until then
   * the memory behind `body` must not change. `parts` are those of the head, when others will begin as it does.
   */
  whole(head: string, body: Uint8Array | null, onSent: (() => void) | null, parts?: HeadParts): void
  /**
   * Begins a streamed answer. `framing` says how the end is told: by Content-Length (already in `head`), by chunks
   * (already in `head`; the listener adds the chunk marks), or by closing the connection.
   */
  head(head: string, framing: 'length' | 'chunked' | 'close'): void
  /**
   * False when the viewer reads slower than we write: stop until `onDrain`. `onSent` is called once, as that of `whole`:
   * for a chunk whose memory may change later.
   */
  write(chunk: Uint8Array, onSent?: () => void): boolean
  onDrain: (() => void) | null
  /** Called once when the viewer is gone before the end. */
  onAbort: (() => void) | null
  /** `trailers` are name, value, name, value ...; they are dropped where the framing has no place for them. */
  end(trailers?: readonly string[]): void
  /** An interim answer (1xx), whole with its final empty line, before the answer. Absent where nobody wants them. */
  interim?(head: string): void
  /**
   * In place of an answer: `head` (101, whole with its final empty line), then bytes both ways between the viewer and
   * `origin`, until both connections are closed. Absent where there is no connection to hand over.
   */
  tunnel?(head: string, origin: Duplex): Promise<{ readonly end: TunnelEnd; readonly received: number }>
  /**
   * Cuts the connection, or the stream: the only honest end of a body that the origin did not finish. `cancelled`: on
   * purpose, which HTTP/2 has a word for.
   */
  abort(cancelled?: boolean): void
  /** True after the viewer has gone. */
  readonly gone: boolean
  /** How the listener answered in the pipeline's stead (`gone` is true then); null, or absent, when it did not. */
  readonly refused?: { readonly status: number; readonly detailed: DetailedResultType } | null
  /** True when the connection ends with this answer (HTTP/1.0, `Connection: close`, drain, an error). */
  readonly closes: boolean
  /** Bytes written for this answer so far, headers included. */
  readonly bytesSent: number
}

/** The pipeline as a listener sees it. */
export type ViewerHandler = (request: ViewerRequest, reply: ViewerReply) => void
