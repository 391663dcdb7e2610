//! h2load over TLS against one of a benchmark's servers, on the processor of the load, with a browser's headers. Both servers
//! must have agreed with it on the same: a figure over another cipher or key exchange says nothing.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { EDGE_BENCH } from './edge.config.ts'
import type { BenchServer } from './servers/server.ts'

const run = promisify(execFile)

/** `http/1.1` with one request at a time on a connection. */
interface Shape {
  readonly protocol: 'h2' | 'http/1.1'
  readonly connections: number
  readonly streams: number
}

/** Loads for so many seconds; returns the requests that were answered. @throws Error when one was not, or not as agreed */
export async function h2load(server: BenchServer, path: string, shape: Shape, seconds: number): Promise<number> {
  const { protocol, connections, streams } = shape
  const headers = EDGE_BENCH.headers.flatMap(([name, value]) => ['-H', `${name.toLowerCase()}: ${value}`])
  const { stdout } = await run('taskset', [
    ...['-c', `${EDGE_BENCH.loadCpu}`, 'h2load', '-t1', `-c${connections}`, `-m${streams}`, `-D${seconds}`],
    ...(protocol === 'h2' ? [] : ['--h1']),
    ...['--groups=X25519', ...headers, `--connect-to=127.0.0.1:${server.httpsPort}`],
    `https://${EDGE_BENCH.host}${path}`,
  ])
  const agreed = [
    'TLS Protocol: TLSv1.3',
    'Cipher: TLS_AES_128_GCM_SHA256',
    'Server Temp Key: X25519 ',
    `Application protocol: ${protocol}`,
  ]
  const missing = agreed.filter((line) => !stdout.includes(line))
  const [, done, failed] = /requests: .*?(\d+) succeeded, (\d+) failed/.exec(stdout) ?? []
  if (missing.length > 0 || failed !== '0' || !/status codes: \d+ 2xx, 0 3xx, 0 4xx, 0 5xx/.test(stdout))
    throw new Error(`h2load failed with ${server.name} (${missing.join(', ')}):\n${stdout}${server.output()}`)
  return Number(done)
}
