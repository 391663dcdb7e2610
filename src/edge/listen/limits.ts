//! Every limit of the viewers' listeners, with its unit and where it comes from.

export interface ListenLimits {
  /** Bytes of the request target. Over it: 414 (spec 2.7). */
  readonly urlBytes: number
  /** Bytes of request line and headers together. Over it: 494 (spec 2.7). */
  readonly headBytes: number
  /** Header lines of a request. Over it: 494. */
  readonly headers: number
  /** Connections of a worker open at once; one more is closed as it arrives. */
  readonly connections: number
  /** TLS handshakes of a worker, and awaited PROXY headers, under way at once; one more connection is closed likewise. */
  readonly handshakes: number
  /**
   * The same of one address (IPv6: of one /64), so that it cannot use up what all have: a fifth of the connections, and of
   * the handshakes what the viewers behind a large NAT have under way in a bad second.
   */
  readonly connectionsPerAddress: number
  readonly handshakesPerAddress: number
  /** The same of an address of this host itself: a load tool opens a thousand at once, a proxy here brings all viewers. */
  readonly connectionsPerLoopbackAddress: number
  readonly handshakesPerLoopbackAddress: number
  /** Milliseconds that a connection has been idle or slow, at least, before it is closed for new viewers (relief.ts). */
  readonly relievedAfterMs: number
  /** Milliseconds for the PROXY header of a proxy in front: one lost packet is sent again within 3 s. Over it: cut. */
  readonly proxyHeaderMs: number
  /** Milliseconds from the arrival of a connection to the end of its TLS handshake. Over it: the connection is cut. */
  readonly handshakeMs: number
  /** Milliseconds from the first byte of a request to the end of its headers. Over it: 408. */
  readonly headMs: number
  /** Milliseconds without a byte of a request body that somebody waits for. Over it: the connection is cut. */
  readonly bodyIdleMs: number
  /** Bytes a second of a request body on the long run; slower, it has bodyIdleMs in all. Over it: 408, or cut. */
  readonly bodyBytesPerSecondMin: number
  /** Bytes of a header block that a connection remembers, to find it again when the viewer repeats it. */
  readonly rememberedBytes: number
  /** Milliseconds from the beginning of a connection to its first byte; browsers open some that they may need (10 s). */
  readonly unusedMs: number
  /** Milliseconds a connection may be open without a further request. */
  readonly idleMs: number
  /** Milliseconds that a WebSocket may be open without a byte from the origin (spec 13.4). */
  readonly tunnelIdleMs: number
  /** Milliseconds in which a viewer must take some bytes of an answer. Over it: the connection is cut. */
  readonly sendStallMs: number
  /**
   * Milliseconds that an answer may take to come, or to go on, once the viewer has ended its side of the connection. Over
   * it: the viewer has left.
   */
  readonly halfClosedMs: number
  /** Milliseconds in which what a refused viewer still sends is read and thrown away, so that it can read the answer. */
  readonly lingerMs: number
  /** Bytes of such unread remains, and of a body that nobody asked for, that are read and thrown away. */
  readonly discardBytes: number
  /** Bytes of later requests (pipelining) or of a body held while nobody reads them; then the socket is paused. */
  readonly heldBytes: number
  /** Milliseconds between two looks at all connections for those that are over a time limit. */
  readonly sweepMs: number
}

export const DEFAULT_LIMITS: ListenLimits = {
  urlBytes: 8_192,
  headBytes: 32_768,
  headers: 256,
  connections: 10_000,
  handshakes: 2_000,
  connectionsPerAddress: 2_000,
  handshakesPerAddress: 100,
  connectionsPerLoopbackAddress: 10_000,
  handshakesPerLoopbackAddress: 1_500,
  relievedAfterMs: 1_000,
  proxyHeaderMs: 5_000,
  handshakeMs: 10_000,
  headMs: 30_000,
  bodyIdleMs: 30_000,
  bodyBytesPerSecondMin: 100,
  rememberedBytes: 8_192,
  unusedMs: 20_000,
  idleMs: 60_000,
  tunnelIdleMs: 600_000,
  sendStallMs: 60_000,
  halfClosedMs: 500,
  lingerMs: 2_000,
  discardBytes: 65_536,
  heldBytes: 65_536,
  sweepMs: 1_000,
}
