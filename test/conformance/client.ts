//! `fetch` as the suite's client calls it, over node:http: a browser-like fetch would add Cache-Control to conditional
//! requests and follow redirects, and the names of distributions need not resolve.
import { type IncomingHttpHeaders, request } from 'node:http'

export interface SuiteRequest {
  readonly method?: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

export type InterimResponse = readonly [status: number, headers: IncomingHttpHeaders]

export interface SuiteResponse {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  /** Those with a status below 200 that came before; later editions of the suite look at them. */
  readonly interimResponses: readonly InterimResponse[]
  text(): Promise<string>
}

export type SuiteFetch = (url: string, init?: SuiteRequest) => Promise<SuiteResponse>

/** An answer that has not come by then does not come. Milliseconds. */
const ANSWER_MS = 20_000

/** Each request has a connection of its own; all say that they are for `host`. */
export function clientFor(host: string): SuiteFetch {
  return (url, init = { headers: [] }) =>
    new Promise((resolve, reject) => {
      const headers = ['Host', host, 'User-Agent', 'http-cache-tests', 'Accept', '*/*']
      for (const [name, value] of init.headers) headers.push(name, `${value}`)
      const { body = '' } = init
      if (body !== '') headers.push('Content-Length', `${Buffer.byteLength(body)}`)
      const interimResponses: InterimResponse[] = []
      const call = request(
        url,
        { method: init.method ?? 'GET', headers, agent: false, timeout: ANSWER_MS },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              statusText: response.statusMessage ?? '',
              headers: headersOf(response.rawHeaders),
              interimResponses,
              text: async () => Buffer.concat(chunks).toString(),
            }),
          )
        },
      )
      call.on('information', ({ statusCode, headers }) => interimResponses.push([statusCode, headers]))
      call.on('timeout', () => call.destroy(new Error(`no answer within ${ANSWER_MS} ms`)))
      call.on('error', reject)
      call.end(body)
    })
}

function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers()
  for (let i = 0; i < raw.length; i += 2) headers.append(raw[i] as string, raw[i + 1] as string)
  return headers
}
