//! The words of the access log for what became of a request (spec/cloudfront.md 12.4), each with when the edge writes it.
//! The types are made of the tables, docs/access-log.md is printed from them, and a test brings each word about.

/** x-edge-result-type and x-edge-response-result-type; X-Cache has the same word, followed by ` from cloudfront` (6.5). */
export const RESULT_TYPES = {
  Hit: 'from the cache, also when it was stale and could be served',
  RefreshHit: 'it had expired, and the origin confirmed it (304)',
  Miss: 'from the origin',
  Error: 'an error status, of the origin or of the edge, or an answer that broke off',
  Redirect: 'from HTTP to HTTPS, as the viewer protocol policy says',
  LimitExceeded: 'the viewer’s address asks too often (429)',
  CapacityExceeded: 'the worker has more to do than it can, and this was no hit (503)',
} as const satisfies Readonly<Record<string, string>>

/** x-edge-detailed-result-type, besides the words above. */
export const DETAILED_TYPES = {
  OriginShieldHit: 'a Hit in the cache of the origin’s shield',
  AbortedOrigin: 'the origin broke its answer off after it had begun',
  ClientCommError: 'the viewer left before the end of the answer',
  ClientGeoBlocked: 'the distribution’s geo restriction blocks the viewer’s country',
  ClientHungUpRequest: 'the viewer left, or stopped for too long, before the end of its request',
  InternalError: 'a fault of the edge’s own (500)',
  InvalidRequest:
    'no such distribution, HTTP where HTTPS is demanded, a body where none may be, a form that field-level encryption refuses, a request in a circle',
  InvalidRequestBlocked: 'blocked by the web ACL',
  InvalidRequestCertificate:
    'the connection was made under another certificate, security policy or client certificate than the distribution has (421)',
  InvalidRequestHeader: 'a header field that is malformed or contradicts another one (400, 417)',
  InvalidRequestMethod: 'a method that the behavior does not allow',
  OriginCommError: 'the connection to the origin broke, or timed out within the answer',
  OriginConnectError: 'the origin could not be connected to, or may not be',
  OriginContentRangeLengthError: 'Content-Length and Content-Range of the origin’s answer contradict each other',
  OriginDnsError: 'the origin’s name could not be resolved',
  OriginError:
    'well-formed HTTP that is no answer to what was asked: an unasked 206 or 304, another version of a large object',
  OriginHeaderTooBigError: 'the header of the origin’s answer is over 32 KiB',
  OriginInvalidResponseError: 'what the origin sent is not HTTP',
  OriginReadError: 'the origin did not answer in time',
  OriginWriteError: 'the origin broke the connection while it was being sent the request’s body',
  OriginZeroSizeObjectError: 'a range was asked for, and the origin’s object has no bytes at all (416)',
  SlowReaderOriginError: 'the viewer read so slowly that the rest of the origin’s answer was no longer to be had',
} as const satisfies Readonly<Record<string, string>>

/** Words of CloudFront that nothing here can bring about, and why. */
export const UNUSED_TYPES = {
  MissGeneratedResponse: 'needs Lambda@Edge, which is not built',
  LambdaExecutionError: 'needs Lambda@Edge, which is not built',
  LambdaLimitExceeded: 'needs Lambda@Edge, which is not built',
  LambdaValidationError: 'needs Lambda@Edge, which is not built',
  LambdaGeneratedResponse: 'needs Lambda@Edge, which is not built',
  FunctionGeneratedResponse: 'needs CloudFront Functions, which are not built',
  FunctionExecutionError: 'needs CloudFront Functions, which are not built',
  FunctionThrottledError: 'needs CloudFront Functions, which are not built',
  FunctionValidationError: 'needs CloudFront Functions, which are not built',
} as const satisfies Readonly<Record<string, string>>

export type ResultType = keyof typeof RESULT_TYPES
export type DetailedResultType = ResultType | keyof typeof DETAILED_TYPES

/** An answer that went out with another result breaks off for one of these: from then on its result is Error. */
export type BreakOff =
  | 'AbortedOrigin'
  | 'ClientCommError'
  | 'ClientHungUpRequest'
  | 'OriginCommError'
  | 'SlowReaderOriginError'
