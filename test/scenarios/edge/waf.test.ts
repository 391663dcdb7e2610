//! Web ACLs at the edge (spec/cloudfront.md 12.2), through real requests: what is refused, with which answer, and what goes
//! on to the origin.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { WebAclDoc } from '../../../src/domain/waf/web-acl.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'
import { ACL_ARN, byteMatch, header, ipSetArn, PATH, rule, webAclDoc } from '../../support/web-acl.ts'

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

async function protectedBy(t: TestContext, webAcl: WebAclDoc | null) {
  const origin = await startOrigin((asked, response) => response.end(`got ${asked.body.length}`))
  t.after(() => origin.close())
  const behaviors = [behaviorDoc({ allowedMethods: METHODS })]
  const edge = await EdgeScenario.start(t, [])
  const use = (doc: WebAclDoc | null) => edge.feed.change(() => ({ kind: 'web-acl', arn: ACL_ARN, webAcl: doc }))
  if (webAcl !== null) await use(webAcl)
  await edge.feed.put(distributionDoc(origin.port, { behaviors, webAclArn: ACL_ARN }))
  return { edge, origin, use }
}

test('rules in order of priority decide; a set that changes, and an ACL that cannot be evaluated, hold at once', async (t) => {
  const sets = (...members: string[]) => ({ ipSets: { [ipSetArn('bad')]: members } })
  const rules = [
    rule('admin', byteMatch('/admin', PATH, 'STARTS_WITH')),
    rule('key', byteMatch('let-me-in', header('X-Key'), 'EXACTLY'), { Allow: {} }, { Priority: -1 }),
    rule('bad', { IPSetReferenceStatement: { ARN: ipSetArn('bad') } }),
  ]
  const { edge, origin, use } = await protectedBy(t, webAclDoc(rules, sets('192.0.2.0/24', '2001:db8::/32')))
  const status = async (path: string, headers: Record<string, string | string[]> = {}) =>
    (await edge.get(path, { headers })).status
  assert.equal(await status('/'), 200)
  const blocked = await edge.get('/admin/x')
  assert.equal(blocked.status, 403)
  assert.equal(blocked.xCache, 'Error')
  assert.match(blocked.body, /Request blocked\./)
  assert.equal(await status('/admin', { 'x-key': 'let-me-in' }), 200)
  assert.equal(await status('/admin', { 'x-key': ['no', 'let-me-in'] }), 200)
  const from = (address: string) => status('/', { 'x-cachefront-viewer-address': address })
  assert.deepEqual([await from('192.0.2.77'), await from('192.0.3.1'), await from('2001:db8::5')], [403, 200, 403])
  assert.equal(origin.count('/admin/x'), 0)

  await use(webAclDoc(rules, sets('198.51.100.7')))
  assert.deepEqual([await from('192.0.2.77'), await from('198.51.100.7')], [200, 403])
  await use(webAclDoc(rules))
  assert.equal(await status('/'), 503)
  assert.ok(
    edge.problems.some((line) => line.includes(ipSetArn('bad'))),
    edge.problems.join('\n'),
  )
  await use(null)
  assert.equal(await status('/'), 503)
})
