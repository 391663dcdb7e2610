//! The one configuration of `npm run bench:tls`.

export const TLS_BENCH = {
  /** Each round measures every server once, in an order that rotates. */
  rounds: 7,
  /** Seconds of load in one measurement. */
  seconds: 4,
  /** Handshakes under way at a time, and keep-alive connections of hits. */
  handshakesAtOnce: 8,
  connections: 32,
  /** Before anything is measured. */
  warmUp: { handshakes: 2_000, hits: 120_000 },
  /**
   * What is compared, as a share of nginx in the same round: `rate` is of handshakes for a second of the server's CPU,
   * `cpu` of its CPU for a hit.
   */
  lines: [
    { name: 'full', what: 'TLS 1.3 handshake', compares: 'rate', wanted: 0.7 },
    { name: 'resumed', what: 'TLS 1.3 handshake, resumed', compares: 'rate', wanted: 0.5 },
    { name: 'hits', what: 'HTTPS/1.1 hit of 1 KB', compares: 'cpu', wanted: 1 },
  ],
} as const

export type TlsBenchLine = (typeof TLS_BENCH.lines)[number]
