//! One ACME server, spoken to (RFC 8555 6): directory, nonces, signed requests, and what it says is wrong. It knows nothing
//! of orders. Every request has a deadline on the monotonic clock; a nonce that the server does not take is replaced.
import { getCACertificates } from 'node:tls'
import { type Agent, type Dispatcher, Agent as UndiciAgent } from 'undici'
import type { Clock } from '../../../lib/clock.ts'
import { type AccountKey, type Signer, signedRequest } from './jws.ts'
import { AcmeError, oneLine, type Problem, retryAfterMs } from './problem.ts'

/** Of one request, its answer included. Milliseconds. */
const REQUEST_MS = 30_000
/** Longest answer; a chain of certificates has some 5 KB. Bytes. */
const ANSWER_BYTES_MAX = 1024 * 1024
/** How often a request is signed anew because its nonce was refused (6.5). */
const NONCES_MAX = 10
/** Nonces that are kept for later. */
const NONCES_KEPT = 8

/** What we use of it (7.1.1). URLs. */
export interface Directory {
  readonly newNonce: string
  readonly newAccount: string
  readonly newOrder: string
  readonly meta?: { readonly externalAccountRequired?: boolean; readonly termsOfService?: string }
}

export interface AcmeAnswer {
  readonly status: number
  /** The body, when it is JSON; otherwise null. */
  readonly json: unknown
  readonly text: string
  /** Absolute; null without. */
  readonly location: string | null
  readonly retryAfterMs: number | null
}

export interface AcmeServerOptions {
  /** URL of the directory. */
  readonly directory: string
  /** PEM: authorities that the server may have its own certificate from, besides the public ones. */
  readonly authorities: readonly string[]
  readonly clock: Clock
  /** `cachefront/1.2.3`, as RFC 8555 6.1 wants to know. */
  readonly userAgent: string
}

export class AcmeServer {
  readonly #options: AcmeServerOptions
  readonly #agent: Agent
  readonly #nonces: string[] = []
  #directory: Directory | null = null

  constructor(options: AcmeServerOptions) {
    this.#options = options
    const { authorities } = options
    const ca = authorities.length === 0 ? {} : { ca: [...getCACertificates('default'), ...authorities] }
    this.#agent = new UndiciAgent({ connect: ca, connections: 2, keepAliveTimeout: 5_000, allowH2: false })
  }

  /** Asked for once; anew after `forget`. @throws AcmeError, or Error when it cannot be reached */
  async directory(): Promise<Directory> {
    if (this.#directory !== null) return this.#directory
    const { directory: url } = this.#options
    const { json } = await this.#send(url, { method: 'GET' })
    const found = json as Partial<Directory> | null
    const lacks = (['newNonce', 'newAccount', 'newOrder'] as const).find((name) => typeof found?.[name] !== 'string')
    if (lacks !== undefined) throw new Error(`${url} is no directory of an ACME server: it has no ${lacks}`)
    this.#directory = found as Directory
    return this.#directory
  }

  /** A server that came back may have another directory. */
  forget(): void {
    this.#directory = null
    this.#nonces.length = 0
  }

  /** `payload` undefined is POST-as-GET. @throws AcmeError for what it refuses, Error when it cannot be reached */
  async post(url: string, key: AccountKey, signer: Signer, payload?: unknown): Promise<AcmeAnswer> {
    for (let tries = 1; ; tries++) {
      const nonce = this.#nonces.pop() ?? (await this.#newNonce())
      const body = JSON.stringify(signedRequest(key, signer, { url, nonce }, payload))
      try {
        return await this.#send(url, { method: 'POST', body })
      } catch (error) {
        const isNonce = error instanceof AcmeError && error.type === 'badNonce'
        if (!isNonce || tries >= NONCES_MAX) throw error
      }
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #newNonce(): Promise<string> {
    const { newNonce } = await this.directory()
    await this.#send(newNonce, { method: 'HEAD' })
    const nonce = this.#nonces.pop()
    if (nonce === undefined) throw new Error(`${new URL(newNonce).host} gives no nonces`)
    return nonce
  }

  async #send(url: string, request: { readonly method: Dispatcher.HttpMethod; readonly body?: string }) {
    const { clock, userAgent } = this.#options
    const target = URL.parse(url)
    if (target?.protocol !== 'https:')
      throw new Error(`the ACME server leads to ${oneLine(String(url))}, which is no https URL`)
    const jose = request.body === undefined ? {} : { 'content-type': 'application/jose+json' }
    const answered = await this.#agent
      .request({
        ...request,
        origin: target.origin,
        path: target.pathname + target.search,
        headers: { 'user-agent': userAgent, ...jose },
        signal: AbortSignal.timeout(REQUEST_MS),
      })
      .catch((error: unknown) => {
        throw new Error(`${target.host} cannot be reached: ${words(error)}`)
      })
    const { statusCode: status, headers } = answered
    const nonce = headers['replay-nonce']
    if (typeof nonce === 'string' && this.#nonces.length < NONCES_KEPT) this.#nonces.push(nonce)
    const text = await bounded(answered.body, target.host)
    const retry = retryAfterMs(one(headers['retry-after']), clock.wall())
    const json = /json/.test(one(headers['content-type']) ?? '') ? parsed(text) : null
    if (status >= 400) throw new AcmeError(url, status, (json ?? {}) as Problem, retry)
    if (status >= 300) throw new Error(`${target.host} answered ${status}: no ACME server answers so`)
    const location = one(headers.location)
    return {
      ...{ status, json, text, retryAfterMs: retry },
      location: location === undefined ? null : new URL(location, target).href,
    } satisfies AcmeAnswer
  }
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function bounded(body: Dispatcher.ResponseData['body'], host: string): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > ANSWER_BYTES_MAX) throw new Error(`more than ${ANSWER_BYTES_MAX} bytes`)
      pieces.push(piece)
    }
  } catch (error) {
    body.destroy()
    throw new Error(`the answer of ${host} cannot be used: ${words(error)}`)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** Of a failed connection the code says more than the message. */
function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  if (error.name === 'TimeoutError') return `no answer within ${REQUEST_MS / 1000} s`
  return oneLine(error.message === '' ? (code ?? error.name) : error.message)
}
