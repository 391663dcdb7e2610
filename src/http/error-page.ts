//! The pages and heads that CloudFront itself answers with (spec/cloudfront.md 14). One template, one table of texts.

/** What a page generated at the edge says; `reason` is one sentence for people, already safe for HTML. */
export interface ErrorPage {
  /** HTTP status, 400-599. */
  readonly status: number
  readonly reason: string
  /** X-Amz-Cf-Id of the answer. */
  readonly requestId: string
}

/** Reason phrases of the statuses that the edge generates or relays without one (RFC 9110 15, RFC 6585). */
const PHRASES: Readonly<Record<number, string>> = {
  100: 'Continue',
  102: 'Processing',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  // Not an IANA status: CloudFront answers it to a header block that is too large (spec 3.1).
  494: 'Request Header Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

/** Reason phrase of a status; `Unknown` for one that has none. */
export function reasonPhrase(status: number): string {
  return PHRASES[status] ?? 'Unknown'
}

/** Sentences that several places answer with, by what happened. */
export const REASONS = {
  badRequest: 'Bad request.',
  blocked: 'Request blocked.',
  webAcl: 'The web ACL of this distribution cannot be evaluated at this edge, so that no request is let through.',
  country: 'The Amazon CloudFront distribution is configured to block access from your country.',
  noGeoip:
    'This distribution is restricted to countries, and the edge has no GeoIP database to tell them by: its operator installs one (docs/geo-restriction.md).',
  misdirected: 'The connection was made for another name, which has another certificate or security policy.',
  malformed: 'Bad request. The request is not well-formed HTTP, so it was not forwarded.',
  uriTooLong: 'Bad request. The URL is longer than 8,192 bytes.',
  headersTooLarge: 'Bad request. The request line and headers are larger than 32,768 bytes.',
  timeout: 'Bad request. The request did not arrive in time.',
  expectation: 'Bad request. Only the expectation 100-continue is supported.',
  method: 'This distribution is not configured to allow the HTTP request method that was used for this request.',
  onlyIfCached: 'The request asks for a stored answer, and there is none that may be used.',
  precondition: 'The object is not, or no longer, in the state that the request asks for.',
  range: 'The object has no bytes in the range that the request asks for.',
  getWithBody: 'Bad request. A GET request must not have a body.',
  originConnect: "We can't connect to the server for this app or website at this time.",
  originResolve: "CloudFront wasn't able to resolve the origin domain name.",
  originInvalid: "CloudFront wasn't able to use the response of the origin.",
  originRefused: 'The origin of this distribution may not be reached from this edge.',
  originTimeout: "The origin didn't answer in time.",
  s3Keys:
    'The edge has no keys to sign requests for the bucket of this distribution with: its operator sets CACHEFRONT_S3_ACCESS_KEY_ID and CACHEFRONT_S3_SECRET_ACCESS_KEY.',
  s3Key: 'Bad request. The path leads out of the bucket.',
  s3Length: 'An upload to S3 needs a Content-Length.',
  loop: 'The request travelled through too many distributions.',
  internal: 'The edge could not complete this request.',
  tooMany: 'Too many requests from this address.',
  capacity: 'The edge has more requests than it can answer just now.',
  draining: 'The edge is shutting down.',
} as const

/** The HTML document of a generated error; ASCII only, so that its length in characters is its length in bytes. */
export function errorPageBody(page: ErrorPage): string {
  return `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">
<HTML><HEAD><META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=iso-8859-1">
<TITLE>ERROR: The request could not be satisfied</TITLE>
</HEAD><BODY>
<H1>${page.status} ERROR</H1>
<H2>The request could not be satisfied.</H2>
<HR noshade size="1px">
${page.reason}
${adviceFor(page.status)}
<BR clear="all">
If you run this website, the trace of this request (cachefront explain) shows which step answered, and why.
<BR clear="all">
<HR noshade size="1px">
<PRE>
Generated by cloudfront (CloudFront)
Request ID: ${page.requestId}
</PRE>
<ADDRESS>
</ADDRESS>
</BODY></HTML>`
}

function adviceFor(status: number): string {
  if (status >= 500) return 'Something between this edge and the origin failed. Trying again in a moment may help.'
  if (status === 429) return 'Fewer requests at a time are answered.'
  if (status === 421) return 'Over a new connection, made for the name of this request, it is answered.'
  if (status === 412 || status === 416)
    return 'Ask for the object without a condition or a range to see what it is now.'
  return 'The edge answered without asking the origin. Sending the same request again will not help.'
}

/** Who answers: these become Via, X-Amz-Cf-Pop and X-Amz-Cf-Id of a generated answer (spec 6.4). */
export interface Answerer {
  /** Whole value of Via, e.g. `1.1 0a1b....cloudfront.net (CloudFront)`. */
  readonly via: string
  /** POP code, e.g. `FRA50-C1`. */
  readonly pop: string
  /** Whole value of Date (RFC 9110 6.6.1). */
  readonly date: string
}

/**
 * Head text (with its final empty line) of a generated error. `bodyLength`: null for a status that has no body. `closes`
 * adds `Connection: close`; `xCache` is the token before ` from cloudfront` (spec 6.5).
 */
export function errorPageHead(
  page: ErrorPage,
  answerer: Answerer,
  bodyLength: number | null,
  closes: boolean,
  xCache = 'Error',
  contentType = 'text/html',
): string {
  return `HTTP/1.1 ${page.status} ${reasonPhrase(page.status)}\r
Server: CloudFront\r
Date: ${answerer.date}\r
${bodyLength === null ? '' : `Content-Type: ${contentType}\r\nContent-Length: ${bodyLength}\r\n`}Connection: ${closes ? 'close' : 'keep-alive'}\r
X-Cache: ${xCache} from cloudfront\r
Via: ${answerer.via}\r
X-Amz-Cf-Pop: ${answerer.pop}\r
X-Amz-Cf-Id: ${page.requestId}\r
\r
`
}
