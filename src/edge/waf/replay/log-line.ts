//! A line of a log to the request that it tells of, as far as it tells it: CloudFront's standard access log (spec/cloudfront.md
//! 12.4), whose fields a `#Fields:` line names, and logs of web ACLs (JSON).
import { unframedHeaders } from '../../listen/header-block.ts'
import type { InspectedRequest } from '../inspected.ts'

export interface LoggedRequest {
  readonly request: InspectedRequest
  readonly address: string
  /** Milliseconds since the epoch; null for a line without a time that makes sense. */
  readonly at: number | null
  readonly requestId: string
  /** Status that the viewer got; 0 where the log does not tell it. */
  readonly status: number
}

/** What lines of the access log have before a `#Fields:` line says otherwise: those that rules can look at. */
const FIRST_FIELDS =
  'date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version'

export class LogReader {
  #fields: readonly string[] = FIRST_FIELDS.split(' ')

  /** Null for a line that tells of no request: a comment; undefined for one that makes no sense. */
  read(line: string): LoggedRequest | null | undefined {
    if (line === '') return null
    if (line.startsWith('#')) {
      if (line.startsWith('#Fields:')) this.#fields = line.slice('#Fields:'.length).trim().split(/\s+/)
      return null
    }
    return line.startsWith('{') ? fromJson(line) : this.#fromFields(line.split('\t'))
  }

  #fromFields(values: readonly string[]): LoggedRequest | undefined {
    const field = (name: string): string | null => {
      const value = values[this.#fields.indexOf(name)]
      return value === undefined || value === '-' ? null : unescaped(value)
    }
    const [method, path, address] = [field('cs-method'), field('cs-uri-stem'), field('c-ip')]
    if (method === null || path === null || address === null || !path.startsWith('/')) return undefined
    const host = field('x-host-header') ?? field('cs(Host)') ?? ''
    const headers = [
      ['Host', host],
      ['User-Agent', field('cs(User-Agent)')],
      ['Referer', field('cs(Referer)')],
      ['Cookie', field('cs(Cookie)')],
      ['X-Forwarded-For', field('x-forwarded-for')],
    ].flatMap(([name, value]) => (value === null || value === '' ? [] : [name as string, value as string]))
    const at = Date.parse(`${field('date')}T${field('time')}Z`)
    return {
      request: {
        method,
        path,
        query: field('cs-uri-query'),
        httpVersion: versionOf(field('cs-protocol-version') ?? ''),
        headers: unframedHeaders(headers, host),
      },
      address,
      at: Number.isNaN(at) ? null : at,
      requestId: field('x-edge-request-id') ?? '',
      status: Number(field('sc-status') ?? 0),
    }
  }
}

/** Once: a percent sign of the request itself is escaped, too. One character a byte. */
const unescaped = (value: string): string =>
  value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

function versionOf(text: string): InspectedRequest['httpVersion'] {
  if (text.includes('2')) return '2.0'
  return text.endsWith('1.0') ? '1.0' : '1.1'
}

interface WafLine {
  readonly timestamp?: unknown
  readonly responseCodeSent?: unknown
  readonly action?: unknown
  readonly httpRequest?: {
    readonly clientIp?: unknown
    readonly uri?: unknown
    readonly args?: unknown
    readonly httpVersion?: unknown
    readonly httpMethod?: unknown
    readonly requestId?: unknown
    readonly headers?: unknown
  }
}

const STATUS_OF_ACTION: Readonly<Record<string, number>> = { BLOCK: 403, CAPTCHA: 405, CHALLENGE: 202 }

function fromJson(line: string): LoggedRequest | undefined {
  let document: WafLine
  try {
    document = JSON.parse(line) as WafLine
  } catch {
    return undefined
  }
  const { httpRequest: seen, timestamp, action, responseCodeSent } = document
  if (typeof seen?.clientIp !== 'string' || typeof seen.uri !== 'string' || typeof seen.httpMethod !== 'string')
    return undefined
  const headers = Array.isArray(seen.headers) ? seen.headers.flatMap(pairOf) : []
  const hostAt = headers.findIndex((text, at) => at % 2 === 0 && text.toLowerCase() === 'host')
  const query = typeof seen.args === 'string' && seen.args !== '' ? seen.args : null
  return {
    request: {
      method: seen.httpMethod,
      path: seen.uri,
      query,
      httpVersion: versionOf(String(seen.httpVersion ?? '')),
      headers: unframedHeaders(headers, hostAt < 0 ? '' : (headers[hostAt + 1] as string)),
    },
    address: seen.clientIp,
    at: typeof timestamp === 'number' ? timestamp : null,
    requestId: String(seen.requestId ?? ''),
    status: typeof responseCodeSent === 'number' ? responseCodeSent : (STATUS_OF_ACTION[String(action)] ?? 0),
  }
}

function pairOf(header: unknown): readonly string[] {
  const { name, value } = (header ?? {}) as { readonly name?: unknown; readonly value?: unknown }
  return typeof name === 'string' && typeof value === 'string' ? [name, value] : []
}
