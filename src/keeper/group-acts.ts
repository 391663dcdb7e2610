//! The hands of a group: carries out what the decider (failover.ts) says, one action at a time. Each act is safe to
//! repeat, and writes its intent to the ledger first, so that a keeper that dies in the middle is continued by the next.
import { type Binary, chooseBinary } from './binaries.ts'
import { addressesOfPromoted, chooseReplica } from './failover.ts'
import type { Action, GroupView, NodeView } from './group-view.ts'
import type { GroupRecord, Ledger } from './ledger.ts'
import type { Member, Members } from './members.ts'
import type { EngineNode } from './node.ts'
import { removeNodeDirectory } from './node-directory.ts'
import { removeFile } from './persistence.ts'
import { isStandIn } from './planned-changes.ts'
import type { GroupWish } from './protocol.ts'
import { type ServedCertificate, type Source, sourceAt } from './transit.ts'

/** A replica that does not tell its offset within this time is left out of the choice. Milliseconds. */
const OFFSET_TIMEOUT_MS = 300
/**
 * A replica whose link is still up has bytes of the dead primary that it has not read; promoted now it would drop them.
 * It is waited for so long at most. Milliseconds.
 */
const DRAIN_MS = 50
const DRAIN_LOOK_MS = 2
/** A hung primary that does not give its endpoint up within this time is killed. Milliseconds. */
const GIVE_UP_MS = 200

export interface ActorContext {
  readonly wish: GroupWish
  readonly record: GroupRecord
  readonly members: Members
  readonly ledger: Ledger
  readonly binaries: readonly Binary[]
  readonly view: GroupView
  /** Why clients from elsewhere than wished could reach it now; null when none could. */
  readonly unguarded: () => string | null
  /** Holds clients to the wished networks at the addresses that the group has now. */
  readonly guard: () => Promise<void>
  /** Judged anew: what was decided a moment ago may not be so any more. */
  readonly isStillLost: (node: string) => boolean
  /** The failover of the record is done: told once, whatever happens to the keeper. */
  readonly failedOver: () => void
  readonly setRecord: (change: Partial<GroupRecord>) => void
  /** What the group's engines serve TLS with. */
  readonly certificate: ServedCertificate | null
  readonly releaseAddress: (node: string) => void
}

/** Carries out one action. @throws when the engine refuses or is gone; the group looks again and decides anew. */
export function act(action: Action, x: ActorContext): Promise<void> {
  switch (action.do) {
    case 'start':
      return start(x, action.node, action.replicaOf)
    case 'kill':
      return kill(x, action.node)
    case 'discard':
      return discard(x.members.get(action.node))
    case 'fail-over':
      return failOver(x, action.from, action.asked)
    case 'rebuild-primary':
      return rebuildPrimary(x, action.node)
    case 'hand-over':
      return handOver(x, action.from, action.to, action.asked)
    case 'note-role-change':
      return noteRoleChange(x, action.number)
    case 'promote':
      return follow(x.members.get(action.node), null)
    case 'follow':
      return follow(x.members.get(action.node), x.members.get(action.primary).node)
    case 'listen':
      return listen(x, action.node)
    case 'bind':
      return bind(x.members.get(action.node), action.addresses)
    case 'restart':
      return restart(x, action.node)
    case 'replace':
      return replace(x, action.node)
    case 'make-stand-in':
      return makeStandIn(x, action.node)
    case 'take-place':
      return takePlace(x, action.node, action.standIn)
    case 'remove':
      return remove(x, action.node)
  }
}

async function start(x: ActorContext, node: string, replicaOf: string | null): Promise<void> {
  const choice = chooseBinary(x.binaries, x.wish.engine, x.wish.engineVersion)
  if ('problem' in choice) throw new Error(choice.problem)
  const unguarded = x.unguarded()
  if (unguarded !== null) throw new Error(unguarded)
  const source = x.members.all().find((m) => m.node.address === replicaOf)?.node
  x.members.start(x.members.get(node), choice.binary, x.wish, source === undefined ? null : sourceOf(source))
}

function replication(member: Member) {
  const replication = member.node.link?.replication
  if (!replication) throw new Error(`node ${member.node.id} has no admin connection`)
  return replication
}

/** @throws when it has not said how it listens: then it cannot be followed either */
function sourceOf({ id, address, facts }: EngineNode): Source {
  if (facts === null) throw new Error(`node ${id} has not answered yet`)
  return sourceAt(address, facts.listening)
}

async function follow(member: Member, primary: EngineNode | null): Promise<void> {
  await replication(member).follow(primary === null ? null : sourceOf(primary))
  await member.node.look()
}

async function listen(x: ActorContext, id: string): Promise<void> {
  const member = x.members.get(id)
  await replication(member).listen(x.view.listening, x.certificate, x.wish.port)
  await member.node.look()
}

/** Clients that came through an address which the node gives up are ended: they belong to whoever takes it. */
async function bind(member: Member, addresses: readonly string[]): Promise<void> {
  const before = member.node.facts?.bound ?? []
  await replication(member).bind(addresses)
  const givenUp = before.filter((address) => !addresses.includes(address))
  await Promise.all(givenUp.map((address) => replication(member).dropClients(address)))
  await member.node.look()
}

async function kill(x: ActorContext, node: string): Promise<void> {
  if (x.isStillLost(node)) await x.members.get(node).node.kill()
}

/** A stand-in has the data of the node that it stands in for. */
const mayServe = (member: Member): boolean => member.wished || isStandIn(member.node.id)

/** Resolves false when `work` fails or has not ended after `ms`. */
async function isDoneWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(late.resolve, ms, false)
  const done = work.then(
    () => true,
    () => false,
  )
  return Promise.race([done, late.promise]).finally(() => clearTimeout(timer))
}

/** The best copy of the data at this moment, and every other living one. */
async function chooseNow(x: ActorContext, lost: string): Promise<{ winner: Member; others: readonly Member[] } | null> {
  const living = x.members.all().filter((m) => m.node.id !== lost && mayServe(m) && m.node.link !== null)
  const looks = living.map(async ({ node }) => {
    const answered = await isDoneWithin(OFFSET_TIMEOUT_MS, lookAfterDrain(node, x.members.get(lost).node.address))
    const facts = node.facts
    if (!answered || node.link === null || facts === null || facts.role === 'none') return null
    return { id: node.id, role: facts.role, offset: facts.offset, hasData: node.hasData }
  })
  const candidates = (await Promise.all(looks)).filter((c) => c !== null)
  const id = chooseReplica(candidates)
  if (id === null) return null
  return { winner: x.members.get(id), others: living.filter((m) => m.node.id !== id) }
}

/** Looks until the node has read all that its ended primary at `address` had sent. */
async function lookAfterDrain(node: EngineNode, address: string): Promise<void> {
  await node.look()
  for (let waited = 0; waited < DRAIN_MS; waited += DRAIN_LOOK_MS) {
    if (node.facts === null || !node.facts.inSync || node.facts.follows !== address) return
    await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS))
    await node.look()
  }
}

/**
 * Fence, choose, promote, move the endpoint, repoint. Nothing is done before the lost primary can take no write any
 * more: a stopped one would keep the endpoint's address, and lose the writes that it took after it went on.
 */
async function failOver(x: ActorContext, from: string, asked?: number): Promise<void> {
  if (asked !== undefined) {
    // First, so that a keeper that dies here does not do it twice: what follows is a failover like any other.
    x.setRecord(done(asked))
    await x.members.get(from).node.kill()
  } else if (!x.isStillLost(from)) return
  else if ((await fence(x, from)) === 'gave-up' && (await handOverOfFenced(x, from))) return
  const choice = await chooseNow(x, from)
  if (choice === null) return
  const { winner, others } = choice
  const { node } = winner
  x.setRecord(heirOf(x, from, node.id))
  await replication(winner).follow(null)
  await replication(winner).bind(addressesOfPromoted(x.view, viewOf(x, node.id)))
  x.failedOver()
  await Promise.all([node.look(), ...others.map((m) => follow(m, node).catch(() => {}))])
}

const viewOf = (x: ActorContext, node: string): NodeView => x.view.nodes.find((n) => n.id === node)!

/**
 * Keeps a lost primary from taking another write at the endpoint. A hung one is asked to give the endpoint and the
 * clients of it up; it is killed, as one that is stopped is at once, when it does not do so within 200 ms.
 * @throws when it can be neither asked nor ended: the endpoint stays where it is.
 */
async function fence(x: ActorContext, id: string): Promise<'ended' | 'gave-up'> {
  const { node } = x.members.get(id)
  const { health } = viewOf(x, id)
  const asked = node.link?.replication
  // Behind a front its clients are not at the endpoint's address.
  if (health.kind === 'lost' && health.reason === 'hung' && asked && !x.view.fronted) {
    const gives = asked.bind([node.address]).then(() => asked.dropClients(x.view.endpoint))
    if (await isDoneWithin(GIVE_UP_MS, gives)) return 'gave-up'
  }
  await node.kill()
  return 'ended'
}

/** It answered after all, behind its fence: its heir gets every write that it took. False, and it is ended, when not. */
async function handOverOfFenced(x: ActorContext, from: string): Promise<boolean> {
  const old = x.members.get(from)
  const living = x.view.nodes.filter(
    (n) => n.id !== from && n.role === 'replica' && n.inSync && n.health.kind === 'well',
  )
  const heir = chooseReplica(living.map((n) => ({ ...n, role: 'replica', offset: offsetOf(x, n.id) })))
  try {
    if (heir === null) throw new Error(`no replica of ${from} is in sync`)
    await handOver(x, from, heir)
    return true
  } catch {
    await old.node.kill()
    return false
  }
}

const offsetOf = (x: ActorContext, node: string): number => x.members.get(node).node.facts?.offset ?? 0

/** A failover that did not come to its end began at another primary: users see one, from that one to the last. */
const heirOf = (x: ActorContext, from: string, to: string): Partial<GroupRecord> => ({
  primary: to,
  failover: { from: x.record.failover?.from ?? from, to },
})

/** With the change of the primary itself: each wished role change is carried out once. */
const done = (asked: number | undefined): Partial<GroupRecord> => (asked === undefined ? {} : { roleChange: asked })

async function noteRoleChange(x: ActorContext, number: number): Promise<void> {
  x.setRecord(done(number))
}

/** The best copy becomes the source; the lost node starts as its replica and is promoted once it has everything. */
async function rebuildPrimary(x: ActorContext, id: string): Promise<void> {
  if (!x.isStillLost(id)) return
  const member = x.members.get(id)
  await member.node.kill()
  const choice = await chooseNow(x, id)
  if (choice === null) return
  await follow(choice.winner, null)
  await start(x, id, choice.winner.node.address)
}

/** Writers are paused while the heir catches up, then the endpoint moves and old connections through it are ended. */
async function handOver(x: ActorContext, from: string, to: string, asked?: number): Promise<void> {
  const [old, heir] = [x.members.get(from), x.members.get(to)]
  await replication(old).handOver(sourceOf(heir.node))
  x.setRecord({ ...heirOf(x, from, to), ...done(asked) })
  await replication(old).bind([old.node.address])
  await replication(old).dropClients(x.view.endpoint)
  await bind(heir, x.view.fronted ? [heir.node.address] : [heir.node.address, x.view.endpoint])
  x.failedOver()
  await old.node.look()
}

async function discard({ node }: Member): Promise<void> {
  await node.kill()
  await node.end()
  removeFile(node.dir)
}

async function restart(x: ActorContext, id: string): Promise<void> {
  const member = x.members.get(id)
  x.setRecord({ restarts: { ...x.record.restarts, [id]: x.wish.restarts[id] ?? 0 } })
  x.members.reboot(member)
  await member.node.end()
}

async function replace(x: ActorContext, id: string): Promise<void> {
  const member = x.members.get(id)
  x.members.replace(member)
  await member.node.end()
}

async function makeStandIn(x: ActorContext, id: string): Promise<void> {
  const old = x.members.get(id)
  const standIn = await x.members.addStandIn(old)
  await x.guard()
  await start(x, standIn.node.id, old.node.address)
}

/**
 * Writers are paused while the stand-in takes the last writes; then the old process ends, for two cannot listen at the
 * node's address, and the stand-in listens in its place. A keeper that dies in between leaves either the old process,
 * which is made primary again before anybody wrote elsewhere, or the stand-in, from which the node is rebuilt.
 */
async function takePlace(x: ActorContext, id: string, standInId: string): Promise<void> {
  const [old, standIn] = [x.members.get(id), x.members.get(standInId)]
  const { address, bound } = viewOf(x, id)
  const ownOfStandIn = standIn.node.address
  x.members.replace(old)
  await replication(old).handOver(sourceOf(standIn.node))
  await old.node.end()
  const link = replication(standIn)
  await link.bind([ownOfStandIn, ...bound])
  await link.goBy(id, address)
  x.members.takePlace(old, standIn)
  await link.bind(bound)
  x.releaseAddress(standInId)
}

async function remove(x: ActorContext, id: string): Promise<void> {
  const member = x.members.get(id)
  await x.members.remove(member)
  x.releaseAddress(id)
  await removeNodeDirectory(member.node.dir)
}
