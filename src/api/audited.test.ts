import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as acm from '@aws-sdk/client-acm'
import * as cloudfront from '@aws-sdk/client-cloudfront'
import * as elasticache from '@aws-sdk/client-elasticache'
import { modelOf } from '../aws/model.ts'
import { identifiersIn, localIdentifiers } from './audited.ts'

const SECRET = 'a-secret-that-must-not-be-there'
const [CERTIFICATES, DISTRIBUTIONS, CACHES] = [modelOf(acm), modelOf(cloudfront), modelOf(elasticache)]

test('names and ids of the resources, and no contents', () => {
  const input = (model: typeof CACHES, name: string, value: object) =>
    identifiersIn(value, model.operations.get(name)!.input)
  assert.deepEqual(
    input(CACHES, 'CreateReplicationGroup', { ReplicationGroupId: 'shop', AuthToken: SECRET, Engine: 'redis' }),
    { ReplicationGroupId: 'shop' },
  )
  assert.deepEqual(input(CACHES, 'CreateUser', { UserId: 'ann', UserName: 'ann', Passwords: [SECRET] }), {
    UserId: 'ann',
    UserName: 'ann',
  })
  assert.deepEqual(
    input(CERTIFICATES, 'ImportCertificate', { CertificateArn: 'arn:1', PrivateKey: Buffer.from(SECRET) }),
    { CertificateArn: 'arn:1' },
  )
  const config = {
    CallerReference: 'c',
    Comment: SECRET,
    Origins: {
      Quantity: 1,
      Items: [{ Id: 'o', CustomHeaders: { Items: [{ HeaderName: 'x', HeaderValue: SECRET }] } }],
    },
  }
  const update = input(DISTRIBUTIONS, 'UpdateDistribution', { Id: 'E1', IfMatch: SECRET, DistributionConfig: config })
  assert.deepEqual(update, { Id: 'E1' })
  const made = identifiersIn(
    { Distribution: { Id: 'E2', ARN: 'arn:2', DomainName: 'd', DistributionConfig: config } },
    DISTRIBUTIONS.operations.get('CreateDistribution')!.output,
  )
  assert.deepEqual([made['Distribution.Id'], made['Distribution.ARN']], ['E2', 'arn:2'])
  assert.ok(!JSON.stringify(made).includes(SECRET))
})

test('no operation has a member that the model calls sensitive among them', () => {
  let sensitive = 0
  for (const { operations } of [CERTIFICATES, DISTRIBUTIONS, CACHES]) {
    for (const { input } of operations.values()) {
      if (!input.isStructSchema()) continue
      const value: Record<string, unknown> = {}
      for (const [name, member] of input.structIterator()) {
        if (!member.getMergedTraits().sensitive) continue
        sensitive++
        value[name] = SECRET
      }
      assert.deepEqual(identifiersIn(value, input), {})
    }
  }
  assert.ok(sensitive > 0)
})

test('of a local route, what its body is about', () => {
  assert.deepEqual(localIdentifiers('x', { name: 'n', secretAccessKey: SECRET, token: SECRET, engines: true }), {
    path: 'x',
    name: 'n',
    engines: 'true',
  })
  assert.deepEqual(localIdentifiers('', undefined), {})
})
