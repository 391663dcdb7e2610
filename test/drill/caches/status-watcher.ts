//! Watches what the API says of the group all the while, and asks the nodes themselves: a status that goes on saying
//! `available`, or `primary`, of a node that is not, for longer than it takes to notice, is not the truth.
import { setTimeout as sleep } from 'node:timers/promises'
import { ElastiCache, type NodeGroupMember } from '@aws-sdk/client-elasticache'
import type { Findings } from '../findings.ts'
import type { Target } from '../target.ts'
import { infoAt } from './watcher.ts'

const LOOK_MS = 100
/** A hung node is noticed after 3 s, a sleeping keeper of the drill goes on after at most 7. Milliseconds. */
const NOTICED_AFTER_MS = 9000

export class StatusWatcher {
  readonly #target: Target
  readonly #group: string
  readonly #findings: Findings
  /** Since when a node has contradicted what is said of it, without a break. */
  readonly #wrongSince = new Map<string, number>()
  looks = 0
  #stopped = false
  readonly #running: Promise<void>

  constructor(target: Target, group: string, findings: Findings) {
    this.#target = target
    this.#group = group
    this.#findings = findings
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      // While control is away nothing is said.
      await this.#look().catch(() => this.#wrongSince.clear())
      await sleep(LOOK_MS)
    }
  }

  async #look(): Promise<void> {
    const client = new ElastiCache({
      ...{ endpoint: this.#target.api, region: 'us-east-1', maxAttempts: 1 },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
    try {
      const { ReplicationGroups } = await client.describeReplicationGroups({ ReplicationGroupId: this.#group })
      const group = ReplicationGroups![0]!
      this.looks++
      if (group.Status !== 'available') return this.#wrongSince.clear()
      const members = group.NodeGroups![0]!.NodeGroupMembers!
      await Promise.all(members.map((member) => this.#compare(member)))
    } finally {
      client.destroy()
    }
  }

  async #compare({ CacheClusterId: id = '', CurrentRole: told, ReadEndpoint }: NodeGroupMember): Promise<void> {
    const info = await infoAt(ReadEndpoint?.Address ?? '')
    const role = info.includes('role:master') ? 'primary' : info.includes('role:slave') ? 'replica' : 'silent'
    if (role === told) return void this.#wrongSince.delete(id)
    const since = this.#wrongSince.get(id) ?? performance.now()
    this.#wrongSince.set(id, since)
    if (performance.now() - since < NOTICED_AFTER_MS) return
    this.#findings.violation(`the API calls ${this.#group} available and ${id} ${told}, which is ${role}, for too long`)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }
}
