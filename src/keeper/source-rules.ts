//! PURE: which clients may reach a group's addresses -> the rules of a packet filter (nftables, a table of our own).

import { keeperAddress } from './addresses.ts'

/** One group that not everybody may reach. */
export interface Guarded {
  readonly group: string
  /** Where clients connect, and where engines listen behind a front. */
  readonly ports: readonly number[]
  /** Of its nodes and endpoints. What comes from them is replication, and what comes from `keeperAddress` the keeper's. */
  readonly addresses: readonly [string, ...string[]]
  /** CIDRs; a client's address must be in one network of each list. An empty list admits nobody. */
  readonly sources: readonly (readonly string[])[]
}

/**
 * The table as a whole, for `nft -f`: one transaction that replaces what was there. A client that is not admitted is
 * refused at once, and so is one that was admitted when it connected. (AWS leaves it without an answer.)
 */
export function tableText(table: string, guarded: readonly Guarded[]): string {
  const rules = guarded.flatMap(rulesOf).map((rule) => `    ${rule}`)
  return [
    ...emptyTable(table),
    `table inet ${table} {`,
    '  chain input {',
    '    type filter hook input priority 0; policy accept;',
    ...rules,
    '  }',
    '}',
    '',
  ].join('\n')
}

/** Removes the table, whether it is there or not. */
export const removalText = (table: string): string => `${emptyTable(table).join('\n')}\n`

const emptyTable = (table: string): string[] => [`table inet ${table}`, `delete table inet ${table}`]

function rulesOf({ ports, addresses, sources }: Guarded): string[] {
  const ours = set([...addresses, keeperAddress(addresses[0])])
  const refused = (from: string): string =>
    `ip daddr ${set(addresses)} ip saddr != ${ours} tcp dport ${set(ports)}${from} reject with tcp reset`
  return sources.map((list) => refused(list.length === 0 ? '' : ` ip saddr != ${set(disjoint(list))}`))
}

const set = (items: readonly (string | number)[]): string => `{ ${items.join(', ')} }`

/** Without networks that another one contains: a set takes no overlaps. */
export function disjoint(cidrs: readonly string[]): string[] {
  const networks = [...new Set(cidrs)].map((text) => ({ text, ...networkOf(text) }))
  return networks
    .filter((one) => !networks.some((other) => other !== one && contains(other, one)))
    .map(({ text }) => text)
}

interface Network {
  readonly first: number
  readonly bits: number
}

function networkOf(cidr: string): Network {
  const [address = '', bits = '32'] = cidr.split('/')
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const size = 2 ** (32 - Number(bits))
  return { first: Math.floor(number / size) * size, bits: Number(bits) }
}

/** Of two that are the same network in different words, the one that comes first in the text's order stays. */
function contains(outer: Network & { text: string }, inner: Network & { text: string }): boolean {
  const size = 2 ** (32 - outer.bits)
  const inside = inner.first >= outer.first && inner.first < outer.first + size && outer.bits <= inner.bits
  return inside && (outer.bits < inner.bits || outer.text < inner.text)
}
