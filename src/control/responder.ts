//! Asks an OCSP responder over HTTP (RFC 6960 A.1). Its address is what a certificate says, and whoever may call the API
//! brings certificates: only addresses that may be origins (edge/origin/guard.ts) are connected to, nothing is followed
//! elsewhere, and what comes back is bounded.
import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, type Dispatcher } from 'undici'
import type { AddressGuard } from '../edge/origin/guard.ts'

/** Longest wait for the whole answer. Milliseconds. */
const ASK_MS = 10_000
/** A response has 500 to 2,500 bytes. */
const ANSWER_BYTES_MAX = 65_536

export interface ResponderOptions {
  readonly guard: AddressGuard
  /** Ends what is under way. */
  readonly signal: AbortSignal
}

/** DER of the answer, which nobody has verified. @throws Error that says to a person what is wrong */
export async function askResponder(
  url: string,
  question: Buffer,
  { guard, signal }: ResponderOptions,
): Promise<Uint8Array> {
  const { hostname, port, protocol } = new URL(url)
  const to = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
  const literal = hostname.replace(/^\[|\]$/g, '')
  const refusal = isIP(literal) === 0 ? null : guard.refusal(literal, to)
  if (refusal !== null) throw new Error(refusal)
  const agent = new Agent({ connect: { lookup: guardedLookup(guard, to), timeout: ASK_MS }, allowH2: false })
  try {
    return await read(agent, url, question, AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]))
  } catch (error) {
    throw new Error(reasonOf(error as NodeJS.ErrnoException), { cause: error })
  } finally {
    void agent.destroy().catch(() => {})
  }
}

async function read(agent: Agent, url: string, body: Buffer, signal: AbortSignal): Promise<Uint8Array> {
  const { origin, pathname, search } = new URL(url)
  const answer: Dispatcher.ResponseData = await agent.request({
    ...{ origin, path: `${pathname}${search}`, method: 'POST', body, signal },
    headers: { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' },
  })
  if (answer.statusCode !== 200) throw new Error(`it answers ${answer.statusCode}`)
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
    bytes += piece.length
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`its answer has more than ${ANSWER_BYTES_MAX} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** The addresses that are connected to are those that were looked at: no second answer of DNS comes between. */
const guardedLookup =
  (guard: AddressGuard, port: number): LookupFunction =>
  (hostname, options, done) => {
    lookup(hostname, { all: true, family: options.family === 6 ? 6 : options.family === 4 ? 4 : 0 }).then(
      (found) => {
        const allowed = found.filter(({ address }) => guard.refusal(address, port) === null)
        const [first] = allowed
        if (first === undefined) {
          done(new Error(guard.refusal(found[0]?.address ?? hostname, port) ?? `${hostname} has no address`), '', 0)
        } else if (options.all) done(null, allowed)
        else done(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    )
  }

function reasonOf({ name, code, message }: NodeJS.ErrnoException): string {
  if (name === 'TimeoutError') return `it does not answer within ${ASK_MS / 1000} s`
  return code === undefined || message.includes(code) ? message : `${message} (${code})`
}
