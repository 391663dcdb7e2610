//! CloudFront's redirect to HTTPS (spec/cloudfront.md 3.1 step 8, 14), as it is seen on the wire.
import { type Answerer, reasonPhrase } from './error-page.ts'

export interface Redirect {
  readonly status: 301 | 307
  readonly location: string
  /** X-Amz-Cf-Id of the answer. */
  readonly requestId: string
}

/**
 * Status of the redirect: a viewer keeps its method after a 307 alone, and one of HTTP/1.0 knows none. Null when the
 * request is refused instead.
 */
export function redirectStatus(method: string, httpVersion: string): Redirect['status'] | null {
  if (method === 'GET' || method === 'HEAD') return 301
  return httpVersion === '1.0' ? null : 307
}

/** `port` of the HTTPS listener, which is named unless it is HTTPS's own; `path` and `query` go back as they were sent. */
export function httpsLocation(host: string, port: number, path: string, query: string | null): string {
  return `https://${host}${port === 443 ? '' : `:${port}`}${path}${query === null ? '' : `?${query}`}`
}

export function redirectBody(status: Redirect['status']): string {
  const title = `${status} ${reasonPhrase(status)}`
  return `<html>\r
<head><title>${title}</title></head>\r
<body>\r
<center><h1>${title}</h1></center>\r
<hr><center>CloudFront</center>\r
</body>\r
</html>\r
`
}

/** Head text with its final empty line; `closes` adds `Connection: close`. */
export function redirectHead(
  { status, location, requestId }: Redirect,
  { via, pop, date }: Answerer,
  bodyLength: number,
  closes: boolean,
): string {
  return `HTTP/1.1 ${status} ${reasonPhrase(status)}\r
Server: CloudFront\r
Date: ${date}\r
Content-Type: text/html\r
Content-Length: ${bodyLength}\r
Connection: ${closes ? 'close' : 'keep-alive'}\r
Location: ${location}\r
X-Cache: Redirect from cloudfront\r
Via: ${via}\r
X-Amz-Cf-Pop: ${pop}\r
X-Amz-Cf-Id: ${requestId}\r
\r
`
}
