//! A brake on guessing: an address that signs with wrong keys again and again waits for each refusal, longer each time, and
//! while too many of its refusals are held back nothing else of it is looked at. Right keys are never held up otherwise.
import { isIPv6 } from 'node:net'
import type { Clock } from '../lib/clock.ts'

/** Wrong keys of one address within the window that cost nothing: a person who mistypes, a pipeline with an old secret. */
const FREE = 10
/** After this without one all is forgotten. Milliseconds. */
const WINDOW_MS = 60_000
/** The first wait, doubled by each further failure, and the longest. Milliseconds. */
const WAIT_MS = { first: 50, max: 3_000 } as const
/** Refusals of one address that are held at a time, and of all: what is held keeps a connection. */
const HELD_MAX = { address: 8, all: 64 } as const
/** Addresses that are remembered; the longest known goes first. */
const ADDRESSES_MAX = 10_000

interface Seen {
  failures: number
  lastAt: number
  held: number
}

export class Brake {
  readonly #clock: Clock
  readonly #wait: (ms: number) => Promise<void>
  readonly #event: (address: string, failures: number) => void
  readonly #seen = new Map<string, Seen>()
  #held = 0

  /** `wait`: sleeps; `event` hears when an address begins to be held up. */
  constructor(clock: Clock, wait: (ms: number) => Promise<void>, event: (address: string, failures: number) => void) {
    this.#clock = clock
    this.#wait = wait
    this.#event = event
  }

  /** False while the address has too many refusals waiting, or has to wait for the next and all have too many. */
  admits(address: string): boolean {
    const seen = this.#seen.get(networkOf(address))
    if (seen === undefined || (seen.held === 0 && !this.#holds(seen))) return true
    return seen.held < HELD_MAX.address && this.#held < HELD_MAX.all
  }

  /** Whether its next refusal waits. */
  #holds({ failures, lastAt }: Seen): boolean {
    return failures >= FREE && this.#clock.monotonic() - lastAt < WINDOW_MS
  }

  /** A wrong key; resolves when the refusal may leave. */
  async failed(address: string): Promise<void> {
    const network = networkOf(address)
    const seen = this.#remembered(network)
    seen.failures++
    seen.lastAt = this.#clock.monotonic()
    const over = seen.failures - FREE
    if (over <= 0) return
    if (over === 1) this.#event(network, seen.failures)
    if (seen.held >= HELD_MAX.address || this.#held >= HELD_MAX.all) return
    seen.held++
    this.#held++
    await this.#wait(Math.min(WAIT_MS.max, WAIT_MS.first * 2 ** Math.min(over - 1, 10)))
    seen.held--
    this.#held--
  }

  #remembered(network: string): Seen {
    const before = this.#seen.get(network)
    if (before !== undefined && (before.held > 0 || this.#clock.monotonic() - before.lastAt < WINDOW_MS)) return before
    const fresh: Seen = { failures: 0, lastAt: 0, held: 0 }
    this.#seen.delete(network)
    this.#seen.set(network, fresh)
    if (this.#seen.size > ADDRESSES_MAX) {
      const [oldest] = this.#seen.keys()
      this.#seen.delete(oldest ?? '')
    }
    return fresh
  }
}

/** An IPv6 host has a whole /64 to choose addresses from. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...new Array<string>(Math.max(0, zeros)).fill('0'), ...right]
  return `${groups.slice(0, 4).join(':')}::/64`
}
