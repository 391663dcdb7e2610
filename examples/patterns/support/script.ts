//! A Lua script: several commands as one step that nobody can come between. It is sent by its hash; an engine that does
//! not know it (a promoted replica, a restarted node) gets the text once.
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

export type ScriptResult = string | number | null | readonly ScriptResult[]

export class Script {
  readonly #text: string
  readonly #hash: string

  constructor(text: string) {
    this.#text = text
    this.#hash = createHash('sha1').update(text).digest('hex')
  }

  async run(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<ScriptResult> {
    const given = [...keys, ...args.map(String)]
    try {
      return (await redis.evalsha(this.#hash, keys.length, ...given)) as ScriptResult
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
      return (await redis.eval(this.#text, keys.length, ...given)) as ScriptResult
    }
  }
}
