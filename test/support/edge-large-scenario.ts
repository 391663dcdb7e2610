//! A scenario of the edge before an origin of one large object (edge-large-origin.ts).
import type { TestContext } from 'node:test'
import { type LargeOptions, LargeOrigin } from './edge-large-origin.ts'
import { distributionDoc, EdgeScenario, type ViewerAnswer } from './edge-scenario.ts'

/** Both end with the test. */
export async function largeScenario(
  t: TestContext,
  options: LargeOptions,
  more: Parameters<typeof EdgeScenario.start>[2] = {},
): Promise<{ readonly edge: EdgeScenario; readonly origin: LargeOrigin }> {
  const origin = await LargeOrigin.start(options)
  t.after(() => origin.close())
  return { origin, edge: await EdgeScenario.start(t, [distributionDoc(origin.port)], more) }
}

/** `206 Hit bytes 0-9/100` */
export const brief = ({ status, xCache, headers }: ViewerAnswer): string =>
  `${status} ${xCache} ${headers['content-range'] ?? '-'}`
