//! Tells the operator of connections that were refused: at once of the first, then in sum, one line a minute. A flood
//! must not become one of log lines.
import type { Clock } from '../../lib/clock.ts'
import type { DropCause } from './admission.ts'

/** Milliseconds between two lines. */
export const REPORT_EVERY_MS = 60_000

const WORDS: Readonly<Record<DropCause, string>> = {
  connections: 'over the connections that a worker takes',
  handshakes: 'over the handshakes that a worker takes at once',
  'address-connections': 'over the connections of one address',
  'address-handshakes': 'over the handshakes of one address at once',
  'address-requests': 'of addresses that go on asking after 429',
  'proxy-header': 'without the PROXY header that --proxy-protocol demands of the peer',
  'handshake-timeout': 'whose TLS handshake was not over in time',
  'client-certificate': 'without a client certificate that their distribution trusts',
}

export class DropReport {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #tell: (line: string) => void
  readonly #counts = new Map<DropCause, { count: number; example: string }>()
  #silentUntil = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null

  constructor(clock: Pick<Clock, 'monotonic'>, tell: (line: string) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  /** `address` of whoever was refused. */
  dropped(cause: DropCause, address: string): void {
    const known = this.#counts.get(cause)
    if (known === undefined) this.#counts.set(cause, { count: 1, example: address })
    else known.count++
    this.flush()
    if (this.#counts.size === 0 || this.#timer !== null) return
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        this.flush()
      },
      this.#silentUntil - this.#clock.monotonic() + 1,
    ).unref()
  }

  /** Says what is still unsaid, when its time has come. */
  flush(): void {
    const now = this.#clock.monotonic()
    if (this.#counts.size === 0 || now < this.#silentUntil) return
    const parts = [...this.#counts].map(
      ([cause, { count, example }]) => `${count} ${WORDS[cause]}${example === '' ? '' : ` (${example})`}`,
    )
    this.#counts.clear()
    this.#silentUntil = now + REPORT_EVERY_MS
    this.#tell(`connections refused: ${parts.join(', ')}; more in a minute, if any`)
  }
}
