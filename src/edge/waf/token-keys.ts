//! The keys that tokens of challenges are signed with, and puzzles sealed: the same for all workers of a host.
import type { Clock } from '../../lib/clock.ts'
import { PeriodKeys } from '../../lib/period-keys.ts'
import { KEY_BYTES } from './challenge/sealed.ts'

/** A token is good for three days at most (IMMUNITY_SECONDS_MAX), and its key is known for at least one whole period. */
const PERIOD_MS = 4 * 86_400_000

/** `directory` null: keys of this process alone. */
export async function openTokenKeys(
  directory: string | null,
  clock: Clock,
  problem: (message: string) => void,
): Promise<PeriodKeys> {
  const keys = new PeriodKeys({
    directory: directory ?? '',
    wall: () => clock.wall(),
    problem,
    periodMs: PERIOD_MS,
    keyBytes: KEY_BYTES,
    lost: 'tokens of WAF challenges hold at one worker alone, until it ends: the keys that they are signed with',
  })
  if (directory !== null) await keys.start()
  return keys
}
