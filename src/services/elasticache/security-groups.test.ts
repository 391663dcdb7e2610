//! Security groups and subnets that cannot be enforced, or that nobody has defined, are refused; nothing is written.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { elasticacheContext, fails } from '../../../test/support/elasticache-context.ts'
import type { ServiceContext } from '../service.ts'
import { ELASTICACHE_OPERATIONS as ops } from './operations.ts'

const CLUSTER = { CacheClusterId: 'c', Engine: 'redis', CacheNodeType: 'cache.t4g.micro' }
const SUBNETS = { CacheSubnetGroupName: 'half', CacheSubnetGroupDescription: 'x', SubnetIds: ['subnet-a'] }

async function contextWith(t: TestContext, missing: string | null): Promise<ServiceContext> {
  const plain = await elasticacheContext(t)
  return {
    ...plain,
    host: { ...plain.host, sourceFilterMissing: () => missing },
    sourceNetworks: {
      securityGroups: new Map([['sg-web', ['10.0.0.0/8']]]),
      subnets: new Map([['subnet-a', ['10.1.0.0/16']]]),
    },
  }
}

test('without a packet filter they are refused, naming what is missing', async (t) => {
  const context = await contextWith(t as TestContext, 'the program nft is not installed')
  const create = (more: object) => () => ops.CreateCacheCluster({ ...CLUSTER, ...more }, context)
  await fails(create({ SecurityGroupIds: ['sg-web'] }), 'InvalidVPCNetworkStateFault', /sg-web.*nft is not installed/)
  await ops.CreateCacheSubnetGroup(SUBNETS, context)
  await fails(create({ CacheSubnetGroupName: 'half' }), 'InvalidVPCNetworkStateFault', /half.*nft is not installed/)
  assert.deepEqual(await context.state.list('cache-cluster'), [])
  await create({})()
})

test('with one they are kept and shown as being added until they are in force', async (t) => {
  const context = await contextWith(t as TestContext, null)
  await ops.CreateCacheSubnetGroup(SUBNETS, context)
  await fails(
    () => ops.CreateCacheCluster({ ...CLUSTER, SecurityGroupIds: ['sg-web', 'sg-1'] }, context),
    'InvalidParameterValue',
    /sg-1 does not exist \(defined: sg-web\).*--security-group sg-1=/,
  )
  const { CacheCluster: made } = await ops.CreateCacheCluster(
    { ...CLUSTER, CacheSubnetGroupName: 'half', SecurityGroupIds: ['sg-web', 'sg-web'] },
    context,
  )
  assert.deepEqual(made!.SecurityGroups, [{ SecurityGroupId: 'sg-web', Status: 'adding' }])
  const stored = (await context.state.get('cache-subnet-group', 'half'))!.doc
  assert.deepEqual(stored.networks, { 'subnet-a': ['10.1.0.0/16'] })
})

test('where no subnets are defined they are labels, which restrict nobody and need no filter', async (t) => {
  const context = await elasticacheContext(t as TestContext)
  await ops.CreateCacheSubnetGroup(SUBNETS, context)
  await ops.CreateCacheCluster({ ...CLUSTER, CacheSubnetGroupName: 'half' }, context)
  assert.equal((await context.state.get('cache-subnet-group', 'half'))!.doc.networks, undefined)
})
