//! Requests to the API as no SDK would send them: any header, any body, any path.
import { request } from 'node:http'
import { connect } from 'node:net'

export interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** The error's code, from XML or JSON; null when there is none. */
  readonly code: string | null
}

export function send(port: number, { method = 'GET', path = '/', headers = {}, body }: Sent): Promise<Received> {
  return new Promise((resolve, reject) => {
    const length: Record<string, number> = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
    const options = { host: '127.0.0.1', port, method, path, headers: { ...length, ...headers }, agent: false }
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text, code: codeOf(text) })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function codeOf(text: string): string | null {
  return /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? /"code":"([^"]*)"/.exec(text)?.[1] ?? null
}

/** A well-formed Authorization header of nobody in particular, as loopback accepts it. */
export function anyAuthorization(service: string, accessKeyId = 'test'): Record<string, string> {
  const credential = `${accessKeyId}/20260131/us-east-1/${service}/aws4_request`
  const signature = '0'.repeat(64)
  return {
    Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    'X-Amz-Date': '20260131T123456Z',
  }
}

export const FORM = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' }

/** Sends bytes as they are and reads until the server closes; the status of the answer. */
export function statusOfRaw(port: number, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)))
  })
}
