//! What the events must tell: each failover once, each lost node without replicas with its recovery, and it is empty.
import { setTimeout as sleep } from 'node:timers/promises'
import { type ElastiCache, paginateDescribeEvents, type SourceType } from '@aws-sdk/client-elasticache'
import { Redis } from 'ioredis'
import type { Findings } from './findings.ts'
import type { Blow } from './monkey.ts'
import type { Target } from './target.ts'

const FAILOVER = /^Failover from primary node (\S+) to replica node (\S+) completed$/
/** Events follow what they tell of by a report of the keeper. */
const LOOKS = 100
const LOOK_MS = 50
const MARK = 'drill-mark'

export class CacheHistory {
  readonly #client: ElastiCache
  readonly #target: Target
  readonly #findings: Findings
  readonly #firstPrimary: string
  /** How many recoveries each node without replicas must have, by cluster. */
  readonly #recoveries = new Map<string, number>()

  private constructor(client: ElastiCache, target: Target, findings: Findings, firstPrimary: string) {
    this.#client = client
    this.#target = target
    this.#findings = findings
    this.#firstPrimary = firstPrimary
  }

  static async begin(client: ElastiCache, target: Target, findings: Findings): Promise<CacheHistory> {
    const history = new CacheHistory(client, target, findings, await primaryOf(target))
    await history.#mark()
    return history
  }

  async check(blow: Blow): Promise<void> {
    await this.#eventually(() => this.#failovers())
    for (const lost of blow.lost) {
      const cluster = lost.startsWith('mem/') ? 'mem' : lost === 'solo' ? 'solo' : null
      if (cluster !== null) await this.#returned(cluster)
    }
    for (const cluster of ['solo', 'mem']) await this.#eventually(() => this.#recovered(cluster))
  }

  /** Null when they are right: a chain from the first primary to the present one, none twice, none left out. */
  async #failovers(): Promise<string | null> {
    let primary = this.#firstPrimary
    for (const message of await this.#messages('replication-group', 'drill')) {
      const [, from, to] = FAILOVER.exec(message) ?? []
      if (from === undefined || to === undefined) continue
      if (from !== primary) return `events of drill: expected the next failover from ${primary}, seen "${message}"`
      primary = to
    }
    const now = await primaryOf(this.#target)
    return primary === now ? null : `events of drill: expected a failover to ${now}, the last one was to ${primary}`
  }

  async #returned(cluster: string): Promise<void> {
    this.#recoveries.set(cluster, (this.#recoveries.get(cluster) ?? 0) + 1)
    if (cluster !== 'solo') return
    const client = redis((await this.#target.group('solo')).endpoint)
    const kept = await client.get(MARK)
    client.disconnect()
    if (kept !== null) this.#findings.violation(`solo: expected to return empty, seen its old key`)
    await this.#mark()
  }

  async #recovered(cluster: string): Promise<string | null> {
    const expected = this.#recoveries.get(cluster) ?? 0
    const messages = await this.#messages('cache-cluster', cluster)
    const begun = messages.filter((text) => text.startsWith('Recovering cache nodes')).length
    const ended = messages.filter((text) => text.startsWith('Finished recovery for cache nodes')).length
    if (begun === expected && ended === expected) return null
    return `events of ${cluster}: expected ${expected} recoveries, seen ${begun} begun and ${ended} finished`
  }

  async #eventually(problem: () => Promise<string | null>): Promise<void> {
    let found: string | null = null
    for (let look = 0; look < LOOKS; look++) {
      found = await problem()
      if (found === null) return
      await sleep(LOOK_MS)
    }
    this.#findings.violation(found!)
  }

  async #mark(): Promise<void> {
    const client = redis((await this.#target.group('solo')).endpoint)
    await client.set(MARK, 'here')
    client.disconnect()
  }

  /** Messages of one source, oldest first. */
  async #messages(SourceType: SourceType, SourceIdentifier: string): Promise<string[]> {
    const found: string[] = []
    const wanted = { SourceType, SourceIdentifier, Duration: 1440 }
    for await (const page of paginateDescribeEvents({ client: this.#client }, wanted)) {
      found.push(...(page.Events ?? []).map((event) => event.Message!))
    }
    return found.reverse()
  }
}

const primaryOf = async (target: Target): Promise<string> =>
  (await target.group('drill')).nodes.find((node) => node.role === 'primary')!.id

function redis(host: string): Redis {
  const client = new Redis({ host, port: 6379, commandTimeout: 3000 })
  client.on('error', () => {})
  return client
}
