//! Log delivery (spec/elasticache.md 11.4): what is stored of it, and PURE: lines of an engine in AWS's formats.

export type LogType = 'slow-log' | 'engine-log'
export type LogFormat = 'json' | 'text'
export type LogDestinationType = 'cloudwatch-logs' | 'kinesis-firehose'

/** One log of a cluster, or of the members of a replication group, on its way to one destination. */
export interface LogDeliveryRecord {
  readonly logType: LogType
  readonly destinationType: LogDestinationType
  /** Name of the log group or delivery stream. */
  readonly destination: string
  readonly format: LogFormat
  /** Set by the reconciler, but for the words of what was just asked for. */
  readonly status: 'enabling' | 'active' | 'modifying' | 'disabling' | 'error'
  /** Why it does not arrive; null when nothing is known against it. */
  readonly message: string | null
}

/** How far the log of a node has been delivered. */
export interface LogCursorRecord {
  /** slow-log: process that the numbers are of, and the last that was delivered. */
  readonly slow?: { readonly process: string; readonly id: number }
  /** engine-log: as of LogPosition. */
  readonly engine?: { readonly rotations: number; readonly offset: number }
}

/** Whose line it is. */
export interface LogSource {
  readonly clusterId: string
  readonly nodeId: string
}

export interface SlowLogEntry {
  readonly id: number
  /** Seconds since 1970. */
  readonly at: number
  /** Microseconds. */
  readonly duration: number
  /** The engine cuts what is long: `... (2 more arguments)`. */
  readonly args: readonly string[]
  readonly clientAddress: string
  readonly clientName: string
}

export function slowLogLine(source: LogSource, entry: SlowLogEntry, format: LogFormat): string {
  const command = entry.args.join(' ')
  if (format === 'text') {
    const { clusterId, nodeId } = source
    return oneLine(
      [clusterId, nodeId, entry.at, entry.duration, command, entry.clientAddress, entry.clientName].join(','),
    )
  }
  return JSON.stringify({
    CacheClusterId: source.clusterId,
    CacheNodeId: source.nodeId,
    Id: entry.id,
    Timestamp: entry.at,
    'Duration (us)': entry.duration,
    Command: command,
    ClientAddress: entry.clientAddress,
    ClientName: entry.clientName,
  })
}

/** `123:M 29 Oct 2020 20:12:20.499 * message` */
const ENGINE_LINE = /^\d+:([MSCX]) (\d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2}\.\d{3}) ([.*#-]) (.*)$/
const LEVELS: Readonly<Record<string, string>> = { '.': 'DEBUG', '-': 'VERBOSE', '*': 'NOTICE', '#': 'WARNING' }

/** A line of an engine that runs with TZ=UTC. One without a head (a report of several lines) is a message alone. */
export function engineLogLine(source: LogSource, line: string, format: LogFormat): string {
  const [, role, time, symbol = '', message] = ENGINE_LINE.exec(line) ?? []
  const { clusterId, nodeId } = source
  if (format === 'text') {
    const text = role === undefined ? line : `${role} ${time} UTC ${symbol} ${message}`
    return oneLine(`${clusterId}/${nodeId}:${text}`)
  }
  return JSON.stringify({
    CacheClusterId: clusterId,
    CacheNodeId: nodeId,
    ...(role === undefined ? {} : { LogLevel: LEVELS[symbol], Role: role, Time: `${time} UTC` }),
    Message: role === undefined ? line : message,
  })
}

/** Arguments of clients may hold line ends; a line stays one. */
const oneLine = (text: string): string => text.replaceAll('\r', '\\r').replaceAll('\n', '\\n')

/** `elasticache/<engine>/<cluster-id>/<node-id>/<log-type>`, as CloudWatch's log streams are named. */
export const logStreamName = (engine: string, { clusterId, nodeId }: LogSource, logType: LogType): string =>
  `elasticache/${engine}/${clusterId}/${nodeId}/${logType}`

/** Slow commands after the cursor, oldest first, and how many the engine has forgotten before they were read. */
export function slowLogSince<T extends SlowLogEntry>(
  process: string,
  entries: readonly T[],
  last: NonNullable<LogCursorRecord['slow']>,
): { readonly fresh: readonly T[]; readonly missed: number } {
  const after = last.process === process ? last.id : -1
  const fresh = entries.filter(({ id }) => id > after).sort((a, b) => a.id - b.id)
  return { fresh, missed: fresh.length === 0 ? 0 : (fresh[0] as T).id - after - 1 }
}
