//! The verdict of a web ACL on a request, without an edge: compiled and evaluated as edges do.
import assert from 'node:assert/strict'
import type { WebAclDoc } from '../../src/domain/waf/web-acl.ts'
import { unframedHeaders } from '../../src/edge/listen/header-block.ts'
import { compileWebAcl } from '../../src/edge/waf/compile.ts'
import { Evaluation, evaluate } from '../../src/edge/waf/evaluate.ts'
import { Inspected } from '../../src/edge/waf/inspected.ts'
import type { Verdict } from '../../src/edge/waf/plan.ts'

/** What of a request matters to rules. */
export interface Asked {
  readonly url?: string
  readonly method?: string
  readonly headers?: readonly string[]
  readonly body?: string
}

const AGENT = ['Host', 'shop.example.com', 'User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0']

/** Verdict of a web ACL, labels, and the rules that counted; what could not be evaluated is an error. */
export function askerOf(doc: WebAclDoc) {
  const plan = compileWebAcl(doc)
  assert.equal(plan.broken, null)
  return ({ url = '/', method = 'GET', headers = [], body }: Asked) => {
    const [path = '', query = ''] = url.split('?', 2)
    const block = unframedHeaders(headers.includes('User-Agent') ? headers : [...AGENT, ...headers], 'shop.example.com')
    const around = { geo: { find: () => assert.fail() }, clock: { now: () => 0 } } as never
    const texts = body === undefined ? [] : [body]
    const request = new Inspected(
      { method, path, query, httpVersion: '1.1', headers: block },
      ...(['192.0.2.1', 'id', around, { texts, oversize: false, bytes: body?.length ?? 0 }] as const),
    )
    const evaluation = new Evaluation(request)
    const failed = (_: unknown, __: unknown, error: unknown) => assert.fail(String(error))
    const verdict = evaluate(plan, evaluation, { challenges: null, failed }) as Verdict
    const counted = evaluation.counted.map((one) => one.rule.name)
    return { action: verdict.action, rule: verdict.rule?.name, within: verdict.within?.name, request, counted }
  }
}
