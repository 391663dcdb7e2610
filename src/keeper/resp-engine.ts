//! redis-server and valkey-server: configuration on standard input, one admin connection each.
import { AbstractConnector, Redis } from 'ioredis'
import { dial } from './dial.ts'
import { ADMIN_USER, adminRules, type Door } from './door.ts'
import type { Engine, EngineFacts, EngineLink, EngineUser, Replication, Setting } from './engine.ts'
import { type Observation, RespObservation } from './observation.ts'
import { configText, holds, joinSettings, OWNED, processTitle } from './resp-config.ts'
import { type Ask, certificateSettings, listen } from './resp-transit.ts'
import type { Listening, ServedCertificate, Source } from './transit.ts'
import { DEFAULT_USER } from './users.ts'

/** How long a planned hand-over may pause writers, in milliseconds. */
const HAND_OVER_MS = 2000
/** Clients see a moved listener reset while it is reopened, so a refused bind is tried again slowly (engine-notes). */
const BIND_ATTEMPTS = 5
const BIND_RETRY_MS = 20
/** A connection that is closed on purpose is cut when the engine does not close it, too. Milliseconds. */
const END_TIMEOUT_MS = 2000
/** A command without an answer is given up, so that a frozen engine never holds the group's turn. Milliseconds. */
const COMMAND_TIMEOUT_MS = 2000

export const respEngine: Engine = {
  replicated: true,
  // Without save points it ends without saving, and says so in its log.
  endSignal: 'SIGTERM',
  launch: (order) => ({ args: ['-'], input: configText(order), startedWith: order.settings }),
  open: openLink,
  refusedSetting(logTail, settings) {
    // *** FATAL CONFIG FILE ERROR ... at line 4, >>> 'foo bar'
    const line = /FATAL CONFIG FILE ERROR[\s\S]*>>> '(.*)'/.exec(logTail)?.[1]
    if (line === undefined) return null
    const name = line.split(' ')[0]?.toLowerCase()
    return settings.find((setting) => setting[0].toLowerCase() === name) ?? null
  },
}

async function openLink(door: Door, timeoutMs: number, onClosed: () => void): Promise<EngineLink> {
  // No retries of any kind: a broken connection is news that the group's decider wants at once.
  const redis = new Redis({
    Connector: dialing(door, timeoutMs),
    lazyConnect: true,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: null,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    protocol: 2,
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    await within(timeoutMs, enter(redis, door))
  } catch (error) {
    redis.disconnect()
    throw error
  }
  redis.once('close', onClosed)
  return new RespLink(redis)
}

/** Connections of the client through the door. */
function dialing(door: Door, timeoutMs: number) {
  return class extends AbstractConnector {
    constructor() {
      super(END_TIMEOUT_MS)
    }

    async connect() {
      this.stream = await dial(door, timeoutMs)
      return this.stream
    }
  }
}

/**
 * Logs in as the keeper's user. An engine that was started before there was such a user is open to all: it is given the
 * user now, and the same name for its own way to its primary.
 * @throws what the engine says when it is neither ours nor open.
 */
async function enter(redis: Redis, { username, password }: Door): Promise<void> {
  if (username === null || password === null) return
  try {
    await ask('AUTH', username, password)
  } catch (error) {
    if (!(error as Error).message.startsWith('WRONGPASS')) throw error
    await ask('ACL', 'SETUSER', username, ...adminRules(password))
    await ask('CONFIG', 'SET', 'masteruser', username)
    await ask('CONFIG', 'SET', 'masterauth', password)
    await ask('AUTH', username, password)
  }
  async function ask(name: string, ...args: readonly string[]): Promise<void> {
    await redis.call(name, ...args).catch((error: Error) => {
      // The client's own error carries the arguments, and with them the password.
      throw new Error(error.message)
    })
  }
}

/** A stopped process takes connections and says nothing. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

class RespLink implements EngineLink {
  readonly #redis: Redis
  readonly replication: RespReplication
  readonly observation: Observation

  constructor(redis: Redis) {
    this.#redis = redis
    this.replication = new RespReplication(redis)
    this.observation = new RespObservation((...command) => redis.call(...command))
  }

  async ping(): Promise<void> {
    try {
      await this.#redis.call('PING')
    } catch (error) {
      // LOADING, NOAUTH: it answers. BUSY: a script keeps it from serving anybody (judge.ts says for how long).
      if (!isReplyError(error) || (error as Error).message.startsWith('BUSY')) throw error
    }
  }

  async look(): Promise<EngineFacts> {
    const [info, bind, port, tls] = await Promise.all([
      this.#redis.call('INFO', 'server', 'replication', 'persistence') as Promise<string>,
      pairsOf(this.#redis.call('CONFIG', 'GET', 'bind')),
      pairsOf(this.#redis.call('CONFIG', 'GET', 'port')),
      pairsOf(this.#redis.call('CONFIG', 'GET', 'tls-*')),
    ])
    const { masterPort, ...facts } = readInfo(info)
    const bound = (bind.get('bind') ?? '').split(' ').filter(Boolean)
    const listening = { plain: Number(port.get('port')), tls: Number(tls.get('tls-port') ?? 0) }
    this.replication.note({ listening, bound })
    return {
      ...facts,
      bound,
      listening,
      followsBy: facts.follows === null ? null : { port: masterPort, tls: tls.get('tls-replication') === 'yes' },
    }
  }

  async configure(wished: readonly Setting[], startedWith: readonly Setting[]): Promise<readonly string[]> {
    const values = joinSettings(wished)
    const started = joinSettings(startedWith)
    const before = await this.#values([...values.keys()])
    const changes = [...values].filter(([name, value]) => {
      const actual = before.get(name)
      return actual !== undefined && !OWNED.has(name) && !holds(name, value, actual)
    })
    // One command each: a single refused directive would undo all others of the same CONFIG SET.
    await Promise.all(changes.map(([name, value]) => this.#redis.call('CONFIG', 'SET', name, value).catch(() => {})))
    const after = changes.length === 0 ? before : await this.#values([...values.keys()])
    return [...values].flatMap(([name, value]) => {
      // What CONFIG GET does not know (rename-command) holds since the start.
      const actual = after.get(name) ?? started.get(name)
      return actual !== undefined && holds(name, value, actual) ? [] : [name]
    })
  }

  async #values(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (names.length === 0) return new Map()
    return pairsOf(this.#redis.call('CONFIG', 'GET', ...names))
  }

  async serveCertificate(certificate: ServedCertificate): Promise<void> {
    await this.#redis.call('CONFIG', 'SET', ...certificateSettings(certificate).flat())
  }

  async statistics(): Promise<string> {
    return (await this.#redis.call('INFO', 'all')) as string
  }

  async setUsers(users: readonly EngineUser[]): Promise<string | null> {
    const present = (await this.#redis.call('ACL', 'USERS')) as readonly string[]
    const wished = new Set([ADMIN_USER, DEFAULT_USER, ...users.map(({ name }) => name)])
    const gone = present.filter((name) => !wished.has(name))
    if (gone.length > 0) await this.#redis.call('ACL', 'DELUSER', ...gone)
    const answers = users.map(async ({ name, rules }): Promise<string | null> => {
      try {
        await this.#redis.call('ACL', 'SETUSER', name, ...rules)
        return null
      } catch (error) {
        // BUSY passes; what an engine refuses otherwise it refuses always.
        if (!isReplyError(error) || (error as Error).message.startsWith('BUSY')) throw error
        return `the engine refuses user ${name}: ${(error as Error).message}`
      }
    })
    return (await Promise.all(answers)).find((problem) => problem !== null) ?? null
  }

  async store(key: string, value: string): Promise<void> {
    await this.#redis.call('SET', key, value)
  }

  close(): void {
    this.#redis.disconnect()
  }
}

async function pairsOf(asked: Promise<unknown>): Promise<ReadonlyMap<string, string>> {
  const flat = (await asked) as readonly string[]
  const pairs = new Map<string, string>()
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.set(flat[at]!, flat[at + 1]!)
  return pairs
}

class RespReplication implements Replication {
  readonly #redis: Redis
  /** As it was last seen. */
  #now: Pick<EngineFacts, 'listening' | 'bound'> = { listening: { plain: 0, tls: 0 }, bound: [] }

  constructor(redis: Redis) {
    this.#redis = redis
  }

  note(now: Pick<EngineFacts, 'listening' | 'bound'>): void {
    this.#now = now
  }

  async follow(source: Source | null): Promise<void> {
    if (source === null) {
      await this.#redis.call('REPLICAOF', 'NO', 'ONE')
      return
    }
    const turned = await this.#overTls(source.tls)
    await this.#redis.call('REPLICAOF', source.address, String(source.port))
    // The same address and port again would keep the connection as it is, encrypted or not.
    if (turned) await this.#redis.call('CLIENT', 'KILL', 'TYPE', 'master')
  }

  /** True when its way to a primary was another kind of connection before. */
  async #overTls(tls: boolean): Promise<boolean> {
    const before = (await pairsOf(this.#redis.call('CONFIG', 'GET', 'tls-replication'))).get('tls-replication')
    const wanted = tls ? 'yes' : 'no'
    if (before === wanted || (before === undefined && !tls)) return false
    await this.#redis.call('CONFIG', 'SET', 'tls-replication', wanted)
    return true
  }

  async listen(wanted: Listening, certificate: ServedCertificate | null, port: number): Promise<void> {
    const { listening: before, bound } = this.#now
    const ask: Ask = (name, ...args) => this.#redis.call(name, ...args)
    await listen(ask, { before, wanted, bound, port }, certificate)
  }

  async load(address: string, port: number): Promise<{ undo(): Promise<void> }> {
    const name = 'tls-replication'
    // Empty where the engine is built without TLS.
    const [, secure] = (await this.#redis.call('CONFIG', 'GET', name)) as readonly string[]
    const set = async (value: string): Promise<void> => {
      if (secure === 'yes') await this.#redis.call('CONFIG', 'SET', name, value)
    }
    await set('no')
    await this.#redis.call('REPLICAOF', address, String(port))
    return { undo: () => set('yes') }
  }

  async bind(addresses: readonly string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#redis.call('CONFIG', 'SET', 'bind', addresses.join(' '))
        return
      } catch (error) {
        if (attempt === BIND_ATTEMPTS || !isReplyError(error)) throw error
        await new Promise((resolve) => setTimeout(resolve, BIND_RETRY_MS))
      }
    }
  }

  async dropClients(address: string): Promise<void> {
    const { plain, tls } = this.#now.listening
    for (const port of [plain, tls].filter((one) => one !== 0)) {
      await this.#redis.call('CLIENT', 'KILL', 'LADDR', `${address}:${port}`)
    }
  }

  async goBy(name: string, address: string): Promise<void> {
    const own = ['bind-source-addr', address, 'replica-announce-ip', address]
    await this.#redis.call('CONFIG', 'SET', ...own, 'proc-title-template', processTitle(name))
  }

  async handOver({ address, port, tls }: Source): Promise<void> {
    await this.#overTls(tls)
    await this.#redis.call('FAILOVER', 'TO', address, String(port), 'TIMEOUT', String(HAND_OVER_MS))
    // The command only begins it: it has ended when this engine is a replica, or is a primary without a failover.
    for (;;) {
      const info = (await this.#redis.call('INFO', 'replication')) as string
      if (info.includes('role:slave')) return
      if (info.includes('master_failover_state:no-failover')) throw new Error(`${address} did not take over in time`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

const isReplyError = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError'

type ReadFacts = Omit<EngineFacts, 'bound' | 'listening' | 'followsBy'>

/** The facts in the text of INFO server and INFO replication. */
export function readInfo(info: string): ReadFacts & { readonly masterPort: number } {
  const field = (name: string): string | null => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? null
  const isReplica = field('role') === 'slave'
  return {
    pid: Number(field('process_id')),
    version: field('valkey_version') ?? field('redis_version') ?? '',
    role: isReplica ? 'replica' : 'primary',
    follows: isReplica ? field('master_host') : null,
    masterPort: Number(field('master_port')),
    inSync: isReplica && field('master_link_status') === 'up' && field('master_sync_in_progress') === '0',
    isCopying: isReplica && field('master_sync_in_progress') === '1',
    isLoading: !isReplica && field('loading') === '1',
    // A replica that never finished a transfer reports 0, and so does one whose transfer runs.
    offset: Number(isReplica ? field('slave_repl_offset') : field('master_repl_offset')),
  }
}
