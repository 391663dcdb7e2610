//! redis-server and valkey-server: configuration on standard input, one admin connection each.
import type { Redis } from 'ioredis'
import { ADMIN_USER, type Door } from './door.ts'
import type { Engine, EngineFacts, EngineLink, EngineUser, Setting } from './engine.ts'
import { type Observation, RespObservation } from './observation.ts'
import { configText, holds, joinSettings, OWNED } from './resp-config.ts'
import { connect } from './resp-connection.ts'
import { RespReplication } from './resp-replication.ts'
import { isReplyError, pairsOf, readInfo } from './resp-replies.ts'
import { certificateSettings } from './resp-transit.ts'
import type { ServedCertificate } from './transit.ts'
import { DEFAULT_USER } from './users.ts'

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
  const redis = await connect(door, timeoutMs)
  redis.once('close', onClosed)
  return new RespLink(redis)
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
    this.replication.note({ listening })
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
