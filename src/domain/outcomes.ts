//! The words for what became of a viewer request. The same word stands in X-Cache, the access log, counters, traces and
//! tests; a new outcome is a new word here, or in result-types.ts.
import type { CompressionSkipped, ContentCoding } from '../http/compressible.ts'
import type { FreshnessReason } from '../http/freshness.ts'

/** Why a request was not answered from the cache. */
export type MissReason =
  | 'absent'
  | 'expired'
  | 'invalidated'
  | 'caching-disabled'
  | 'method-not-cached'
  /** The body may change the answer, and no key has it. */
  | 'request-body'
  /** A Range request whose object is not in the cache is handed to the origin and its part is not kept. */
  | 'range-not-cached'
  /** Strict mode: the viewer's `Cache-Control: no-store`. */
  | 'request-no-store'
  /** A WebSocket is no object. */
  | 'upgrade'
  /** A call of gRPC is none either. */
  | 'grpc'

/** Why the origin's answer was not kept: the rules of freshness (http/freshness.ts), or one of the edge's own. */
export type NotStoredReason =
  | FreshnessReason
  | 'method-not-cached'
  | 'request-body'
  | 'range-not-cached'
  | 'request-no-store'
  | 'upgrade'
  | 'grpc'
  | 'head-answer'
  | 'over-object-limit'
  /** The answers under way took all the memory that there is for them. */
  | 'memory-short'
  /** Fresh for no time, and without a validator there is nothing to ask the origin about later. */
  | 'no-validator'
  /** An error that may be due to what only this viewer sent: fields that no key has, in such numbers (CPDoS). */
  | 'unkeyed-headers'
  /** The viewer's Authorization, which no key has, kept the edge from signing the request (OAC `no-override`). */
  | 'unkeyed-authorization'

/** Why an object was served that was not fresh any more. It is a Hit all the same (spec/cloudfront.md 5.2). */
export type StaleReason =
  /** RFC 5861 3: while the edge asks for its successor. */
  | 'stale-while-revalidate'
  /** Strict mode: the viewer's `Cache-Control: max-stale` takes it. */
  | 'max-stale'
  /** After a soft invalidation, while the edge asks for its successor. */
  | 'soft-invalidated'
  /** The origin was asked and failed. */
  | 'origin-failed'
  /** The worker has too much to do to ask the origin (edge/shield/). */
  | 'shed'

/** What became of the wish to refresh a stale object while it is served. After all but the last it may be served. */
export type RefreshOutcome =
  | 'begun'
  /** A fetch of this key is under way already. */
  | 'under-way'
  /** The last one came to nothing; the origin is left alone for ErrorCachingMinTTL. */
  | 'backing-off'
  /** The worker has too much to do. */
  | 'shed'
  | 'too-many'

/** What became of the body of an answer for a viewer that takes it compressed (spec/cloudfront.md 5.8). */
export type CompressionOutcome =
  | ContentCoding
  | CompressionSkipped
  /** Too much was being compressed already. */
  | 'busy'

/** Where a request waited for its answer. */
export type Tier = 'memory' | 'disk' | 'collapsed' | 'owner' | 'regional' | 'shield' | 'origin' | 'edge'

/**
 * The layer of the network whose cache had the answer, or that asked the origin for it: `cdn-hit-layer` and
 * `cdn-upstream-layer` of Server-Timing (spec/cloudfront.md 4.9).
 */
export type Layer = 'EDGE' | 'REC' | 'Origin Shield'

/** What went wrong between the edge and an origin. */
export type OriginFailureKind =
  | 'dns'
  | 'refused'
  | 'connect-timeout'
  | 'forbidden-address'
  | 'tls'
  | 'read-timeout'
  | 'completion-timeout'
  | 'reset'
  | 'invalid-response'
  | 'header-too-big'
  /** The connection broke while the request's body was being sent. */
  | 'write'
  /** 206 or 304 to a request that did not ask for it. */
  | 'unasked'
  /** Content-Length and Content-Range do not say the same. */
  | 'range-length'
  /** A slice of a large object was asked for, and the origin has another version of it, or none. */
  | 'object-changed'
  /** A slice was asked for, and the origin sent something else, or did not say of what version it is. */
  | 'range-refused'
  /** A folder that there is not, or that cannot be read. */
  | 'folder'
  /** The origin's access wants a signature, and the operator has given no keys for one. */
  | 's3-keys'
  /** No bucket has a key of this name: the path leads out of it. */
  | 's3-key'
  /** An upload to S3 without a length. */
  | 's3-length'

/** Why the secondary of an origin group was asked: the primary answered with a status that the group lists, or failed. */
export type FailoverReason = 'status' | OriginFailureKind
