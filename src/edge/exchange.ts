//! All that one viewer request learns on its way through the table. Every field exists from birth, so that all exchanges
//! have one shape; each is set by the stage named in its comment and read by later ones.
import type { FieldStatus } from '../domain/field-encryption.ts'
import type {
  CompressionOutcome,
  FailoverReason,
  Layer,
  MissReason,
  NotStoredReason,
  OriginFailureKind,
  StaleReason,
  Tier,
} from '../domain/outcomes.ts'
import type { BreakOff, DetailedResultType, ResultType } from '../domain/result-types.ts'
import { NOWHERE, type ViewerLocation } from '../domain/viewer.ts'
import type { ByteRange } from '../http/range.ts'
import type { TraceBuilder, TracePart } from '../observe/trace.ts'
import type { Answer, Flight } from './cache/flight.ts'
import type { StoredObject } from './cache/object.ts'
import type { SliceAsked } from './cache/slices.ts'
import type { HeldBytes } from './fields/body.ts'
import type { RequestBudget, ViewerReply, ViewerRequest } from './listen/viewer.ts'
import type { FetchTimes, OriginRequest } from './origin/attempts.ts'
import type { Place } from './places.ts'
import type { BehaviorPlan, DistributionPlan, ErrorPagePlan, Snapshot } from './snapshot/snapshot.ts'
import type { SeenViewer } from './viewer/trusted-proxies.ts'
import { viewerFacts } from './viewer-facts.ts'

/** What goes out for a fault in place of the edge's HTML page. */
export interface OwnAnswer {
  readonly contentType: string
  /** One character a byte. */
  readonly body: string
  /** Further fields, name and value: already safe for a head. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** An answer that the edge makes itself: an error page, or a refusal with words of its own. */
export interface EdgeFault {
  readonly status: number
  /** One sentence for people. */
  readonly reason: string
  readonly detailed: DetailedResultType
  /** What the origin did wrong; null when no origin was asked. */
  readonly origin: OriginFailureKind | null
  /** Seconds after which it may be worth asking again (RFC 9110 10.2.3). */
  readonly retryAfterS?: number
  /** Of a 416: bytes of the object. */
  readonly objectBytes?: number
  /** This request may have brought it about alone: nobody else is told of it. */
  readonly ownOnly?: true
  /** Absent for the edge's HTML page. */
  readonly answer?: OwnAnswer
  /** No custom error page stands in for it: it asks something of the viewer (a challenge), or is a custom response. */
  readonly noPage?: true
}

/**
 * The other end when no viewer asks: a peer worker, which asks us as the owner of the key, or a viewer's request of this
 * worker, which asks for a slice.
 */
export interface PeerAnswer {
  /** True for a peer worker: it asked the owner of the key, and nobody else is to be asked but the origin. */
  readonly remote: boolean
  /** Tells the peer what kind of answer follows, before the reply is used. */
  announce(answer: Answer, told: Told): void
  /** Nobody else is to wait for this answer; before `announce`. Absent where nobody else can. */
  alone?(): void
  fault(fault: EdgeFault, told: Told): void
  /** An interim answer of the origin, as it came; before `announce`. Absent where nobody wants them. */
  hint?(status: number, headers: readonly string[]): void
}

/** A custom error page takes the place of an error; while it is fetched no other page can. */
export interface PageInstead {
  readonly plan: ErrorPagePlan
  /** What the error was called before. */
  readonly detailed: DetailedResultType
  /** That of the path that the viewer asked for; null when it came to none. */
  readonly behavior: BehaviorPlan | null
}

/** The request to the origin that an answer comes from: by whom it was made, and what it took. */
export interface Upstream extends FetchTimes {
  readonly layer: Layer
}

/** How an answer came about, for a peer that asked (explain.ts, toldOf). */
export interface Told {
  readonly result: ResultType
  readonly layer: Layer
  readonly upstream: Upstream | null
  /** Null when nobody asks for an explanation. */
  readonly trace: TracePart | null
}

/** Why the edge asks something of itself, with no viewer and no peer waiting for the bytes on a connection. */
export type InnerPurpose =
  /** A stale object that was served is fetched or revalidated. */
  | 'refresh'
  /** One slice of a large object. */
  | 'slice'
  /** Another worker hands over what this one is to keep. */
  | 'handed-over'

export class Exchange {
  /** What is asked for; custom-error puts the request for a page here. */
  request: ViewerRequest
  /** What the viewer sent: for the log. */
  readonly viewerRequest: ViewerRequest
  readonly reply: ViewerReply
  /** Null for a viewer's own request. */
  readonly peer: PeerAnswer | null
  /** Null for a viewer's and for a peer's request. Inner ones are neither logged nor counted as requests. */
  readonly inner: InnerPurpose | null
  /** The slice of a large object that is asked for, by a viewer's request of ours or by a peer; null for a whole object. */
  readonly slice: SliceAsked | null
  /** The version of a large object that the origin no longer has (cache/slices.ts, versionName); empty for none. */
  goneVersion = ''
  /** A stored part that the answer cannot be had from; its memory is held. deliver-part. */
  part: StoredObject | null = null
  /** The origin is asked for what is missing behind that part; origin-request. */
  completes = false
  /** The Range that the origin is sent as the viewer sent it, so that its part is kept; cache-wait, origin-request. */
  forwardedRange: string | null = null
  /** The configuration that it began with, until its end. */
  readonly snapshot: Snapshot
  /** The POP that the viewer came to, or the place that a peer asks. */
  readonly place: Place
  /** What requests of its address are counted by; null for what no viewer asks. handler.ts */
  budget: RequestBudget | null = null
  /** It is a slice of an answer whose first bytes have gone out. delivery/slice-fetch.ts */
  partOfBegun = false
  /** X-Amz-Cf-Id; receive. */
  requestId = ''
  /** Address of the viewer, also when a peer passed the request on or an explain header sets it. */
  viewerAddress: string
  /** 0 when a trusted proxy in front does not tell it. */
  viewerPort: number
  /** What the viewer itself had in X-Forwarded-For, where trusted proxies have added to it; null for all of it. */
  forwardedFor: string | null = null
  /** Where the viewer is, when the behavior depends on it; match-behavior. */
  location: ViewerLocation = NOWHERE
  /** Null on the hot lane; set when the request is to be explained. */
  watcher: TraceBuilder | null = null
  /** Of a peer's question: the distribution that the asker found; empty when the Host names it. */
  foundBefore = ''
  /** match-distribution; the staging distribution from choose-staging on. */
  distribution: DistributionPlan | null = null
  /** The distribution that the viewer asked, when a policy of it sent the request to its staging one; choose-staging. */
  primary: DistributionPlan | null = null
  /** A header line of the answer to this viewer alone, with the end of the line before it; empty for none. choose-staging. */
  setCookie = ''
  /** match-behavior. */
  behavior: BehaviorPlan | null = null
  /** The path with the default root object put in; root-object. */
  path: string
  /** True when the answer may come from the cache and go into it; method. */
  cacheable = false
  /** The viewer asks to go on in this protocol, and may; method. */
  upgrade: 'websocket' | null = null
  /** It is a call of gRPC, and passed on as one; method. */
  grpc = false
  /** Bytes that the viewer sent after 101; tunnel. */
  tunnelBytes = 0
  /** cache-key; empty when the request is not cacheable. */
  key = ''
  /** The primary key while `key` is that of one of its variants, in strict mode; otherwise empty. choose-variant. */
  indexKey = ''
  /** Were the entity tags of other variants offered to the origin? `refused`: its 304 named none of them. */
  variantTags: 'none' | 'offered' | 'refused' = 'none'
  /** Variants of the key that had to leave for this one; cache-store. */
  variantsDropped = 0
  /** The answer lies in the cache; cache-lookup, origin-response, serve-stale. */
  object: StoredObject | null = null
  /** Expired, but still good for revalidation or when the origin fails; cache-lookup. Its memory is held. */
  stale: StoredObject | null = null
  /** The fetch that the answer comes from; cache-wait, origin-fetch. */
  flight: Flight | null = null
  /** True when it leads that fetch and owes a decision to those who wait. */
  leads = false
  /** The flight that it has left already, because whoever asked has gone while it waited for it; edge/leaving.ts. */
  leftAhead: Flight | null = null
  /** Why the secondary of an origin group is asked; null while the primary is, or the only one. origin-fetch. */
  failedOver: FailoverReason | null = null
  /** origin-request. */
  originRequest: OriginRequest | null = null
  /** Milliseconds, Clock.now(), when the origin or the owner was asked; origin-fetch, owner-lookup. */
  askedAt = 0
  /** Null when no origin was asked for this answer; origin-fetch, owner-lookup. */
  upstream: Upstream | null = null
  /** What the fetched head became; origin-response, owner-lookup. */
  answer: Answer | null = null
  /** Set before error-page is entered. */
  fault: EdgeFault | null = null
  /** custom-error. */
  page: PageInstead | null = null
  /** Status that the viewer sees. */
  status = 0
  result: ResultType = 'Miss'
  detailed: DetailedResultType = 'Miss'
  /** Why the answer ended before its end; then the log's final result is Error, and `result` what it was at its first byte. */
  brokeOff: BreakOff | null = null
  tier: Tier = 'edge'
  /** Whose cache had the answer, or who asked the origin for it: that of `place`, until another place has answered. */
  layer: Layer
  missReason: MissReason | null = null
  /** Why a stale object is the answer; cache-lookup, serve-stale. */
  staleReason: StaleReason | null = null
  notStored: NotStoredReason | null = null
  /** Null when nobody wanted the body compressed; origin-fetch. */
  compression: CompressionOutcome | null = null
  /** Media type of the answer as it is logged. */
  contentType = ''
  /** Bytes of the answer's body; -1 when not known before the end. */
  contentLength = -1
  /** The one part that a 206 has; null for none, and for several. */
  range: ByteRange | null = null
  /** Clock.monotonic() when the first byte of the answer was written. */
  firstByteAt = 0
  /** The key that the disk was asked for; disk-lookup. */
  diskKey = ''
  /** The key whose object came from disk; disk-lookup. */
  fromDisk = ''
  /** 1 after it has waited for the worker to catch up with control. */
  looks = 0
  /** fle-status of the log; null where no field-level encryption had a say. encrypt-fields, recorder. */
  fieldStatus: FieldStatus | null = null
  /** Form fields that the origin gets encrypted; encrypt-fields. */
  fieldsEncrypted = 0
  /** What its body takes of the memory for bodies with such fields; null for none. encrypt-fields. */
  heldBody: HeldBytes | null = null
  /** Fetches of others that it has waited for. */
  flightsJoined = 0

  constructor(
    request: ViewerRequest,
    reply: ViewerReply,
    snapshot: Snapshot,
    place: Place,
    peer: PeerAnswer | null,
    inner: InnerPurpose | null = null,
    slice: SliceAsked | null = null,
  ) {
    this.request = request
    this.viewerRequest = request
    this.reply = reply
    this.snapshot = snapshot
    this.place = place
    this.layer = place.layer
    this.peer = peer
    this.inner = inner
    this.slice = slice
    this.path = request.path
    this.viewerAddress = request.connection.remoteAddress
    this.viewerPort = request.connection.remotePort
  }

  /** Its viewer is behind proxies that are trusted. */
  seenAs({ address, port, forwardedFor }: SeenViewer): void {
    this.viewerAddress = address
    this.viewerPort = port
    this.forwardedFor = forwardedFor
  }

  /** It asks in the name of the viewer of `other`. */
  speaksFor(other: Exchange): void {
    this.viewerAddress = other.viewerAddress
    this.viewerPort = other.viewerPort
    this.forwardedFor = other.forwardedFor
    this.location = other.location
  }

  get facts() {
    return viewerFacts(this.request.headers)
  }
}
