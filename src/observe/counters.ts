//! Every counter of an edge worker, declared once with its help text; Float64Array behind it, so that counting costs
//! nanoseconds and never allocates. Exported as a record (for the feed) and as Prometheus text.

interface CounterRow {
  readonly metric: string
  readonly kind: 'counter' | 'gauge'
  readonly labels?: Readonly<Record<string, string>>
  readonly help: string
}

const answered = (label: string): CounterRow => ({
  metric: 'cachefront_edge_responses_total',
  kind: 'counter',
  labels: { class: label },
  help: 'Answers to viewers by class of status.',
})

const result = (label: string): CounterRow => ({
  metric: 'cachefront_edge_results_total',
  kind: 'counter',
  labels: { result: label },
  help: 'Answers to viewers by x-edge-result-type.',
})

const compressed = (coding: string): CounterRow => ({
  metric: 'cachefront_edge_compressed_total',
  kind: 'counter',
  labels: { coding },
  help: 'Answers of origins that the edge compressed.',
})

const uncompressed = (reason: string): CounterRow => ({
  metric: 'cachefront_edge_not_compressed_total',
  kind: 'counter',
  labels: { reason },
  help: 'Answers of origins that a viewer would have taken compressed, and that went out as they came.',
})

const dropped = (cause: string): CounterRow => ({
  metric: 'cachefront_edge_connections_dropped_total',
  kind: 'counter',
  labels: { cause },
  help: 'Viewer connections closed before their first request, by the limit they were over (docs/listeners.md).',
})

const puzzleAnswer = (outcome: string): CounterRow => ({
  metric: 'cachefront_edge_waf_puzzles_total',
  kind: 'counter',
  labels: { outcome },
  help: 'Answers to challenges and puzzles of web ACLs.',
})

const relieved = (kind: string): CounterRow => ({
  metric: 'cachefront_edge_connections_relieved_total',
  kind: 'counter',
  labels: { kind },
  help: 'Idle and slow connections closed for new ones, because few were left (docs/shield.md).',
})

const limited = (answer: string): CounterRow => ({
  metric: 'cachefront_edge_requests_limited_total',
  kind: 'counter',
  labels: { answer },
  help: 'Requests over what one address may make, by what it was answered (docs/shield.md).',
})

const shed = (what: string, cause: string): CounterRow => ({
  metric: 'cachefront_edge_shed_total',
  kind: 'counter',
  labels: { what, cause },
  help: 'Misses and refreshes that an overloaded worker did not make (docs/shield.md).',
})

const counter = (name: string, help: string): CounterRow => ({
  metric: `cachefront_edge_${name}_total`,
  kind: 'counter',
  help,
})

const webAcl = (action: string): CounterRow => ({
  metric: 'cachefront_edge_waf_requests_total',
  kind: 'counter',
  labels: { action },
  help: 'Requests that a web ACL looked at, by what it said; `counted`: those of any action in which a rule counted.',
})

const webAclFailure = (cause: string): CounterRow => ({
  metric: 'cachefront_edge_waf_failures_total',
  kind: 'counter',
  labels: { cause },
  help: 'Rules that could not be evaluated and counted as matches, and requests refused because a web ACL could not be.',
})

const overHttp2Limit = (limit: string): CounterRow => ({
  metric: 'cachefront_edge_http2_limits_total',
  kind: 'counter',
  labels: { limit },
  help: 'Times that a viewer went over a limit of HTTP/2 (docs/http2.md).',
})

const gauge = (name: string, help: string): CounterRow => ({ metric: `cachefront_edge_${name}`, kind: 'gauge', help })

const TABLE = {
  requests: counter('requests', 'Requests handed to the pipeline.'),
  toStaging: counter('staging_requests', 'Those that a continuous deployment policy sent to a staging distribution.'),
  responses1xx: answered('1xx'),
  responses2xx: answered('2xx'),
  responses3xx: answered('3xx'),
  responses4xx: answered('4xx'),
  responses5xx: answered('5xx'),
  bytesToViewers: counter('viewer_sent_bytes', 'Bytes of answers to viewers, headers included.'),
  bytesFromViewers: counter('viewer_received_bytes', 'Bytes of requests of viewers, headers included.'),
  hits: result('Hit'),
  refreshHits: result('RefreshHit'),
  misses: result('Miss'),
  errors: result('Error'),
  redirects: result('Redirect'),
  limitExceeded: result('LimitExceeded'),
  capacityExceeded: result('CapacityExceeded'),
  viewersGone: counter('viewers_gone', 'Requests whose viewer left before the end of the answer.'),
  connectionsOpened: counter('connections_opened', 'Viewer connections accepted.'),
  droppedConnections: dropped('connections'),
  droppedHandshakes: dropped('handshakes'),
  droppedAddressConnections: dropped('address-connections'),
  droppedAddressHandshakes: dropped('address-handshakes'),
  droppedAddressRequests: dropped('address-requests'),
  droppedProxyHeader: dropped('proxy-header'),
  droppedHandshakeTimeout: dropped('handshake-timeout'),
  droppedClientCertificate: dropped('client-certificate'),
  relievedUnused: relieved('unused'),
  relievedIdle: relieved('idle'),
  relievedSlow: relieved('slow'),
  relievedHandshakes: relieved('handshake'),
  requestsLimited: limited('429'),
  requestsShunned: limited('closed'),
  shedMissEventLoop: shed('miss', 'event-loop'),
  shedMissOrigins: shed('miss', 'origin-requests'),
  shedMissMemory: shed('miss', 'memory'),
  shedRefreshEventLoop: shed('refresh', 'event-loop'),
  shedRefreshOrigins: shed('refresh', 'origin-requests'),
  shedRefreshMemory: shed('refresh', 'memory'),
  underAttack: gauge('under_attack', '1 while an attack goes on (docs/shield.md).'),
  eventLoopDelay: gauge(
    'event_loop_delay_seconds',
    'What each turn of the event loop is late by, at least, when it is busy.',
  ),
  processMemory: gauge('process_memory_bytes', 'Bytes of memory that the worker takes.'),
  connectionsOpen: gauge('connections_open', 'Viewer connections open now.'),
  requestsRefused: counter('requests_refused', 'Requests that the listener answered itself: malformed or too large.'),
  http2ConcurrentStreams: overHttp2Limit('concurrentStreams'),
  http2HeaderBlockBytes: overHttp2Limit('headerBlockBytes'),
  http2Continuations: overHttp2Limit('continuations'),
  http2Resets: overHttp2Limit('resets'),
  http2Faults: overHttp2Limit('faults'),
  http2Settings: overHttp2Limit('settings'),
  http2Pings: overHttp2Limit('pings'),
  http2Controls: overHttp2Limit('controls'),
  http2Empties: overHttp2Limit('empties'),
  http2Dribbles: overHttp2Limit('dribbles'),
  wafAllowed: webAcl('allowed'),
  wafBlocked: webAcl('blocked'),
  wafChallenged: webAcl('challenged'),
  wafCounted: webAcl('counted'),
  wafRuleFailures: webAclFailure('rule'),
  wafRefusals: webAclFailure('web-acl'),
  wafSolved: puzzleAnswer('solved'),
  wafUnsolved: puzzleAnswer('failed'),
  wafRateKeys: gauge('waf_rate_keys', 'Keys that rate-based rules hold counts of.'),
  wafRateKeysDropped: gauge(
    'waf_rate_keys_dropped',
    'Keys that left the counts of the present rules for lack of room.',
  ),
  collapsed: counter('collapsed_requests', 'Requests that waited for a fetch already under way.'),
  staleHits: counter('stale_hits', 'Requests answered with an object that was not fresh any more.'),
  refreshes: counter('refreshes', 'Stale objects refreshed while they were served: fetches begun and over.'),
  originRequests: counter('origin_requests', 'Requests sent to origins.'),
  originErrors: counter('origin_errors', 'Origin requests that ended without a usable answer.'),
  originFailovers: counter('origin_failovers', 'Requests that went on to the secondary of an origin group.'),
  originRevalidations: counter('origin_revalidations', 'Conditional requests sent to origins.'),
  bytesFromOrigins: counter('origin_received_bytes', 'Bytes of bodies received from origins.'),
  peerRequests: counter('peer_requests', 'Requests sent to the worker that owns a key.'),
  regionalRequests: counter('regional_requests', 'Requests of POPs to their regional edge cache.'),
  shieldRequests: counter('shield_requests', 'Requests to the shield of an origin.'),
  stored: counter('cache_stored', 'Objects stored.'),
  notStored: counter('cache_not_stored', 'Answers of origins that were not kept.'),
  variantsDropped: counter('cache_variants_dropped', 'Variants that left because their key has too many.'),
  compressedBr: compressed('br'),
  compressedGzip: compressed('gzip'),
  uncompressedCoded: uncompressed('coded-already'),
  uncompressedNoLength: uncompressed('no-length'),
  uncompressedType: uncompressed('type'),
  uncompressedSmall: uncompressed('too-small'),
  uncompressedLarge: uncompressed('too-large'),
  uncompressedNoTransform: uncompressed('no-transform'),
  uncompressedBusy: uncompressed('busy'),
  fieldsEncrypted: counter('fields_encrypted', 'Form fields that origins were sent encrypted.'),
  fieldRequestsRefused: counter('field_encryption_refused', 'Requests refused by field-level encryption.'),
  evicted: counter('cache_evicted', 'Objects evicted for space.'),
  invalidated: counter('cache_invalidated', 'Objects found dead by an invalidation.'),
  fetchesUnderWay: gauge('fetches_under_way', 'Fetches that later requests for the same key may join.'),
  fetchBytesHeld: gauge('fetch_held_bytes', 'Bytes of bodies held for the cache or for readers that are behind.'),
  originRequestsOpen: gauge('origin_requests_open', 'Requests to origins under way or waiting for a connection.'),
  peerRequestsOpen: gauge('peer_requests_open', 'Requests to owners of keys under way.'),
  refreshesUnderWay: gauge('refreshes_under_way', 'Stale objects being refreshed behind viewers.'),
  compressionsUnderWay: gauge('compressions_under_way', 'Bodies being compressed.'),
  fieldBytesHeld: gauge('field_encryption_held_bytes', 'Bytes of request bodies held to be encrypted and sent on.'),
  objectsHeld: gauge('cache_objects_held', 'Objects in memory whose bytes are being sent, or kept for revalidation.'),
  objects: gauge('cache_objects', 'Objects in memory.'),
  cacheBytes: gauge('cache_bytes', 'Bytes of objects in memory.'),
  diskObjects: gauge('disk_objects', 'Objects on disk.'),
  diskBytes: gauge('disk_bytes', 'Bytes of the files of the disk cache.'),
  diskLimit: gauge('disk_limit_bytes', 'Bytes that the disk cache may take; 0 when it is off or cannot be used.'),
  diskPending: gauge('disk_pending_bytes', 'Bytes of objects that wait to be written to disk.'),
  diskHits: counter('disk_hits', 'Objects brought from disk into memory.'),
  diskWrites: counter('disk_writes', 'Objects written to disk.'),
  diskSkipped: counter('disk_skipped_writes', 'Objects not written to disk: too much waited, or the disk failed.'),
  diskEvicted: counter('disk_evicted', 'Objects that left the disk to make room.'),
  diskCorrupt: counter('disk_corrupt', 'Objects on disk that were not what was written: dropped, never served.'),
  diskSetAside: counter('disk_set_aside', 'Times that a disk cache could not be used as it was and was begun anew.'),
  logLines: counter('access_log_lines', 'Access log lines written or waiting to be.'),
  logLinesLost: counter('access_log_lines_lost', 'Access log lines dropped: the log could not be written in time.'),
  logErrors: counter('access_log_errors', 'Failed writes of the access log.'),
} as const satisfies Readonly<Record<string, CounterRow>>

export type CounterName = keyof typeof TABLE

const NAMES = Object.keys(TABLE) as CounterName[]

/** Index of each counter: `counters.add(COUNTER.hits)`. */
export const COUNTER = Object.fromEntries(NAMES.map((name, at) => [name, at])) as Readonly<Record<CounterName, number>>

export class Counters {
  readonly #values = new Float64Array(NAMES.length)

  /** Adds to the counter at an index of `COUNTER`. */
  add(at: number, by = 1): void {
    this.#values[at]! += by
  }

  /** Sets a gauge. */
  set(at: number, value: number): void {
    this.#values[at] = value
  }

  get(at: number): number {
    return this.#values[at] ?? 0
  }

  /** All values by name, for the feed's answer to `counters`. */
  snapshot(): Record<CounterName, number> {
    return Object.fromEntries(NAMES.map((name, at) => [name, this.get(at)])) as Record<CounterName, number>
  }
}

/**
 * Prometheus text exposition of one or several workers' values; each sample is labelled with its worker. Names that
 * this program does not know (a worker of another version) are left out.
 */
export function prometheusText(workers: Readonly<Record<string, Readonly<Record<string, number>>>>): string {
  const lines: string[] = []
  let described = ''
  for (const name of NAMES) {
    const row: CounterRow = TABLE[name]
    if (row.metric !== described) {
      described = row.metric
      lines.push(`# HELP ${row.metric} ${row.help}`, `# TYPE ${row.metric} ${row.kind}`)
    }
    for (const [worker, values] of Object.entries(workers)) {
      const value = values[name]
      if (value === undefined) continue
      const labels = Object.entries({ worker, ...row.labels }).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
      lines.push(`${row.metric}{${labels.join(',')}} ${value}`)
    }
  }
  return `${lines.join('\n')}\n`
}

const escapeLabel = (text: string): string => text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))
