//! The POPs, regional edge caches and origin shields of the installation as people see them, and an operator's switch for
//! each: one that is down is told to every edge like any other change, and the switch returns when all of them have it.
import { setTimeout as sleep } from 'node:timers/promises'
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { regionalName, type Topology } from '../domain/topology.ts'
import type { Clock } from '../lib/clock.ts'
import type { PlaceStatus } from '../services/cachefront/installation.ts'
import type { Reader, State } from '../state/state.ts'
import type { LiveWorker } from './live-workers.ts'

/** Longest wait for the edges; one that does not answer by then has it when it answers again. Milliseconds. */
const EDGES_MS_MAX = 5_000
/** Milliseconds between two looks. */
const LOOK_MS = 5

/** Names of the places that are down. */
export async function placesDown(reader: Pick<Reader, 'list'>): Promise<ReadonlySet<string>> {
  return new Set((await reader.list('place')).map(({ id }) => id))
}

export async function placesOfNetwork(
  { pops, regionals }: Topology,
  state: State,
  live: readonly LiveWorker[],
): Promise<readonly PlaceStatus[]> {
  const [down, stored] = await Promise.all([placesDown(state), state.list('distribution')])
  const stateOf = (name: string): PlaceStatus['state'] => (down.has(name) ? 'down' : 'up')
  const addresses = new Map(live.flatMap(({ identity }) => identity.pops.map((pop) => [pop.name, pop])))
  const inTopology = new Set(regionals.map(({ region }) => region))
  const shields = [...new Set(stored.flatMap(({ doc }) => shieldRegions(doc.config as DistributionConfig)))]
  return [
    ...pops.map(({ name, region, regional }): PlaceStatus => {
      const at = addresses.get(name)
      return {
        kind: 'pop',
        name,
        region,
        regional,
        http: at?.http ?? null,
        https: at?.https ?? null,
        ipv6: at?.ipv6 ?? null,
        ipv6Https: at?.ipv6Https ?? null,
        state: stateOf(name),
      }
    }),
    ...regionals.map(({ name, region }): PlaceStatus => ({ kind: 'regional', name, region, state: stateOf(name) })),
    ...shields
      .filter((region) => !inTopology.has(region))
      .map((region): PlaceStatus => {
        const name = regionalName(region)
        return { kind: 'shield', name, region, state: stateOf(name) }
      }),
  ]
}

const shieldRegions = (config: DistributionConfig): string[] =>
  (config.Origins?.Items ?? []).flatMap(({ OriginShield: shield }) =>
    shield?.Enabled === true && shield.OriginShieldRegion ? [shield.OriginShieldRegion] : [],
  )

/** Resolves when every live edge has it; false when one has not in time. */
export async function switchPlace(
  name: string,
  wanted: PlaceStatus['state'],
  state: State,
  clock: Clock,
  acknowledged: () => number | null,
): Promise<boolean> {
  const revision = await state.transact(async (tx) => {
    const isDown = (await tx.get('place', name)) !== undefined
    if (isDown === (wanted === 'down')) return null
    if (isDown) await tx.delete('place', name)
    else await tx.put('place', name, { down: true, since: new Date(clock.wall()).toISOString() })
    return tx.revision
  })
  if (revision === null) return true
  for (let waited = 0; waited < EDGES_MS_MAX; waited += LOOK_MS) {
    if ((acknowledged() ?? -1) >= revision) return true
    await sleep(LOOK_MS)
  }
  return false
}
