//! The keeper's connection to a redis-server or valkey-server: through its door, as its own user.
import { AbstractConnector, Redis } from 'ioredis'
import { dial } from './dial.ts'
import { adminRules, type Door } from './door.ts'

/** A connection that is closed on purpose is cut when the engine does not close it, too. Milliseconds. */
const END_TIMEOUT_MS = 2000
/** A command without an answer is given up, so that a frozen engine never holds the group's turn. Milliseconds. */
const COMMAND_TIMEOUT_MS = 2000

/**
 * Connects as the keeper's user. No retries of any kind: a broken connection is news that the group's decider wants at once.
 * @throws when nobody answers within `timeoutMs`, or what the engine says
 */
export async function connect(door: Door, timeoutMs: number): Promise<Redis> {
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
  return redis
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
