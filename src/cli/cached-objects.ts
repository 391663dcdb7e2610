//! Cached objects on a terminal: a line each as they come, so that nothing waits for the end of a large cache.
import type { SeenObject } from '../edge/feed-protocol.ts'
import type { WalkTotal } from '../services/cachefront/object-lines.ts'
import type { CliHost } from './host.ts'
import { type LocalApi, localLines } from './local-call.ts'

export type ObjectLine = { readonly worker: string } & SeenObject

const isTotal = (line: unknown): line is WalkTotal => typeof line === 'object' && line !== null && 'total' in line

export const HEADING = '     BYTES      AGE      TTL STATUS PLACE            WORKER     TIER         PATH'

/** A slice of a large object, by its key (edge/cache/slices.ts). */
const SLICE = /\n#slice (\d+) (\d+) /

/** `1 object`, `2 objects`. */
export const counted = (count: number, noun: string): string =>
  `${count} ${count === 1 ? noun : noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`

/** One line: numbers first, so that the columns stand without knowing what comes; the path as long as it is. */
export function drawObject(object: ObjectLine): string {
  const status = object.what === 'object' ? String(object.status) : object.what
  const slice = SLICE.exec(object.key)
  const notes = [
    slice === null ? '' : `slice from byte ${Number(slice[1]) * Number(slice[2])}`,
    object.standing === 'fresh' ? '' : object.standing,
    object.owned ? '' : 'copy',
    object.tags.length === 0 ? '' : `#${object.tags.join(' #')}`,
    object.variant === '' ? '' : `variant ${JSON.stringify(object.variant)}`,
    object.items.length === 0 ? '' : `by ${object.items.join(' ')}`,
  ].filter((note) => note !== '')
  return [
    String(object.bytes).padStart(10),
    showSeconds(object.ageSeconds).padStart(8),
    // A slice lives as long as what leads to it.
    (slice === null ? showSeconds(object.ttlSeconds) : '-').padStart(8),
    status.padEnd(6),
    object.place.padEnd(16),
    object.worker.padEnd(10),
    object.tiers.join('+').padEnd(12),
    `${object.uri}${notes.length === 0 ? '' : `  (${notes.join('; ')})`}`,
  ].join(' ')
}

/** `45s`, `12m`, `3h`, `9d`: the largest unit of which there are two. */
export function showSeconds(seconds: number): string {
  const size = Math.abs(seconds)
  const sign = seconds < 0 ? '-' : ''
  if (size < 120) return `${sign}${size}s`
  if (size < 7_200) return `${sign}${Math.floor(size / 60)}m`
  return size < 172_800 ? `${sign}${Math.floor(size / 3_600)}h` : `${sign}${Math.floor(size / 86_400)}d`
}

/**
 * Prints what a walk finds; with `json` its lines as they are. Returns the exit code: 1 when a worker did not answer,
 * for then this is not all.
 */
export async function printObjects(
  host: CliHost,
  api: LocalApi,
  path: string,
  options: { readonly json: boolean; readonly body?: unknown; readonly verdict: (total: WalkTotal['total']) => string },
): Promise<number> {
  let total: WalkTotal | null = null
  let lines = 0
  const onLine = (line: unknown): void => {
    if (isTotal(line)) total = line
    if (options.json) host.out.print(JSON.stringify(line))
    else if (!isTotal(line)) {
      if (lines++ === 0) host.out.print(HEADING)
      host.out.print(drawObject(line as ObjectLine))
    }
  }
  await localLines(api, path, onLine, options.body)
  const { total: sums, missing } = total ?? { total: { objects: 0, copies: 0, bytes: 0, looked: 0 }, missing: ['?'] }
  if (!options.json) host.out.print(options.verdict(sums))
  return tellMissing(host, missing)
}

/** Says which workers did not answer; returns the exit code, 1 when there are any, for then it is not all. */
export function tellMissing(host: CliHost, missing: readonly string[]): number {
  if (missing.length === 0) return 0
  host.out.complain(`cachefront: not all: ${missing.join(', ')} did not answer.`)
  return 1
}
