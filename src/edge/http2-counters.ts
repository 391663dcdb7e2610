//! Which counter counts those who go over a limit of HTTP/2.
import { COUNTER, type CounterName, type Counters } from '../observe/counters.ts'
import type { Http2LimitName } from './listen/http2/limits.ts'

const COUNTERS: Readonly<Record<Http2LimitName, CounterName>> = {
  concurrentStreams: 'http2ConcurrentStreams',
  headerBlockBytes: 'http2HeaderBlockBytes',
  continuations: 'http2Continuations',
  resets: 'http2Resets',
  faults: 'http2Faults',
  settings: 'http2Settings',
  pings: 'http2Pings',
  controls: 'http2Controls',
  empties: 'http2Empties',
  dribbles: 'http2Dribbles',
}

export const countHttp2Limit = (counters: Counters, limit: Http2LimitName): void =>
  counters.add(COUNTER[COUNTERS[limit]])
