//! `cachefront status`: what is served, in one document: each POP, each distribution, each cache with its real nodes.
import type { OriginSeen } from '../../edge/feed-protocol.ts'
import type { GroupSeen } from '../../keeper/protocol.ts'
import type { State } from '../../state/state.ts'
import type { Health, Installation } from './installation.ts'

/** The highest HTTP version that the edge speaks to viewers below the ceiling that a distribution sets: HTTP/3 is not offered. */
const servedVersion = (ceiling: string): string => (ceiling.startsWith('http2') ? 'http2' : 'http1.1')

export interface DistributionStatus {
  readonly id: string
  readonly domainName: string
  readonly aliases: readonly string[]
  readonly enabled: boolean
  readonly status: string
  /** Of its own (SSLSupportMethod vip); absent for none. */
  readonly dedicatedAddress?: string
  /** The one POP that it is an address of. */
  readonly dedicatedPop?: string
  /** The ceiling that the distribution sets, and the highest version that is served below it. */
  readonly httpVersion: { readonly ceiling: string; readonly served: string }
}

export interface Status {
  readonly health: Health
  readonly distributions: readonly DistributionStatus[]
  /** Origins that have failed since the start of the workers, the failing ones first. */
  readonly origins: readonly OriginSeen[]
  /** As the keeper saw them last; null while no keeper answers. */
  readonly caches: readonly GroupSeen[] | null
  readonly binaries: readonly { readonly engine: string; readonly version: string; readonly path: string }[]
}

/** The fields of AWS's DistributionConfig that are shown. */
interface ShownConfig {
  readonly Enabled?: boolean
  readonly HttpVersion?: string
  readonly Aliases?: { readonly Items?: readonly string[] }
}

/** Addresses of this kind are of the first POP. */
const dedicated = (
  address: string | undefined,
  { pops: [first] }: Health,
): Pick<DistributionStatus, 'dedicatedAddress' | 'dedicatedPop'> =>
  address === undefined ? {} : { dedicatedAddress: address, ...(first && { dedicatedPop: first.name }) }

export async function statusOf(installation: Installation, state: State): Promise<Status> {
  const [health, stored, { origins }] = await Promise.all([
    installation.health(),
    state.list('distribution'),
    installation.origins(),
  ])
  const seen = installation.keeperSeen()
  return {
    health,
    distributions: stored.map(({ doc }) => {
      const config = doc.config as ShownConfig
      const ceiling = config.HttpVersion ?? 'http2'
      return {
        id: doc.id,
        domainName: doc.domainName,
        aliases: config.Aliases?.Items ?? [],
        enabled: config.Enabled ?? false,
        status: doc.status,
        ...dedicated(doc.dedicatedAddress, health),
        httpVersion: { ceiling, served: servedVersion(ceiling) },
      }
    }),
    origins: origins
      .filter(({ last }) => last !== null)
      .sort((one, other) => Number(other.failing) - Number(one.failing)),
    caches: seen?.groups ?? null,
    binaries: seen?.binaries ?? [],
  }
}
