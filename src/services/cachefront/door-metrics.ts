//! What the API's door counts: refusals by reason, calls sent again, lines that the audit log lacks. As Prometheus text.

const COUNTS = {
  denied: ['cachefront_api_denied_total', 'Calls that the role of their key does not allow.'],
  throttled: [
    'cachefront_api_throttled_total',
    'Calls turned away unread, as their address had tried too many wrong keys.',
  ],
  replayed: [
    'cachefront_api_replays_total',
    'Changing calls that came again with the same signature and were not run again.',
  ],
  unaudited: ['cachefront_api_audit_failures_total', 'Lines of the audit log that could not be written.'],
} as const

type Count = keyof typeof COUNTS

const FAILURES = 'cachefront_api_authentication_failures_total'

export class DoorMetrics {
  readonly #counts: Record<Count, number> = { denied: 0, throttled: 0, replayed: 0, unaudited: 0 }
  /** By reason: the words of api/stages/authenticate.ts. */
  readonly #failures = new Map<string, number>()

  count(what: Count): void {
    this.#counts[what]++
  }

  authenticationFailed(reason: string): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1)
  }

  text(): string {
    const failures = [...this.#failures].sort().map(([reason, n]) => `${FAILURES}{reason="${reason}"} ${n}`)
    const lines = Object.entries(COUNTS).flatMap(([what, [metric, help]]) => [
      `# HELP ${metric} ${help}`,
      `# TYPE ${metric} counter`,
      `${metric} ${this.#counts[what as Count]}`,
    ])
    return `${[`# HELP ${FAILURES} Calls whose signature was missing or did not hold.`, `# TYPE ${FAILURES} counter`, ...failures, ...lines].join('\n')}\n`
  }
}
