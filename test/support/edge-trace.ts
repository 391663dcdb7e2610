//! The trace of one request of an edge scenario.
import assert from 'node:assert/strict'
import type { Trace } from '../../src/observe/trace.ts'
import type { EdgeScenario } from './edge-scenario.ts'

/** Asks for the path with `x-cachefront-explain: 1` and resolves with what the edge tells of it. */
export async function traceOf(edge: EdgeScenario, path: string, headers: Record<string, string> = {}): Promise<Trace> {
  const answer = await edge.get(path, { headers: { 'x-cachefront-explain': '1', ...headers } })
  const told = await edge.feed.ask({ kind: 'trace', traceId: String(answer.headers['x-cachefront-trace']) })
  assert.ok(told.kind === 'trace' && told.trace !== null, 'there is a trace')
  return told.trace as Trace
}
