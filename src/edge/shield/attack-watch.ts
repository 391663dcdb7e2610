//! When an attack begins and when it is over, from what is refused: one refusal is none, many within a while are, and it is
//! over when there has been none for a minute. Two lines for the operator, whatever the flood; health says it meanwhile.
import type { DropCause } from '../listen/admission.ts'

/** What an attack is made of: connections that are not taken, or closed for others, and requests that are refused. */
export type AttackCause = Exclude<DropCause, 'proxy-header' | 'client-certificate'> | 'requests' | 'slow-connections'

const ATTACK_WORDS: Readonly<Record<AttackCause, string>> = {
  connections: 'connections over what a worker takes',
  handshakes: 'handshakes over what a worker takes at once',
  'address-connections': 'connections over what one address may have',
  'address-handshakes': 'handshakes over what one address may have at once',
  'address-requests': 'connections of addresses that go on after 429',
  'handshake-timeout': 'handshakes that were not over in time',
  requests: 'requests over what one address may make',
  'slow-connections': 'idle and slow connections closed for new ones',
}

/** So many refusals within so many milliseconds are an attack. */
export const BEGIN = { count: 50, withinMs: 10_000 } as const
/** Milliseconds without a refusal after which it is over. */
export const QUIET_MS = 60_000

/** An attack that goes on. */
export interface AttackSeen {
  /** ISO 8601. */
  readonly since: string
  readonly counts: Readonly<Partial<Record<AttackCause, number>>>
}

export class AttackWatch {
  readonly #tell: (line: string) => void
  readonly #counts = new Map<AttackCause, { count: number; example: string }>()
  /** Of the refusals before an attack: since when, and how many. */
  #windowAt = Number.NEGATIVE_INFINITY
  #inWindow = 0
  #lastAt = Number.NEGATIVE_INFINITY
  /** Milliseconds of the monotonic and of the wall clock; null without an attack. */
  #since: { readonly at: number; readonly wall: number } | null = null

  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  /** Something was refused to `address` (empty for none); `now` of a monotonic clock, `wall` of the wall clock. */
  refused(cause: AttackCause, address: string, now: number, wall: number): void {
    this.tick(now)
    if (this.#since === null && now - this.#windowAt > BEGIN.withinMs) {
      this.#windowAt = now
      this.#inWindow = 0
      this.#counts.clear()
    }
    this.#inWindow++
    this.#lastAt = now
    const known = this.#counts.get(cause)
    if (known === undefined) this.#counts.set(cause, { count: 1, example: address })
    else known.count++
    if (this.#since !== null || this.#inWindow < BEGIN.count) return
    this.#since = { at: this.#windowAt, wall: wall - (now - this.#windowAt) }
    this.#tell(`under attack since ${this.#began()}: ${this.#words()}`)
  }

  /** Time has passed. */
  tick(now: number): void {
    if (this.#since === null || now - this.#lastAt < QUIET_MS) return
    const seconds = Math.round((this.#lastAt - this.#since.at) / 1_000)
    this.#tell(`the attack that began at ${this.#began()} is over, after ${seconds} s: ${this.#words()}`)
    this.#since = null
    this.#counts.clear()
    this.#windowAt = Number.NEGATIVE_INFINITY
  }

  get seen(): AttackSeen | null {
    if (this.#since === null) return null
    return {
      since: this.#began(),
      counts: Object.fromEntries([...this.#counts].map(([cause, { count }]) => [cause, count])),
    }
  }

  #began(): string {
    return new Date(this.#since?.wall ?? 0).toISOString()
  }

  #words(): string {
    return [...this.#counts]
      .map(([cause, { count, example }]) => `${count} ${ATTACK_WORDS[cause]}${example === '' ? '' : ` (${example})`}`)
      .join(', ')
  }
}
