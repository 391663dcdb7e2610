//! What the workers say of themselves when nobody asks for anything: nothing is under way, nothing is held.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Findings } from './findings.ts'

/** Work that was begun ends in its own time. Milliseconds. */
const REST_MS = 30_000
const LOOK_MS = 50

/** Gauges, without their prefix. */
const MUST_BE_ZERO = [
  'fetches_under_way',
  'fetch_held_bytes',
  'origin_requests_open',
  'peer_requests_open',
  'refreshes_under_way',
  'compressions_under_way',
  'field_encryption_held_bytes',
  'cache_objects_held',
  'disk_pending_bytes',
]

export async function checkAtRest(api: string, findings: Findings): Promise<void> {
  let held: string[] = []
  for (let waited = 0; waited < REST_MS; waited += LOOK_MS) {
    const text = await (await fetch(`${api}/_cachefront/metrics`)).text()
    held = MUST_BE_ZERO.map((name) => `${name} ${gauge(text, name)}`).filter((told) => !told.endsWith(' 0'))
    if (held.length === 0) return
    await sleep(LOOK_MS)
  }
  findings.violation(`at rest: expected nothing under way, seen ${held.join(', ')}`)
}

const gauge = (text: string, name: string): string =>
  new RegExp(`^cachefront_edge_${name}{worker="all"} (\\S+)$`, 'm').exec(text)?.[1] ?? 'nothing'
