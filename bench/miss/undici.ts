//! `undici` alone, by the same `dispatch` that the edge uses: asks the origin for one URL after the other, so many at a
//! time, and reads the answers. `node undici.ts PORT CONCURRENCY`; each line on standard input is a number of seconds to do
//! so, answered with a line: how many requests were answered.
import { createInterface } from 'node:readline'
import { type Dispatcher, Pool } from 'undici'
import { EDGE_BENCH } from '../edge.config.ts'

const [, , port = '', concurrency = ''] = process.argv
const pool = new Pool(`http://127.0.0.1:${port}`, { connections: Number(concurrency), pipelining: 1 })
/** As many as the edge sends for a browser's request. */
const HEADERS = [
  ...['Host', '127.0.0.1', 'User-Agent', 'Amazon CloudFront', 'Accept-Encoding', 'br,gzip'],
  ...['X-Forwarded-For', '127.0.0.1', 'Via', '1.1 0123456789abcdef0123456789abcdef.cloudfront.net (CloudFront)'],
  ...['X-Amz-Cf-Id', 'w3hM0mBdbDiFWhqVMPyx1ObdPgtsd2zpUBcaBRIs1JPxoS4vAT0S7A==', 'CDN-Loop', 'CloudFront'],
]

let asked = 0
let answered = 0
let until = 0

class Handler implements Dispatcher.DispatchHandler {
  #bytes = 0
  onRequestStart(): void {}
  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    if (status !== 200) throw new Error(`status ${status}`)
  }
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
  }
  onResponseEnd(): void {
    if (this.#bytes !== EDGE_BENCH.objects[0].bytes) throw new Error(`${this.#bytes} bytes`)
    answered++
    next()
  }
  onResponseError(_controller: unknown, error: Error): void {
    throw error
  }
}

function next(): void {
  if (performance.now() >= until) {
    if (answered === asked) process.stdout.write(`${answered}\n`)
    return
  }
  asked++
  pool.dispatch({ method: 'GET', path: `/assets/product-${asked}.jpg`, headers: HEADERS }, new Handler())
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    asked = answered = 0
    until = performance.now() + Number(line) * 1_000
    for (let n = 0; n < Number(concurrency); n++) next()
  })
  .on('close', () => process.exit(0))
