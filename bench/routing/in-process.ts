//! What a worker does to find distribution and behavior, and what its configuration takes in memory, in a process with
//! nothing else: `node --expose-gc in-process.ts lookups ROUNDS` or `... memory SITES`. Prints one JSON document.
import { readFileSync } from 'node:fs'
import { Invalidations } from '../../src/edge/cache/invalidation.ts'
import { packed, unpackedMessage } from '../../src/edge/feed-packing.ts'
import type { ToWorker } from '../../src/edge/feed-protocol.ts'
import { Configuration } from '../../src/edge/snapshot/configuration.ts'
import { behaviorOf, distributionOf, type Snapshot } from '../../src/edge/snapshot/snapshot.ts'
import { randomOf } from '../../test/support/random.ts'
import { hostOf, PLACES, type Place, siteDoc } from './sites.ts'

const LOOKUPS = 50_000
const SITES = 1_000

type Message = Extract<ToWorker, { type: 'snapshot' }>

/** The line that control sends to a worker that has nothing. */
function lineOf(sites: number, behaviors: number): string {
  const documents = Array.from({ length: sites }, (_, n) => siteDoc(n, 80, behaviors))
  return JSON.stringify({ type: 'snapshot', revision: 1, ...packed(documents) })
}

function configurationOf(line: string): Configuration {
  const configuration = new Configuration(new Invalidations(), (problem) => {
    throw new Error(problem)
  })
  configuration.replace({ revision: 1, distributions: (unpackedMessage(JSON.parse(line)) as Message).distributions })
  return configuration
}

/** As the listener makes it: text of its own for each request. */
const fresh = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')

interface Case {
  readonly sites: number
  readonly behaviors: number
  readonly place: Place
  readonly snapshot: Snapshot
  /** Hosts among which each request's is chosen. */
  readonly hosts: number
}

interface Asked {
  readonly host: string
  readonly path: string
}

function requestsOf({ place, hosts, sites }: Case, random: () => number): Asked[] {
  const names = Array.from({ length: hosts }, (_, at) => fresh(hostOf(hosts === 1 ? sites >> 1 : at)))
  return Array.from({ length: LOOKUPS }, () => {
    const at = Math.floor(random() * hosts)
    const n = hosts === 1 ? sites >> 1 : at
    return { host: names[at] as string, path: fresh(PLACES[place].path(n)) }
  })
}

/** CPU nanoseconds of one lookup. */
function measure(one: Case, requests: readonly Asked[]): number {
  const { pattern } = PLACES[one.place]
  const wanted = pattern < 0 || pattern >= one.behaviors ? 'DefaultCacheBehavior' : `CacheBehaviors.Items[${pattern}]`
  const before = process.cpuUsage()
  let found = 0
  for (const { host, path } of requests) {
    const plan = distributionOf(one.snapshot, host)
    if (plan !== undefined && behaviorOf(plan, path).field === wanted) found++
  }
  const { user, system } = process.cpuUsage(before)
  if (found !== LOOKUPS) throw new Error(`${one.place}: ${LOOKUPS - found} lookups found another behavior`)
  return ((user + system) * 1_000) / LOOKUPS
}

function lookups(rounds: number): unknown {
  const of = (sites: number, behaviors: number) => configurationOf(lineOf(sites, behaviors)).snapshot
  const [single, one, many] = [of(1, 0), of(1, 25), of(SITES, 25)]
  const { fraction: random } = randomOf(7)
  const places = Object.keys(PLACES) as Place[]
  const cases: Case[] = [
    { sites: 1, behaviors: 0, place: 'default', snapshot: single, hosts: 1 },
    ...places.flatMap((place): Case[] => [
      { sites: 1, behaviors: 25, place, snapshot: one, hosts: 1 },
      { sites: SITES, behaviors: 25, place, snapshot: many, hosts: 1 },
      { sites: SITES, behaviors: 25, place, snapshot: many, hosts: SITES },
    ]),
  ]
  const requests = cases.map((one) => requestsOf(one, random))
  const ns: number[][] = cases.map(() => [])
  for (let round = -3; round < rounds; round++) {
    for (let n = 0; n < cases.length; n++) {
      const at = (n + round + cases.length) % cases.length
      const took = measure(cases[at] as Case, requests[at] as Asked[])
      if (round >= 0) ns[at]?.push(took)
    }
  }
  return cases.map(({ snapshot: _, ...one }, at) => ({ ...one, ns: ns[at] }))
}

const resident = (): number => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])

function collected(): { heap: number; outside: number; resident: number } {
  for (let again = 0; again < 5; again++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return { heap: heapUsed, outside: external, resident: resident() }
}

/** Bytes that `sites` sites take besides the first one, after full collections. */
function memory(sites: number): unknown {
  const first = configurationOf(lineOf(1, 25))
  let line: string | null = lineOf(sites, 25)
  const lineBytes = line.length
  // The heap has had its size before: what a worker needs to read a snapshot is given back later, or used for objects.
  configurationOf(line)
  const before = collected()
  const all = configurationOf(line)
  line = null
  const after = collected()
  if (first.snapshot.distributions.size + all.snapshot.distributions.size !== sites + 1)
    throw new Error('sites are lost')
  const each = (name: keyof typeof before) => (after[name] - before[name]) / sites
  return { sites, heap: each('heap'), outside: each('outside'), resident: each('resident'), line: lineBytes / sites }
}

const [, , what, number] = process.argv
console.log(JSON.stringify(what === 'memory' ? memory(Number(number)) : lookups(Number(number))))
