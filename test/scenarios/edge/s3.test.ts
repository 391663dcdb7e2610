//! S3 origins before an S3-compatible server that has every signature checked: what reaches the bucket, as which key, and
//! by whose signature.
import { equal, match, ok } from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DistributionDoc, OriginDoc } from '../../../src/domain/distribution.ts'
import type { WorkerOptions } from '../../../src/edge/worker.ts'
import { behaviorDoc, distributionDoc, EdgeScenario, originDoc } from '../../support/edge-scenario.ts'
import { S3_KEYS, type S3Server, startS3 } from '../../support/s3-server.ts'

const ALL = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

function bucketDoc(access: NonNullable<OriginDoc['s3']>['access'], changes: Partial<OriginDoc> = {}): OriginDoc {
  return originDoc(80, { domainName: 'shop.s3.eu-central-1.amazonaws.com', s3: { access }, ...changes })
}

async function scenario(
  t: TestContext,
  document: Partial<DistributionDoc>,
  options: Partial<WorkerOptions> & { count?: number } = {},
): Promise<{ edge: EdgeScenario; s3: S3Server }> {
  const s3 = await startS3([{ name: 'shop' }, { name: 'public-shop' }])
  t.after(() => s3.close())
  const edge = await EdgeScenario.start(
    t,
    [distributionDoc(1, { behaviors: [behaviorDoc({ allowedMethods: ALL })], ...document })],
    {
      s3: { endpoint: { scheme: 'http', host: '127.0.0.1', port: s3.port, path: '' }, region: 'us-east-1' },
      s3Keys: S3_KEYS,
      ...options,
    },
  )
  return { edge, s3 }
}

const ALWAYS = { kind: 'control', id: 'E2OAC', signing: 'always' } as const

test('an object is put, read, cached and deleted by signed requests', async (t) => {
  const { edge, s3 } = await scenario(t, { origins: [bucketDoc(ALWAYS)] })
  equal(
    (await edge.get('/a.txt', { method: 'PUT', body: 'hello', headers: { 'content-type': 'text/plain' } })).status,
    200,
  )
  const first = await edge.get('/a.txt')
  equal(first.body, 'hello')
  equal(first.headers['content-type'], 'text/plain')
  equal(first.xCache, 'Miss')
  equal((await edge.get('/a.txt')).xCache, 'Hit')
  equal((await edge.get('/a.txt', { method: 'DELETE' })).status, 204)
  equal((await edge.get('/a.txt?other', { method: 'HEAD' })).status, 200)
  equal((await edge.get('/b.txt')).status, 404)
  ok(
    s3.asked.every(({ signature }) => signature === 'valid'),
    JSON.stringify(s3.asked, null, 1),
  )
  match(s3.asked[0]?.headers.authorization ?? '', /\/eu-central-1\/s3\/aws4_request/)
  equal(s3.asked[0]?.headers['x-amz-content-sha256'], 'UNSIGNED-PAYLOAD')
})
