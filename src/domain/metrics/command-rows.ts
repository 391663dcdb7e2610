//! Metrics of families of commands: how many, and how long one took (spec/elasticache.md 12.2).
import { COMMANDS, type CommandGroup, type CommandKind } from './command-groups.ts'
import { added, type MetricRow, type NodeSample, row, type SamplePair } from './metric.ts'

type Family = readonly [name: string, words: string, member: (command: CommandKind) => boolean]

const ofGroups =
  (...groups: readonly CommandGroup[]) =>
  ({ group }: CommandKind): boolean =>
    groups.includes(group)

/** Groups whose commands work on data; scripts are counted by what they call. */
const isData = ofGroups(
  ...(['string', 'bitmap', 'list', 'set', 'sorted-set', 'hash', 'hyperloglog', 'geo', 'stream', 'generic'] as const),
)

/** Bitmaps are strings (unconfirmed); the rest follows the groups of COMMAND DOCS. */
const FAMILIES: readonly Family[] = [
  ['ClusterBased', 'group cluster', ofGroups('cluster')],
  ['EvalBased', 'group scripting', ofGroups('scripting')],
  ['GeoSpatialBased', 'group geo', ofGroups('geo')],
  ['GetType', 'commands of data that only read', (command) => isData(command) && command.kind === 'read'],
  ['HashBased', 'group hash', ofGroups('hash')],
  ['HyperLogLogBased', 'group hyperloglog', ofGroups('hyperloglog')],
  ['KeyBased', 'group generic', ofGroups('generic')],
  ['ListBased', 'group list', ofGroups('list')],
  ['NonKeyType', 'commands that take no key', (command) => !command.takesKey],
  ['PubSubBased', 'group pubsub', ofGroups('pubsub')],
  ['SetBased', 'group set', ofGroups('set')],
  ['SetType', 'commands of data that write', (command) => isData(command) && command.kind === 'write'],
  ['SortedSetBased', 'group sorted-set', ofGroups('sorted-set')],
  ['StreamBased', 'group stream', ofGroups('stream')],
  ['StringBased', 'groups string and bitmap', ofGroups('string', 'bitmap')],
]

const sum =
  (member: Family[2], part: 'calls' | 'usec') =>
  (sample: NodeSample): number => {
    let all = 0
    for (const [name, count] of sample.commands) {
      const command = COMMANDS.get(name)
      if (command !== undefined && member(command)) all += count[part]
    }
    return all
  }

/** Microseconds of one call; null when there was none. */
function latency(pair: SamplePair, member: Family[2]): number | null {
  const calls = added(pair, sum(member, 'calls'))
  const usec = added(pair, sum(member, 'usec'))
  return calls === null || usec === null || calls === 0 ? null : usec / calls
}

const latencyRow = (name: string, words: string, member: Family[2]): Omit<MetricRow, 'engines'> =>
  row(name, 'Microseconds', 'Average', `Δ usec / Δ calls of ${words}`, (pair) => latency(pair, member))

export const COMMAND_ROWS: readonly Omit<MetricRow, 'engines'>[] = [
  ...FAMILIES.flatMap(([name, words, member]) => [
    row(`${name}Cmds`, 'Count', 'Sum', `Δ calls of ${words}`, (pair) => added(pair, sum(member, 'calls'))),
    latencyRow(`${name}CmdsLatency`, words, member),
  ]),
  latencyRow('SuccessfulReadRequestLatency', 'commands that only read', ({ kind }) => kind === 'read'),
  latencyRow('SuccessfulWriteRequestLatency', 'commands that write', ({ kind }) => kind === 'write'),
]
