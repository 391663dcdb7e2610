//! Web ACLs of the running program: made with AWS's SDK, named by a distribution, obeyed by the edge, changed under way, and
//! told of in samples.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudFront } from '@aws-sdk/client-cloudfront'
import { WAFV2 } from '@aws-sdk/client-wafv2'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { distributionIsDeployed, endAll, type Installation, newHome, up } from '../../support/program-installation.ts'
import { blockRule, pathStarts, SCOPE, visibility } from '../../support/waf-site.ts'

let home: string
let running: Installation
let origin: TestOrigin
let cloudfront: CloudFront
let waf: WAFV2

before(async () => {
  origin = await startOrigin((asked, response) => void response.end(asked.url))
  home = await newHome()
  running = await up(home)
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const options = { endpoint: running.api, region: 'us-east-1', credentials }
  cloudfront = new CloudFront(options)
  waf = new WAFV2(options)
})
after(async () => {
  cloudfront.destroy()
  waf.destroy()
  await endAll(home)
  await origin.close()
})

interface Seen {
  readonly status: number
  readonly body: string
}

const ask = (host: string, path: string): Promise<Seen> =>
  new Promise((resolve, reject) => {
    const [address, port] = running.edge.split(':')
    request({ host: address, port, path, headers: { host }, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
      .on('error', reject)
      .end()
  })

/** Asks until `wanted` is answered. */
async function answers(host: string, path: string, wanted: number): Promise<void> {
  while ((await ask(host, path)).status !== wanted) await sleep(20)
}

test('a web ACL is obeyed as soon as a distribution names it, and so is each of its changes', {
  timeout: 60_000,
}, async () => {
  const acl = { Scope: SCOPE, DefaultAction: { Allow: {} }, VisibilityConfig: visibility('shop') } as const
  const { Summary: set } = await waf.createIPSet({
    ...{ Name: 'bad', Scope: SCOPE, IPAddressVersion: 'IPV4', Addresses: ['192.0.2.0/24'] },
  })
  const Rules = [
    blockRule('admin', 0, pathStarts('/admin')),
    blockRule('bad', 1, { IPSetReferenceStatement: { ARN: set?.ARN } }),
  ]
  const { Summary: made } = await waf.createWebACL({ ...acl, Name: 'shop', Rules })
  const { Distribution: one } = await cloudfront.createDistribution({
    DistributionConfig: { ...oneOrigin('waf', origin.port), WebACLId: made?.ARN },
  })
  const host = one?.DomainName as string
  await distributionIsDeployed(running.api, one?.Id as string)
  // From the first request on: there is no moment without the web ACL.
  const refused = await ask(host, '/admin/1')
  assert.equal(refused.status, 403)
  assert.match(refused.body, /Request blocked/)
  assert.deepEqual(await ask(host, '/shop'), { status: 200, body: '/shop' })

  const { SampledRequests: samples = [] } = await waf.getSampledRequests({
    ...{ WebAclArn: made?.ARN, RuleMetricName: 'admin', Scope: SCOPE, MaxItems: 10 },
    TimeWindow: { StartTime: new Date(Date.now() - 3_600_000), EndTime: new Date(Date.now() + 60_000) },
  })
  assert.deepEqual(
    samples.map(({ Action, Request }) => [Action, Request?.URI, Request?.ClientIP]),
    [['BLOCK', '/admin/1', '127.0.0.1']],
  )

  await waf.updateIPSet({
    ...{ Name: 'bad', Scope: SCOPE, Id: set?.Id, LockToken: set?.LockToken, Addresses: ['127.0.0.0/8'] },
  })
  await answers(host, '/shop', 403)
  await waf.updateWebACL({ ...acl, Name: 'shop', Id: made?.Id, LockToken: made?.LockToken, Rules: [] })
  await answers(host, '/admin/1', 200)
})
