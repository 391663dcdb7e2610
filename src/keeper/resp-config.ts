//! PURE: configuration of redis and valkey: the text for standard input, and whether a value read back is the one wished.
import { adminRules, type Door } from './door.ts'
import type { LaunchOrder, Setting } from './engine.ts'
import { certificateSettings, portSettings } from './resp-transit.ts'

/** The keeper's own directives: a wish for one of these is not applied (and shows as pending). */
export const OWNED: ReadonlySet<string> = new Set([
  'bind',
  'port',
  'bind-source-addr',
  'replica-announce-ip',
  'protected-mode',
  'daemonize',
  'dir',
  'logfile',
  'pidfile',
  'save',
  'replicaof',
  'unixsocket',
  'supervised',
  'masteruser',
  'masterauth',
  'requirepass',
  'aclfile',
  'user',
  'tls-port',
  'tls-cert-file',
  'tls-key-file',
  'tls-ca-cert-file',
  'tls-ca-cert-dir',
  'tls-auth-clients',
  'tls-protocols',
  'tls-replication',
])

/** Directives that take several words as one value. */
const ONE_VALUE: ReadonlySet<string> = new Set(['tls-protocols'])

/** Quotes a value unless it is plain; several plain words stay several (`client-output-buffer-limit normal 0 0 0`). */
export function directive(name: string, value: string): string {
  if (!ONE_VALUE.has(name) && /^[\w.:,/@%+*-]+( [\w.:,/@%+*-]+)*$/.test(value)) return `${name} ${value}`
  const escaped = value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r')
  return `${name} "${escaped}"`
}

/** Template of the title that the process of a node shows. */
export const processTitle = (node: string): string => `{title} {listen-addr} cachefront:${node}`

/**
 * The whole configuration of one engine. Nothing of it is on disk, so that a CONFIG REWRITE cannot leave an endpoint's
 * address to a later start (engine-notes). Wished directives come first: of two, the engine takes the last.
 */
export function configText(order: LaunchOrder): string {
  const { address } = order.door
  const own: Setting[] = [
    ['bind', address],
    ...portSettings(order.listening),
    ...(order.certificate === null ? [] : certificateSettings(order.certificate)),
    ...(order.listening.tls === 0
      ? []
      : ([['tls-replication', order.replicaOf?.tls === false ? 'no' : 'yes']] as const)),
    // Otherwise replicas appear at their primary as 127.0.0.1.
    ['bind-source-addr', address],
    ['replica-announce-ip', address],
    // `yes` would refuse replication between loopback addresses.
    ['protected-mode', 'no'],
    ['daemonize', 'no'],
    ['dir', order.dir],
    ['logfile', `${order.dir}/log`],
    ['save', ''],
    ['repl-diskless-sync', 'yes'],
    ['repl-diskless-sync-delay', '0'],
    // Loads beside the old data and swaps; `disabled` would write the data set to disk.
    ['repl-diskless-load', 'swapdb'],
    ['proc-title-template', processTitle(order.name)],
  ]
  const wished = order.settings.filter(([name]) => !OWNED.has(name.toLowerCase()))
  const lines = [...wished, ...own].map(([name, value]) => directive(name, value))
  lines.push(...adminLines(order.door))
  const { defaultUser } = order
  if (defaultUser !== null) lines.push(['user', defaultUser.name, ...defaultUser.rules].join(' '))
  if (order.replicaOf !== null) lines.push(`replicaof ${order.replicaOf.address} ${order.replicaOf.port}`)
  return `${lines.join('\n')}\n`
}

/** The keeper's user, and the same one for the engine itself towards its primary. */
function adminLines({ username, password }: Door): readonly string[] {
  if (username === null || password === null) return []
  const user = ['user', username, ...adminRules(password)].join(' ')
  return [user, directive('masteruser', username), directive('masterauth', password)]
}

/** Settings by name in lower case; several of one name (buffer limits of classes) are one value with several words. */
export function joinSettings(settings: readonly Setting[]): ReadonlyMap<string, string> {
  const joined = new Map<string, string>()
  for (const [name, value] of settings) {
    const key = name.toLowerCase()
    const before = joined.get(key)
    joined.set(key, before === undefined || key !== 'client-output-buffer-limit' ? value : `${before} ${value}`)
  }
  return joined
}

const UNITS: Readonly<Record<string, number>> = { k: 1e3, kb: 2 ** 10, m: 1e6, mb: 2 ** 20, g: 1e9, gb: 2 ** 30, b: 1 }

/** Words as the engine prints them: sizes in bytes, replicas by their older name. */
function normalWord(word: string): string {
  const size = /^(\d+)(k|kb|m|mb|g|gb|b)$/i.exec(word)
  if (size !== null) return String(Number(size[1]) * UNITS[size[2]!.toLowerCase()]!)
  const lower = word.toLowerCase()
  return lower === 'slave' ? 'replica' : lower
}

const words = (value: string): string[] => value.split(' ').filter(Boolean).map(normalWord)

/** Whether the engine holds the wished value. Flags of notify-keyspace-events come back in another order. */
export function holds(name: string, wished: string, actual: string): boolean {
  if (wished === actual) return true
  if (name === 'notify-keyspace-events') return sameFlags(wished, actual)
  const [want, have] = [words(wished), words(actual)]
  if (name === 'client-output-buffer-limit') return holdsLimits(want, have)
  return want.join(' ') === have.join(' ')
}

/** `A` stands for all of g$lshzxetd. */
function sameFlags(wished: string, actual: string): boolean {
  const flags = (text: string): string => [...new Set(text.replace('A', 'g$lshzxetd'))].sort().join('')
  return flags(wished) === flags(actual)
}

/** Each wished class (class, hard, soft, seconds) must be among those the engine reports. */
function holdsLimits(want: readonly string[], have: readonly string[]): boolean {
  const classes = (list: readonly string[]): string[] =>
    Array.from({ length: Math.floor(list.length / 4) }, (_, at) => list.slice(at * 4, at * 4 + 4).join(' '))
  const reported = classes(have)
  return want.length % 4 === 0 && classes(want).every((limit) => reported.includes(limit))
}
