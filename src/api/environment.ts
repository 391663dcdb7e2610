//! What the stages of a call may use.
import type { Clock } from '../lib/clock.ts'
import type { AuditLog } from '../observe/audit-log.ts'
import type { DoorMetrics } from '../services/cachefront/door-metrics.ts'
import type { KeyRing } from '../services/cachefront/key-ring.ts'
import type { LocalRoute } from '../services/cachefront/local-route.ts'
import type { ServiceContext } from '../services/service.ts'
import type { Brake } from './brake.ts'
import type { Replays } from './replays.ts'
import type { ApiService } from './services.ts'

export interface ApiEnvironment {
  /** By the name in the scope of a signature. */
  readonly services: ReadonlyMap<string, ApiService>
  readonly context: ServiceContext
  readonly localRoutes: readonly LocalRoute[]
  readonly keys: KeyRing
  /** Whether callers on loopback have to sign with a known key, too. */
  readonly requireKeys: boolean
  readonly brake: Brake
  readonly replays: Replays
  /** Null where nothing is audited: in tests of something else. */
  readonly audit: AuditLog | null
  readonly metrics: DoorMetrics
  /** Host names that the API answers to besides addresses and localhost; lower case. */
  readonly allowedHosts: ReadonlySet<string>
  /** Whether the listener itself can be reached from this machine only. */
  readonly listensOnLoopback: boolean
  readonly clock: Clock
  /** Takes one JSON document, without a line end. */
  readonly log: (line: string) => void
}
