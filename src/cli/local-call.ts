//! Calls of `/_cachefront` routes on the API port, signed: beyond loopback most of them ask for it.
import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { type KeyPair, Sha256 } from '../aws/sigv4.ts'
import { uuid } from '../lib/ids.ts'
import { nodeHttp } from '../lib/node-http.ts'
import { CliError, type CliHost } from './host.ts'
import { type ClientOptions, findEndpoint } from './installation-file.ts'

/** Longest wait for an answer: moving the clock waits for every worker, a stop for the drain. Milliseconds. */
const ANSWER_MS = 30_000

export interface LocalAnswer {
  readonly status: number
  readonly document: unknown
}

/** The API that a client command speaks to. */
export interface LocalApi {
  /** `http://address:port` */
  readonly endpoint: string
  readonly credentials: KeyPair
}

/** @throws CliError when nothing was started on this home */
export function findApi(host: CliHost, options: ClientOptions): LocalApi {
  return { endpoint: findEndpoint(host, options), credentials: host.credentials }
}

/**
 * Sends one request; `body` makes it a POST.
 * @throws CliError when nothing answers or the answer is no JSON.
 */
export async function localCall(api: LocalApi, path: string, body?: unknown): Promise<LocalAnswer> {
  const { endpoint } = api
  const url = new URL(path, endpoint)
  const text = body === undefined ? '' : JSON.stringify(body)
  const method = body === undefined ? 'GET' : 'POST'
  const headers = await signed(api.credentials, method, url, text)
  return new Promise((resolve, reject) => {
    const call = nodeHttp().request(url, { method, headers, timeout: ANSWER_MS })
    call.on('timeout', () => call.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)))
    call.on('error', (error) => reject(notAnswering(endpoint, error)))
    call.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', (error) => reject(notAnswering(endpoint, error)))
      response.on('end', () => {
        const content = Buffer.concat(chunks).toString('utf8')
        try {
          resolve({ status: response.statusCode ?? 0, document: JSON.parse(content) })
        } catch {
          reject(new CliError(`${endpoint}${path} answered ${response.statusCode} and no JSON: is it Cachefront?`))
        }
      })
    })
    call.end(text)
  })
}

/** Every name with all its values, as the signature has them. */
function queryOf(url: URL): Record<string, string[]> {
  return Object.fromEntries([...new Set(url.searchParams.keys())].map((name) => [name, url.searchParams.getAll(name)]))
}

/** The headers of the request with its Authorization (SigV4, service `cachefront`, any region). */
async function signed(credentials: KeyPair, method: string, url: URL, body: string): Promise<Record<string, string>> {
  const { SignatureV4 } = await import('@smithy/signature-v4')
  const signer = new SignatureV4({
    credentials,
    region: 'us-east-1',
    service: 'cachefront',
    sha256: Sha256,
    applyChecksum: false,
  })
  const change: Record<string, string> =
    method === 'POST' ? { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) } : {}
  const { headers } = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: queryOf(url),
    // Two calls that are the same to the byte, signed in the same second, would be taken for one (api/replays.ts).
    headers: { host: url.host, 'amz-sdk-invocation-id': uuid(), ...change },
    body,
  })
  return headers
}

/** What a caller without the right keys does next. */
export const KEYS_ADVICE =
  'Set CACHEFRONT_ACCESS_KEY_ID and CACHEFRONT_SECRET_ACCESS_KEY to an access key of the installation.'

/** The document of an answer with a 2xx status. @throws CliError with the route's own words otherwise. */
export async function localDocument(api: LocalApi, path: string, body?: unknown): Promise<unknown> {
  const { status, document } = await localCall(api, path, body)
  if (status >= 200 && status < 300) return document
  throw refused(status, document, path)
}

/** Silence of an answer that comes in lines, after which nobody is thought to be there. Milliseconds. */
const LINE_MS = 30_000

/**
 * Hands on each line of a streamed answer, parsed, as it comes. `body` makes it a POST. @throws CliError with the
 * route's own words for an error, and when the answer breaks off.
 */
export async function localLines(
  api: LocalApi,
  path: string,
  onLine: (line: unknown) => void,
  body?: unknown,
): Promise<void> {
  const response = await localBody(api, path, body)
  try {
    for await (const line of createInterface({ input: response })) onLine(JSON.parse(line))
    if (!response.complete) throw new Error('the answer broke off')
  } catch (error) {
    throw new CliError(`${path}: ${(error as Error).message}; see the log of control.`)
  }
}

/** A streamed answer; whoever reads it checks that it is `complete`. @throws CliError with the route's words for an error */
export async function localBody(api: LocalApi, path: string, body?: unknown): Promise<IncomingMessage> {
  const url = new URL(path, api.endpoint)
  const text = body === undefined ? '' : JSON.stringify(body)
  const method = body === undefined ? 'GET' : 'POST'
  const headers = await signed(api.credentials, method, url, text)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const call = nodeHttp().request(url, { method, headers, timeout: LINE_MS })
    call.on('timeout', () => call.destroy(new Error(`nothing came for ${LINE_MS / 1000} s`)))
    call.on('error', (error) => reject(notAnswering(api.endpoint, error)))
    call.on('response', resolve)
    call.end(text)
  })
  if (response.statusCode !== 200) throw refused(response.statusCode ?? 0, await wholeOf(response), path)
  return response
}

async function wholeOf(response: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function refused(status: number, document: unknown, path: string): CliError {
  const said = (document as { error?: unknown; message?: unknown } | null) ?? {}
  const why = String(said.error ?? said.message ?? `${path} answered ${status}`)
  return new CliError(status === 403 ? `${why} ${KEYS_ADVICE}` : why)
}

function notAnswering(endpoint: string, error: Error): CliError {
  const { code } = error as NodeJS.ErrnoException
  const why = code === 'ECONNREFUSED' || code === 'ENOENT' ? 'nothing listens there' : error.message
  return new CliError(`${endpoint} does not answer: ${why}. Start it with \`cachefront up\`.`)
}
