//! The web ACL of the distribution (spec/cloudfront.md 12.2): before the cache and everything else. What cannot be
//! evaluated lets nobody through.
import { REASONS } from '../../http/error-page.ts'
import { checkAfterWaf } from '../access/first-check.ts'
import type { Edge } from '../edge.ts'
import type { EdgeFault, Exchange } from '../exchange.ts'
import { left } from '../leaving.ts'
import type { ViewerBody } from '../listen/viewer.ts'
import { behaviorOf, type DistributionPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'
import { WAF_PATH } from '../waf/challenge/pages.ts'
import { Evaluation, evaluate } from '../waf/evaluate.ts'
import { explainVerdict } from '../waf/explain-verdict.ts'
import { withInserted } from '../waf/inserted-headers.ts'
import { Inspected, NO_BODY } from '../waf/inspected.ts'
import type { CustomResponsePlan, RulePlan, Verdict, WebAclPlan } from '../waf/plan.ts'
import { readBody } from '../waf/read-body.ts'

type Next = typeof to.accessGeo | typeof to.rootObject | typeof to.errorPage | typeof to.record

export const accessWaf = stage({
  name: to.accessWaf,
  next: [to.accessGeo, to.rootObject, to.wafPuzzle, to.errorPage, to.record],
  run(x, edge) {
    const { webAclArn } = x.distribution as DistributionPlan
    const plan = x.snapshot.webAcls.get(webAclArn)
    if (plan === undefined || plan.broken !== null) {
      edge.waf.refused(webAclArn, plan?.broken ?? 'it is not there')
      x.watcher?.decided('WebACLId', `cannot be evaluated: ${plan?.broken ?? 'not there'}`)
      x.fault = { status: 503, reason: REASONS.webAcl, detailed: 'InternalError', origin: null }
      return to.errorPage
    }
    // What the pages of challenges talk to: their viewers have no token yet.
    if (x.request.path.startsWith(WAF_PATH)) return to.wafPuzzle
    const { body } = x.request
    const bodiless = body === null || body.length === 0 || isCallOfGrpc(x)
    const request = new Inspected(x.request, x.viewerAddress, x.requestId, edge, bodiless ? NO_BODY : null)
    const evaluation = new Evaluation(request)
    const verdict = evaluate(plan, evaluation, edge.waf)
    return verdict === null ? afterBody(x, edge, plan, evaluation) : act(x, edge, plan, evaluation, verdict)
  },
})

/** A rule looks at the body. The origin gets all of it afterwards. */
async function afterBody(x: Exchange, edge: Edge, plan: WebAclPlan, evaluation: Evaluation): Promise<Next> {
  const read = await readBody(x.request.body as ViewerBody, plan.bodyLimit, x.request.headers)
  if (x.reply.gone) return left(x)
  if (read === null) {
    x.fault = { status: 400, reason: REASONS.malformed, detailed: 'InvalidRequest', origin: null }
    return to.errorPage
  }
  x.request = { ...x.request, body: read.body }
  evaluation.request.body = read.inspected
  // With a body nothing makes it wait any more.
  return act(x, edge, plan, evaluation, evaluate(plan, evaluation, edge.waf) as Verdict)
}

function act(x: Exchange, edge: Edge, plan: WebAclPlan, evaluation: Evaluation, verdict: Verdict): Next {
  const source = { distributionId: (x.distribution as DistributionPlan).id, scheme: x.request.connection.scheme }
  edge.waf.decided(plan, evaluation, verdict, source)
  if (x.watcher !== null) explainVerdict(x.watcher, plan, evaluation, verdict)
  const { action, rule, response } = verdict
  if (action === 'ALLOW') {
    const headers = withInserted(x.request.headers, verdict.inserts)
    if (headers !== x.request.headers) x.request = { ...x.request, headers }
    return checkAfterWaf(x)
  }
  if (action === 'BLOCK') x.fault = blocked(response)
  // Neither is a default action.
  else x.fault = edge.waf.challenges.fault(action, rule as RulePlan, plan, evaluation.request)
  return to.errorPage
}

function blocked(response: CustomResponsePlan | null): EdgeFault {
  const fault = { reason: REASONS.blocked, detailed: 'InvalidRequestBlocked', origin: null } as const
  if (response === null) return { ...fault, status: 403 }
  const { status, contentType, body, headers } = response
  return { ...fault, status, answer: { contentType, body, headers }, noPage: true }
}

/** Its body is a conversation, which is not inspected (spec 13.5); only where the behavior passes it on as gRPC. */
function isCallOfGrpc({ facts, request, path, distribution }: Exchange): boolean {
  if (!facts.grpc || request.method !== 'POST' || request.httpVersion !== '2.0') return false
  const { rootPath } = distribution as DistributionPlan
  return behaviorOf(distribution as DistributionPlan, path === '/' && rootPath !== '' ? rootPath : path).grpc
}
