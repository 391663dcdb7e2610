//! PURE: the list of a memcached cluster's nodes that clients discover, and its version (spec/elasticache.md 3.3): it rises
//! with each change of the list, and when a node of the list is another process than before, which is empty.
import type { GroupRecord } from './ledger.ts'

export interface ListedNode {
  readonly address: string
  /** Of the process that serves; null while there is none. */
  readonly pid: number | null
}

/** What to note; null when nothing has changed. Nodes without a process stay in the list: they come back at their address. */
export function nextMembership(
  record: Pick<GroupRecord, 'members' | 'membershipVersion' | 'memberProcesses'>,
  nodes: readonly ListedNode[],
): Pick<GroupRecord, 'members' | 'membershipVersion' | 'memberProcesses'> | null {
  const known = record.memberProcesses ?? {}
  const members = nodes.map(({ address }) => address).sort(compareAddresses)
  const memberProcesses = Object.fromEntries(
    nodes.flatMap(({ address, pid }) => {
      const process = pid ?? known[address]
      return process === undefined ? [] : [[address, process]]
    }),
  )
  const isReplaced = ([address, pid]: [string, number]): boolean =>
    known[address] !== undefined && known[address] !== pid
  const rises = members.join() !== record.members.join() || Object.entries(memberProcesses).some(isReplaced)
  const noted = Object.keys(memberProcesses).length === Object.keys(known).length
  if (!rises && noted) return null
  return { members, memberProcesses, membershipVersion: record.membershipVersion + (rises ? 1 : 0) }
}

/** By number, so that 127.16.0.10 comes after 127.16.0.9. */
const compareAddresses = (a: string, b: string): number => {
  const number = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  return number(a) - number(b)
}
