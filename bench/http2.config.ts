//! The one configuration of `npm run bench:http2`.

export const HTTP2_BENCH = {
  /** Each round measures every server once, in an order that rotates. */
  rounds: 7,
  /** Seconds of load in one measurement. */
  seconds: 4,
  /** Requests that each server answers before a line is measured; below 60,000 small ones the JIT makes figures swing. */
  lines: [
    { name: '1KB', object: '1KB', connections: 8, streams: 10, warmUpRequests: 120_000, atMost: 0.5 },
    { name: '1KB-32x1', object: '1KB', connections: 32, streams: 1, warmUpRequests: 60_000, atMost: 0.8 },
    { name: '100KB', object: '100KB', connections: 8, streams: 10, warmUpRequests: 30_000, atMost: 0.7 },
  ],
} as const

export type Http2BenchLine = (typeof HTTP2_BENCH.lines)[number]
