//! docs/parameter-groups.md: the families' tables as a document (`npm run docs` writes it, a check compares it).
import { NODE_TYPES, type NodeType } from '../node-types.ts'
import { effectiveMaxmemory } from './directives.ts'
import { FAMILIES } from './families.ts'
import type { Family, Parameter } from './parameter.ts'

/** Families with a table of their own; the others are told from the one that they are listed behind. */
const NEIGHBOURS: readonly (readonly [family: string, told: string | null])[] = [
  ['redis7', null],
  ['valkey7', 'redis7'],
  ['valkey8', 'valkey7'],
  ['valkey9', 'valkey8'],
  ['redis6.x', 'redis7'],
  ['redis5.0', 'redis6.x'],
  ['redis4.0', 'redis5.0'],
  ['redis3.2', 'redis4.0'],
  ['redis2.8', 'redis3.2'],
  ['redis2.6', 'redis2.8'],
  ['memcached1.6', null],
  ['memcached1.5', 'memcached1.6'],
  ['memcached1.4', 'memcached1.6'],
]

const RESERVED_PERCENT = 25

export function parametersDocument(): string {
  const families = NEIGHBOURS.map(([name, told]) => [familyOf(name), told === null ? null : familyOf(told)] as const)
  return [
    '# Parameter groups',
    '',
    'Printed from the tables in [src/domain/parameters](../src/domain/parameters) and',
    '[src/domain/node-types.ts](../src/domain/node-types.ts) by `npm run docs`.',
    '',
    'A parameter group is made from a family: its defaults, with what you set. An engine gets every value that has a',
    'directive at its start and by `CONFIG SET`, and every value is read back: a cluster is `in-sync` when the engine was',
    'seen with them, `pending-reboot` when only a restart can bring them. What DescribeCacheParameters calls modifiable has',
    'an effect here; what AWS allows to change and this host cannot (active defragmentation in an engine that was built',
    "with the system's allocator, as Debian's is) is not modifiable here, and the error says why.",
    '',
    '- `default.FAMILY` exists for every family, `default.FAMILY.cluster.on` from redis3.2 on. A group with',
    '  `cluster-enabled=yes` can be made, not attached: cluster mode answers 501.',
    '- Groups of families that no engine here serves (redis 6 and older, memcached 1.4 and 1.5) can be made, changed and',
    '  described; a cluster of such a version is refused and the error names the package and what it serves.',
    '- `close-on-replica-write` is fixed to `no`: stock engines do not close the connection of a client that writes to a',
    '  replica, they answer `READONLY`.',
    '- `rename-commands` takes pairs `COMMAND blocked`, e.g. `FLUSHALL blocked KEYS blocked`; the value is the whole list.',
    '  A blocked command is refused with `NOPERM` to every client, whoever it logged in as, on every node and in scripts,',
    '  from the moment that the group is `in-sync`, connections that are open included. Access strings name commands by',
    '  their own names; what they grant is refused all the same. A new name (`KEYS mykeys`) answers 501: an engine sends',
    '  a renamed command to its replicas by the new name and takes names only when it starts, so that nodes could not be',
    '  changed one after the other. Restricted commands, and AUTH, HELLO, QUIT and RESET, which no ACL can deny, cannot be',
    '  named.',
    '',
    '## Memory',
    '',
    'A node type is a limit. `maxmemory` of the engine is the number below less the reserved part',
    '(`reserved-memory-percent`, 25 by default; `reserved-memory` in bytes in the families up to redis3.2, which alone',
    'counts as soon as it is above 0). memcached gets `max_cache_memory` less `memcached_connections_overhead`.',
    '',
    'Engines take memory as data arrives, never up front. So a host admits more than it has: what the data of all nodes',
    "may take together is limited to the host's memory (or its control group's) times `--node-memory-overcommit`, 100",
    'unless you say otherwise. That lets a laptop hold the topology of a production account with little in it. On a host',
    'whose caches are to be filled, set 1: a node that does not fit then is refused with InsufficientCacheClusterCapacity,',
    'which names the numbers. It is checked when nodes are made; raising the limits of nodes that exist (a lower',
    '`reserved-memory-percent`) is not checked again.',
    '',
    '| node type | maxmemory, bytes | of it for data by default | memcached, MiB | clients | |',
    '|---|---|---|---|---|---|',
    ...[...NODE_TYPES.values()].map(nodeRow),
    '',
    ...families.flatMap(([family, told]) => (told === null ? whole(family) : differences(family, told))),
  ].join('\n')
}

function familyOf(name: string): Family {
  const family = FAMILIES.get(name)
  if (family === undefined) throw new Error(`no family ${name}`)
  return family
}

const nodeRow = (node: NodeType): string =>
  `| ${node.name} | ${node.maxmemory} | ${effectiveMaxmemory(node, RESERVED_PERCENT)} | ${node.memcachedMegabytes} | ` +
  `${node.maxclients} | ${node.retired ?? ''} |`

const HEAD = ['| parameter | default | allowed | changes | since | |', '|---|---|---|---|---|---|']

const whole = (family: Family): string[] => [
  `## ${family.name}`,
  '',
  ...HEAD,
  ...family.parameters.map(parameterRow),
  '',
]

function parameterRow(p: Parameter): string {
  const value = p.value === null ? 'by node type' : p.value === '' ? '' : `\`${p.value}\``
  return `| \`${p.name}\` | ${value} | ${p.allowed.replaceAll(',', ', ')} | ${changes(p)} | ${p.since} | ${p.description} |`
}

function changes(p: Parameter): string {
  if (p.needs !== null) return `not built: ${p.needs}`
  if (!p.modifiable) return 'no'
  const when = p.changeType === 'immediate' ? 'at once' : 'at reboot'
  return p.feature === null ? when : `${when}, where the engine can`
}

/** What is the same but for the version is not listed. */
function differences(family: Family, told: Family): string[] {
  const known = new Map(told.parameters.map((p) => [p.name, p]))
  const same = (p: Parameter): boolean => {
    const other = known.get(p.name)
    return (
      other !== undefined && other.value === p.value && other.allowed === p.allowed && changes(other) === changes(p)
    )
  }
  const rows = family.parameters.filter((p) => !same(p))
  const gone = told.parameters.filter((p) => !family.parameters.some(({ name }) => name === p.name))
  return [
    `## ${family.name}`,
    '',
    `As ${told.name}${rows.length === 0 ? '.' : ', but for these:'}`,
    '',
    ...(rows.length === 0 ? [] : [...HEAD, ...rows.map(parameterRow), '']),
    ...(gone.length === 0 ? [] : [`It does not have ${gone.map((p) => `\`${p.name}\``).join(', ')}.`, '']),
  ]
}
