//! What redis and valkey tell of themselves besides INFO: denials, slow commands, clients. Nothing here changes anything.
import type { Denial } from '../domain/metrics/denials.ts'

/** A command that took longer than slowlog-log-slower-than. */
export interface SlowCommand {
  /** Grows within a process, also when the log is emptied. */
  readonly id: number
  /** Seconds since 1970. */
  readonly at: number
  /** Microseconds. */
  readonly duration: number
  /** The engine itself cuts long arguments and many arguments. */
  readonly args: readonly string[]
  /** `address:port`. */
  readonly clientAddress: string
  readonly clientName: string
}

export interface Observation {
  /** ACL LOG, newest first. */
  denials(): Promise<readonly Denial[]>
  /** SLOWLOG GET, newest first, at most `most`. */
  slowCommands(most: number): Promise<readonly SlowCommand[]>
  /** The text of CLIENT LIST. */
  clients(): Promise<string>
}

type Call = (command: string, ...args: string[]) => Promise<unknown>

export class RespObservation implements Observation {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  async denials(): Promise<readonly Denial[]> {
    const entries = (await this.#call('ACL', 'LOG')) as readonly (readonly unknown[])[]
    return entries.map((entry) => {
      const fields = new Map<unknown, unknown>()
      for (let at = 0; at + 1 < entry.length; at += 2) fields.set(entry[at], entry[at + 1])
      return {
        reason: String(fields.get('reason')),
        count: Number(fields.get('count')),
        ageSeconds: Number(fields.get('age-seconds')),
      }
    })
  }

  async slowCommands(most: number): Promise<readonly SlowCommand[]> {
    const entries = (await this.#call('SLOWLOG', 'GET', String(most))) as readonly SlowEntry[]
    return entries.map(([id, at, duration, args, clientAddress, clientName]) => ({
      id,
      at,
      duration,
      args,
      clientAddress,
      clientName,
    }))
  }

  async clients(): Promise<string> {
    return (await this.#call('CLIENT', 'LIST')) as string
  }
}

type SlowEntry = readonly [
  id: number,
  at: number,
  duration: number,
  args: readonly string[],
  address: string,
  name: string,
]
