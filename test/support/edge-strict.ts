//! Scenarios of strict mode: a distribution that sends everything of the viewer to its origin and lists nothing in its
//! cache policy, so that what the origin says alone decides.
import type { ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import type { CachePolicyDoc } from '../../src/domain/policy.ts'
import { type Asked, startOrigin } from './edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, type ViewerAsks } from './edge-scenario.ts'

/** Managed-AllViewer, but for cookies: those of viewers would keep their requests from sharing a fetch (spec 5.7). */
export const ALL_VIEWER = {
  id: 'all-viewer',
  headers: { behavior: 'allViewer', names: [] },
  cookies: { behavior: 'none', names: [] },
  queryStrings: { behavior: 'all', names: [] },
} as const

export type Answers = (asked: Asked, response: ServerResponse) => unknown

/** The origin's answers come from `answer`. `policy` changes the cache policy; all workers share one cache. */
export async function strictEdge(
  t: TestContext,
  answer: Answers,
  {
    workers = 1,
    strict = true,
    policy = {},
  }: { workers?: number; strict?: boolean; policy?: Partial<CachePolicyDoc> } = {},
) {
  const origin = await startOrigin(answer)
  t.after(() => origin.close())
  const behavior = behaviorDoc({
    allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
    cachePolicy: cachePolicy(policy),
    originRequestPolicy: ALL_VIEWER,
  })
  const document = distributionDoc(origin.port, { behaviors: [behavior], rfcStrict: strict })
  const edge = await EdgeScenario.start(t, [document], { count: workers })
  return { origin, edge }
}

/** Says in the body which Foo it was asked with. */
export const byFoo: Answers = ({ headers }, response) =>
  response
    .setHeader('cache-control', 'max-age=60')
    .setHeader('vary', 'Foo')
    .end(`foo ${headers.foo ?? 'absent'}`)

export const foo = (value: string, worker = 0): ViewerAsks => ({ headers: { foo: value }, worker })
