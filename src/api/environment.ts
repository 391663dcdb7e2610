//! What the stages of a call may use.
import type { KeyPair } from '../aws/sigv4.ts'
import type { Clock } from '../lib/clock.ts'
import type { LocalRoute } from '../services/cachefront/local-route.ts'
import type { ServiceContext } from '../services/service.ts'
import type { ApiService } from './services.ts'

export interface ApiEnvironment {
  /** By the name in the scope of a signature. */
  readonly services: ReadonlyMap<string, ApiService>
  readonly context: ServiceContext
  readonly localRoutes: readonly LocalRoute[]
  readonly keyPair: KeyPair | null
  /** Host names that the API answers to besides addresses and localhost; lower case. */
  readonly allowedHosts: ReadonlySet<string>
  /** Whether the listener itself can be reached from this machine only. */
  readonly listensOnLoopback: boolean
  readonly clock: Clock
  /** Takes one JSON document, without a line end. */
  readonly log: (line: string) => void
}
