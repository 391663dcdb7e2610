//! Networks for edge scenarios: so many POPs behind one regional edge cache, or behind two.
import type { Topology } from '../../src/domain/topology.ts'
import type { WorkerOptions } from '../../src/edge/worker.ts'

const REGIONS = ['eu-central-1', 'us-east-1', 'ap-northeast-1', 'sa-east-1', 'eu-west-1'] as const

/** `POP0` ... and the regional edge caches `REC-eu-central-1` ...; POPs ask them in turns. */
export function network(pops: number, regionals = 1): Topology {
  const names = REGIONS.slice(0, regionals).map((region) => ({ name: `REC-${region}`, region }))
  return {
    pops: Array.from({ length: pops }, (_, at) => ({
      name: `POP${at}`,
      region: REGIONS[at % REGIONS.length] as string,
      regional: names[at % regionals]?.name ?? null,
    })),
    regionals: names,
  }
}

/** As options of a worker: each POP on a free port of its own. */
export const listening = ({ pops, regionals }: Topology): Pick<WorkerOptions, 'pops' | 'regionals'> => ({
  pops: pops.map((pop) => ({ ...pop, http: { host: '127.0.0.1', port: 0 }, https: null })),
  regionals,
})
