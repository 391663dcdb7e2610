//! The one configuration of `npm run bench:edge`: what is asked, how often, and on which processor.

export const EDGE_BENCH = {
  /** Each round measures every server once, in an order that rotates. */
  rounds: 7,
  /** Seconds of load in one measurement. */
  seconds: 4,
  /** Keep-alive connections of the load generator. */
  connections: 32,
  /** The server (with all its processes) and the load run on a processor of their own. */
  serverCpu: 0,
  loadCpu: 1,
  /** Bytes of memory for objects that each server has. */
  cacheBytes: 256 * 1024 * 1024,
  /**
   * What is asked for. `warmUpRequests`: that each server answers before anything is measured; below 60,000 small ones the
   * JIT makes figures swing by half. `atMost`: CPU of a hit as a share of another server's that is asked for.
   */
  objects: [
    {
      name: '1KB',
      bytes: 1_024,
      path: '/assets/product-12345.jpg',
      warmUpRequests: 120_000,
      servers: ['nginx', 'varnish', 'cachefront'],
      atMost: { nginx: 0.75, varnish: 0.5 },
    },
    {
      name: '100KB',
      bytes: 102_400,
      path: '/assets/photo-100k.jpg',
      warmUpRequests: 30_000,
      servers: ['nginx', 'cachefront'],
      atMost: { nginx: 0.8 },
    },
    {
      name: '10MB',
      bytes: 10 * 1024 * 1024,
      path: '/assets/film-10m.jpg',
      warmUpRequests: 600,
      servers: ['nginx', 'cachefront'],
      atMost: { nginx: 1.3 },
    },
  ],
  /** Connections that ask for the largest object and read nothing, to see what that costs in memory. */
  stalledReaders: 40,
  /** Host header of every request: the distribution's domain name. */
  host: 'd111111abcdef8.cloudfront.localhost',
  /** With Host, the twelve headers that a browser sends for an image. */
  headers: [
    [
      'User-Agent',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
    ],
    ['Accept', 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8'],
    ['Accept-Encoding', 'gzip, deflate, br, zstd'],
    ['Accept-Language', 'en-US,en;q=0.9,de;q=0.8'],
    ['Referer', 'http://d111111abcdef8.cloudfront.localhost/products/12345'],
    ['sec-ch-ua', '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"'],
    ['sec-ch-ua-mobile', '?0'],
    ['sec-ch-ua-platform', '"Linux"'],
    ['Sec-Fetch-Dest', 'image'],
    ['Sec-Fetch-Mode', 'no-cors'],
    ['Sec-Fetch-Site', 'same-origin'],
  ],
  /** Headers that the origin answers with, besides Content-Length and Date. */
  originHeaders: [
    ['Content-Type', 'image/jpeg'],
    ['Cache-Control', 'public, max-age=86400'],
    ['ETag', '"5f3c-1a2b3c4d5e6f"'],
    ['Last-Modified', 'Wed, 21 Oct 2015 07:28:00 GMT'],
    ['Server', 'origin'],
  ],
} as const

export type EdgeBenchConfig = typeof EDGE_BENCH

export interface BenchObject {
  readonly name: string
  readonly bytes: number
  readonly path: string
  readonly warmUpRequests: number
  readonly servers: readonly string[]
  readonly atMost: Readonly<Record<string, number>>
}
