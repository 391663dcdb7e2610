//! What the listeners of a worker share of admission: its bounds over all POPs, who is a proxy, what is counted and told
//! of connections that are refused.
import type { Clock } from '../lib/clock.ts'
import { COUNTER, type Counters } from '../observe/counters.ts'
import { Admission, type DropCause } from './listen/admission.ts'
import { DropReport } from './listen/drop-report.ts'
import { DEFAULT_LIMITS, type ListenLimits } from './listen/limits.ts'
import type { ListenOptions } from './listen/listener.ts'
import { Relief, type ReliefKind } from './listen/relief.ts'
import type { Shield } from './shield/shield.ts'
import { TrustedProxies } from './viewer/trusted-proxies.ts'

const COUNTED: Readonly<Record<DropCause, number>> = {
  connections: COUNTER.droppedConnections,
  handshakes: COUNTER.droppedHandshakes,
  'address-connections': COUNTER.droppedAddressConnections,
  'address-handshakes': COUNTER.droppedAddressHandshakes,
  'address-requests': COUNTER.droppedAddressRequests,
  'proxy-header': COUNTER.droppedProxyHeader,
  'handshake-timeout': COUNTER.droppedHandshakeTimeout,
  'client-certificate': COUNTER.droppedClientCertificate,
}

const RELIEVED: Readonly<Record<ReliefKind, number>> = {
  unused: COUNTER.relievedUnused,
  idle: COUNTER.relievedIdle,
  slow: COUNTER.relievedSlow,
  handshake: COUNTER.relievedHandshakes,
}

export interface AdmittingOptions {
  readonly clock: Clock
  /** CIDRs. */
  readonly proxyProtocol?: readonly string[]
  /** Bounds of connections and handshakes that are not the usual ones. */
  readonly limits?: Partial<ListenLimits>
  /** One line for the operator. */
  readonly problem: (message: string) => void
}

/** `trusted`: proxies whose connections bring the requests of many viewers; they have no bounds of their own. */
export function admitting(
  { clock, proxyProtocol = [], limits = {}, problem }: AdmittingOptions,
  counters: Counters,
  trusted: TrustedProxies | null,
  shield: Shield,
): Pick<ListenOptions, 'admission' | 'isProxy' | 'onDropped'> {
  const proxies = proxyProtocol.length === 0 ? null : new TrustedProxies(proxyProtocol)
  const report = new DropReport(clock, problem)
  return {
    admission: new Admission(
      { ...DEFAULT_LIMITS, ...limits },
      {
        isExempt: (address) => trusted?.trusts(address) ?? false,
        isShut: (address) => shield.isShut(address),
        now: () => clock.monotonic(),
        relief: new Relief((kind, address) => {
          counters.add(RELIEVED[kind])
          shield.refused('slow-connections', address)
        }),
      },
    ),
    isProxy: (address) => proxies?.trusts(address) ?? false,
    onDropped: (cause, address) => {
      counters.add(COUNTED[cause])
      report.dropped(cause, address)
      if (cause !== 'proxy-header' && cause !== 'client-certificate') shield.refused(cause, address)
    },
  }
}
