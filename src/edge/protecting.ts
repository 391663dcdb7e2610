//! How a worker is protected: its shield, and what its listeners take, from one set of settings.
import type { Clock } from '../lib/clock.ts'
import { isLoopback } from '../lib/loopback.ts'
import type { Counters } from '../observe/counters.ts'
import { admitting } from './admitting.ts'
import { DEFAULT_LIMITS, type ListenLimits } from './listen/limits.ts'
import type { ListenOptions } from './listen/listener.ts'
import type { UnderWay } from './origin/under-way.ts'
import { SHIELD_DEFAULTS, type ShieldSettings, shieldLimits } from './shield/limits.ts'
import { Shield } from './shield/shield.ts'
import type { TrustedProxies } from './viewer/trusted-proxies.ts'

/** What an operator may set. */
export interface ProtectionSettings extends ShieldSettings {
  readonly connections: number
  readonly addressConnections: number
  readonly addressHandshakes: number
}

/** As a worker takes them. */
export function protectionOptions(settings: ProtectionSettings): Pick<ProtectionOptions, 'shield' | 'listen'> {
  const { connections, addressConnections, addressHandshakes, ...shield } = settings
  return {
    shield,
    listen: {
      connections,
      connectionsPerAddress: addressConnections,
      handshakesPerAddress: addressHandshakes,
      // Addresses of this host have no smaller share than others.
      connectionsPerLoopbackAddress: Math.max(connections, DEFAULT_LIMITS.connectionsPerLoopbackAddress),
      handshakesPerLoopbackAddress: Math.max(addressHandshakes, DEFAULT_LIMITS.handshakesPerLoopbackAddress),
    },
  }
}

export interface ProtectionOptions {
  readonly clock: Clock
  readonly cacheBytes: number
  /** CIDRs. */
  readonly proxyProtocol?: readonly string[]
  readonly shield?: Partial<ShieldSettings>
  /** Limits of listeners that are not the usual ones. */
  readonly listen?: Partial<ListenLimits>
  readonly problem: (message: string) => void
}

/** `trusted`: proxies whose connections bring the requests of many viewers; they have no bounds of their own. */
export function protect(
  options: ProtectionOptions,
  counters: Counters,
  trusted: TrustedProxies | null,
  underWay: UnderWay,
): {
  readonly shield: Shield
  readonly listening: Pick<ListenOptions, 'admission' | 'isProxy' | 'onDropped' | 'limits'>
} {
  const { clock, cacheBytes, problem } = options
  const settings = { ...SHIELD_DEFAULTS, ...options.shield }
  const given = { ...DEFAULT_LIMITS, ...options.listen }
  const limits: ListenLimits = settings.limitLoopback
    ? {
        ...given,
        connectionsPerLoopbackAddress: given.connectionsPerAddress,
        handshakesPerLoopbackAddress: given.handshakesPerAddress,
      }
    : given
  const shield = new Shield({
    ...{ clock, counters, underWay, problem },
    limits: shieldLimits(settings, cacheBytes),
    isExempt: (address) => (!settings.limitLoopback && isLoopback(address)) || (trusted?.trusts(address) ?? false),
  })
  return { shield, listening: { limits, ...admitting({ ...options, limits }, counters, trusted, shield) } }
}
