//! Nodes that belong to another group from now on: a cluster that becomes the first member of a replication group, and a
//! primary that stays when its group is deleted. The process, its address, its data and its clients go on; what changes is
//! whose it is. The group that a node leaves ends, so that a move is: that group lets go, the ledger is rewritten in one
//! piece, the other group finds the node in the ledger as its own.
import { join } from 'node:path'
import type { Addresses } from './addresses.ts'
import type { Ledger } from './ledger.ts'
import type { GroupWish } from './protocol.ts'

export interface Move {
  readonly node: string
  readonly from: string
  readonly to: string
}

/** Moves that are wished and not yet made: the ledger has the node in the group that it is to leave. */
export function openMoves(groups: readonly GroupWish[], ledger: Ledger): readonly Move[] {
  const wished = groups.flatMap((group) =>
    group.nodes.flatMap(({ id, from }) => (from === undefined ? [] : [{ node: id, from, to: group.id }])),
  )
  if (wished.length === 0) return []
  const present = ledger.nodes()
  return wished.filter((move) => present.some((record) => record.group === move.from && record.node === move.node))
}

/** Makes the node one of its new group. Nobody may be keeping it meanwhile. */
export function makeMove({ node, from, to }: Move, ledger: Ledger, addresses: Addresses, home: string): void {
  const record = ledger.nodes().find((r) => r.group === from && r.node === node)
  if (record === undefined) return
  ledger.atomically(() => {
    addresses.moveNode(from, to, node)
    const admin = ledger.secret(from, 'admin')
    // Its engine knows the keeper by this password, and replication of the new group is to use the same.
    if (admin !== null) ledger.setSecret(to, 'admin', admin)
    ledger.setNode({ ...record, group: to, dir: record.dir ?? join(home, 'nodes', from, node) })
    ledger.dropNode(from, node)
  })
}
