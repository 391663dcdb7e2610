//! What became of requests to each origin of each distribution: counted on the miss path, told to control when it asks
//! (`origins`), and those that fail now with each lease, so that health need not ask anybody.
import type { FailingOrigin, OriginSeen, OriginTrouble } from '../feed-protocol.ts'

/** Origins remembered; over it those that were not asked for the longest time are forgotten. */
const ORIGINS_MAX = 1_000
/** Failing origins that are told with a lease. */
const FAILING_MAX = 20
/** Characters of a failure's message. */
const MESSAGE_MAX = 300

interface Row {
  readonly distributionId: string
  readonly originId: string
  requests: number
  failovers: number
  readonly failures: Partial<Record<OriginTrouble, number>>
  last: { kind: OriginTrouble; message: string; at: number } | null
  /** The newest request brought no usable answer. */
  failing: boolean
}

export class OriginHealth {
  readonly #rows = new Map<string, Row>()

  /**
   * One request and what became of it, at `now` (Clock.now()); `trouble` null for a usable answer. `passedOver`: the
   * secondary of an origin group was asked next.
   */
  record(
    distributionId: string,
    originId: string,
    now: number,
    trouble: { readonly kind: OriginTrouble; readonly message: string } | null,
    passedOver = false,
  ): void {
    const row = this.#rowOf(distributionId, originId)
    row.requests++
    row.failing = trouble !== null
    if (passedOver) row.failovers++
    if (trouble === null) return
    const { kind, message } = trouble
    row.failures[kind] = (row.failures[kind] ?? 0) + 1
    row.last = { kind, message: message.slice(0, MESSAGE_MAX), at: now }
  }

  /** All that are remembered, the ones that were asked last at the end. */
  seen(): OriginSeen[] {
    return [...this.#rows.values()].map(({ last, ...row }) => ({
      ...row,
      failures: { ...row.failures },
      last: shown(last),
    }))
  }

  /** Whose newest request failed; at most 20, the ones that failed last. */
  failing(): FailingOrigin[] {
    const failing: FailingOrigin[] = []
    for (const { distributionId, originId, failing: fails, last } of this.#rows.values()) {
      if (!fails || last === null) continue
      failing.push({ distributionId, originId, kind: last.kind, at: new Date(last.at).toISOString() })
    }
    return failing.slice(-FAILING_MAX)
  }

  #rowOf(distributionId: string, originId: string): Row {
    const key = `${distributionId} ${originId}`
    let row = this.#rows.get(key)
    if (row === undefined) {
      row = { distributionId, originId, requests: 0, failovers: 0, failures: {}, last: null, failing: false }
    } else this.#rows.delete(key)
    this.#rows.set(key, row)
    if (this.#rows.size > ORIGINS_MAX) {
      const oldest = this.#rows.keys().next()
      if (!oldest.done) this.#rows.delete(oldest.value)
    }
    return row
  }
}

const shown = (last: Row['last']): OriginSeen['last'] =>
  last === null ? null : { ...last, at: new Date(last.at).toISOString() }
