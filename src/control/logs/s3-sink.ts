//! Logs in an S3 bucket: an object for each batch, `<prefix>/<log stream>/<mark>.log`. The mark makes a repetition after a
//! crash the same object.
import { Sha256 } from '../../aws/sigv4.ts'
import type { LogDestination } from '../../domain/log-destination.ts'
import type { LogBatch, LogSink, S3Options } from './sink.ts'

/** Longest wait for an answer. Milliseconds. */
const ANSWER_MS = 10_000

export class S3Sink implements LogSink {
  readonly #destination: Extract<LogDestination, { kind: 's3' }>
  readonly #options: S3Options

  constructor(destination: Extract<LogDestination, { kind: 's3' }>, options: S3Options) {
    this.#destination = destination
    this.#options = options
  }

  async check(): Promise<void> {
    await this.#call('HEAD', '', '')
  }

  async deliver({ stream, lines, mark }: LogBatch): Promise<void> {
    const { prefix } = this.#destination
    await this.#call('PUT', `${prefix === '' ? '' : `${prefix}/`}${stream}/${mark}.log`, `${lines.join('\n')}\n`)
  }

  async #call(method: 'HEAD' | 'PUT', key: string, body: string): Promise<void> {
    const { endpoint, region, keys } = this.#options
    if (keys === null) throw new Error('there are no keys for S3: set CACHEFRONT_S3_ACCESS_KEY_ID and its secret')
    const base = (endpoint ?? `https://s3.${region}.amazonaws.com`).replace(/\/+$/, '')
    const path = [this.#destination.bucket, ...key.split('/')].map(encodeURIComponent).join('/')
    const url = new URL(`${base}/${path}`)
    const { SignatureV4 } = await import('@smithy/signature-v4')
    const signer = new SignatureV4({
      credentials: keys,
      region,
      service: 's3',
      sha256: Sha256,
      uriEscapePath: false,
    })
    const { headers } = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers: { host: url.host, ...(method === 'PUT' ? { 'content-type': 'text/plain; charset=utf-8' } : {}) },
      body,
    })
    const { host: _, ...sent } = headers
    const answer = await fetch(url, {
      method,
      headers: sent,
      ...(method === 'PUT' ? { body } : {}),
      signal: AbortSignal.timeout(ANSWER_MS),
    }).catch((error: Error) => {
      throw new Error(`${url.origin}: ${(error.cause as Error | undefined)?.message ?? error.message}`)
    })
    await answer.body?.cancel()
    if (!answer.ok)
      throw new Error(`${url.origin} answered ${answer.status} for the bucket ${this.#destination.bucket}`)
  }
}
