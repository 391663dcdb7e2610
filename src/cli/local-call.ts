//! Calls of `/_cachefront` routes on the API port.
import { request } from 'node:http'
import { CliError } from './host.ts'

/** Longest wait for an answer: moving the clock waits for every worker, a stop for the drain. Milliseconds. */
const ANSWER_MS = 30_000

export interface LocalAnswer {
  readonly status: number
  readonly document: unknown
}

/**
 * Sends one request; `body` makes it a POST.
 * @throws CliError when nothing answers or the answer is no JSON.
 */
export function localCall(endpoint: string, path: string, body?: unknown): Promise<LocalAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, endpoint), {
      method: text === undefined ? 'GET' : 'POST',
      headers:
        text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      timeout: ANSWER_MS,
    })
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

/** The document of an answer with a 2xx status. @throws CliError with the route's own words otherwise. */
export async function localDocument(endpoint: string, path: string, body?: unknown): Promise<unknown> {
  const { status, document } = await localCall(endpoint, path, body)
  if (status >= 200 && status < 300) return document
  const said = (document as { error?: unknown; message?: unknown } | null) ?? {}
  throw new CliError(String(said.error ?? said.message ?? `${path} answered ${status}`))
}

function notAnswering(endpoint: string, error: Error): CliError {
  const { code } = error as NodeJS.ErrnoException
  const why = code === 'ECONNREFUSED' || code === 'ENOENT' ? 'nothing listens there' : error.message
  return new CliError(`${endpoint} does not answer: ${why}. Start it with \`cachefront up\`.`)
}
