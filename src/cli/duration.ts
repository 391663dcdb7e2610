//! Durations as people write them.
import { CliError } from './host.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `24h`, `90s`, `15m`, `7d`, `500ms`, `1h30m` as milliseconds. @throws CliError (usage) for anything else */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)/g)]
  const whole = parts.map((part) => part[0]).join('')
  const total = parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNIT_MS[unit ?? ''] ?? 0), 0)
  if (text === '' || whole !== text || total <= 0) {
    throw new CliError(`${JSON.stringify(text)} is no duration: write it like 24h, 90s, 15m, 7d or 1h30m.`, 2)
  }
  return Math.round(total)
}
