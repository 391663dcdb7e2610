//! The hands of a group: carries out what the decider (failover.ts) says, one action at a time. Each act is safe to
//! repeat, and writes its intent to the ledger first, so that a keeper that dies in the middle is continued by the next.
import { rm } from 'node:fs/promises'
import { type Binary, chooseBinary } from './binaries.ts'
import { type Action, chooseReplica, type GroupView } from './failover.ts'
import type { GroupRecord, Ledger } from './ledger.ts'
import type { Member, Members } from './members.ts'
import type { GroupWish } from './protocol.ts'

/** A replica that does not tell its offset within this time is left out of the choice. Milliseconds. */
const OFFSET_TIMEOUT_MS = 300

export interface ActorContext {
  readonly wish: GroupWish
  readonly record: GroupRecord
  readonly members: Members
  readonly ledger: Ledger
  readonly binaries: readonly Binary[]
  readonly view: GroupView
  /** The failover of the record is done: told once, whatever happens to the keeper. */
  readonly failedOver: () => void
  readonly setRecord: (change: Partial<GroupRecord>) => void
  readonly releaseAddress: (node: string) => void
}

/** Carries out one action. @throws when the engine refuses or is gone; the group looks again and decides anew. */
export function act(action: Action, x: ActorContext): Promise<void> {
  switch (action.do) {
    case 'start':
      return start(x, action.node, action.replicaOf)
    case 'kill':
      return x.members.get(action.node).node.kill()
    case 'fail-over':
      return failOver(x, action.from)
    case 'rebuild-primary':
      return rebuildPrimary(x, action.node)
    case 'hand-over':
      return handOver(x, action.from, action.to)
    case 'promote':
      return follow(x.members.get(action.node), null)
    case 'follow':
      return follow(x.members.get(action.node), x.members.get(action.primary).node.address)
    case 'bind':
      return bind(x.members.get(action.node), action.addresses)
    case 'restart':
      return restart(x, action.node)
    case 'remove':
      return remove(x, action.node)
  }
}

async function start(x: ActorContext, node: string, replicaOf: string | null): Promise<void> {
  const choice = chooseBinary(x.binaries, x.wish.engine, x.wish.engineVersion)
  if ('problem' in choice) throw new Error(choice.problem)
  x.members.start(x.members.get(node), choice.binary, x.wish, replicaOf)
}

function replication(member: Member) {
  const replication = member.node.link?.replication
  if (!replication) throw new Error(`node ${member.node.id} has no admin connection`)
  return replication
}

async function follow(member: Member, address: string | null): Promise<void> {
  await replication(member).follow(address)
  await member.node.look()
}

async function bind(member: Member, addresses: readonly string[]): Promise<void> {
  await replication(member).bind(addresses)
  await member.node.look()
}

/** The best copy of the data at this moment, and every other living one. */
async function chooseNow(x: ActorContext, lost: string): Promise<{ winner: Member; others: readonly Member[] } | null> {
  const living = x.members.all().filter((m) => m.node.id !== lost && m.wished && m.node.link !== null)
  const looks = living.map(async (member) => {
    const timeout = new Promise<'late'>((resolve) => setTimeout(resolve, OFFSET_TIMEOUT_MS, 'late').unref())
    const asked = await Promise.race([member.node.look(), timeout])
    const facts = member.node.facts
    if (asked === 'late' || facts === null || facts.role === 'none') return null
    return { id: member.node.id, role: facts.role, offset: facts.offset, hasData: member.node.hasData }
  })
  const candidates = (await Promise.all(looks)).filter((c) => c !== null)
  const id = chooseReplica(candidates)
  if (id === null) return null
  return { winner: x.members.get(id), others: living.filter((m) => m.node.id !== id) }
}

/**
 * Fence, choose, promote, move the endpoint, repoint. A lost primary is killed (by pid and start time) before anything
 * else: a stopped one would keep the endpoint's address, and lose the writes that it took after it went on.
 */
async function failOver(x: ActorContext, from: string): Promise<void> {
  await x.members.get(from).node.kill()
  const choice = await chooseNow(x, from)
  if (choice === null) return
  const { winner, others } = choice
  const { node } = winner
  x.setRecord(heirOf(x, from, node.id))
  const addresses = [node.address, x.view.endpoint]
  await replication(winner).follow(null)
  await replication(winner).bind(addresses)
  x.failedOver()
  await Promise.all([node.look(), ...others.map((m) => follow(m, node.address).catch(() => {}))])
}

/** A failover that did not come to its end began at another primary: users see one, from that one to the last. */
const heirOf = (x: ActorContext, from: string, to: string): Partial<GroupRecord> => ({
  primary: to,
  failover: { from: x.record.failover?.from ?? from, to },
})

/** The best copy becomes the source; the lost node starts as its replica and is promoted once it has everything. */
async function rebuildPrimary(x: ActorContext, id: string): Promise<void> {
  const member = x.members.get(id)
  await member.node.kill()
  const choice = await chooseNow(x, id)
  if (choice === null) return
  await follow(choice.winner, null)
  await start(x, id, choice.winner.node.address)
}

/** Writers are paused while the heir catches up, then the endpoint moves and old connections through it are ended. */
async function handOver(x: ActorContext, from: string, to: string): Promise<void> {
  const [old, heir] = [x.members.get(from), x.members.get(to)]
  await replication(old).handOver(heir.node.address)
  x.setRecord(heirOf(x, from, to))
  await replication(old).bind([old.node.address])
  await replication(old).dropClients(x.view.endpoint)
  await bind(heir, [heir.node.address, x.view.endpoint])
  x.failedOver()
  await old.node.look()
}

async function restart(x: ActorContext, id: string): Promise<void> {
  const member = x.members.get(id)
  x.setRecord({ restarts: { ...x.record.restarts, [id]: x.wish.restarts[id] ?? 0 } })
  x.members.reboot(member)
  await member.node.end()
}

async function remove(x: ActorContext, id: string): Promise<void> {
  const member = x.members.get(id)
  await x.members.remove(member)
  x.releaseAddress(id)
  await rm(member.node.dir, { recursive: true, force: true })
}
