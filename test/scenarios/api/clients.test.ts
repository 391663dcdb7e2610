//! The same calls by the SDK v3, the AWS CLI and boto3: rich shapes there and back, errors by their wire codes, bytes.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CloudFront, type DistributionConfig, waitUntilDistributionDeployed } from '@aws-sdk/client-cloudfront'
import { ElastiCache, paginateDescribeCacheClusters } from '@aws-sdk/client-elasticache'
import { elasticacheFault } from '../../../src/domain/elasticache-faults.ts'
import { Fault } from '../../../src/domain/faults.ts'
import type { OperationTable } from '../../../src/services/service.ts'
import { aws, runAwsProgram } from '../../support/api-programs.ts'
import { clientOptions, startApi, type TestApi } from '../../support/api-server.ts'

const CONFIG: DistributionConfig = {
  CallerReference: 'first <light>',
  Aliases: { Quantity: 2, Items: ['a.example', '*.b.example'] },
  DefaultRootObject: 'index.html',
  Origins: {
    Quantity: 1,
    Items: [
      {
        Id: 'shop',
        DomainName: '127.0.0.1',
        OriginPath: '/v1',
        CustomHeaders: { Quantity: 1, Items: [{ HeaderName: 'X-From', HeaderValue: 'edge & co' }] },
        CustomOriginConfig: {
          HTTPPort: 8000,
          HTTPSPort: 443,
          OriginProtocolPolicy: 'http-only',
          OriginSslProtocols: { Quantity: 1, Items: ['TLSv1.2'] },
        },
      },
    ],
  },
  DefaultCacheBehavior: {
    TargetOriginId: 'shop',
    ViewerProtocolPolicy: 'allow-all',
    AllowedMethods: {
      Quantity: 3,
      Items: ['GET', 'HEAD', 'OPTIONS'],
      CachedMethods: { Quantity: 2, Items: ['GET', 'HEAD'] },
    },
    Compress: false,
    CachePolicyId: '658327ea-f89d-4fab-a63d-7e88639e58f6',
  },
  CacheBehaviors: { Quantity: 0 },
  CustomErrorResponses: {
    Quantity: 2,
    Items: [
      { ErrorCode: 404, ResponsePagePath: '/errors/404.html', ResponseCode: '200', ErrorCachingMinTTL: 0 },
      { ErrorCode: 503, ResponsePagePath: '', ResponseCode: '', ErrorCachingMinTTL: 30 },
    ],
  },
  Comment: 'Grüße, "quoted"\nand\ttabbed ',
  PriceClass: 'PriceClass_All',
  Enabled: true,
}

const CREATED = new Date('2026-01-31T12:34:56.789Z')

/** Just enough of both services, in memory, to see that what one client wrote another reads. */
function smallServices(): { cloudfront: OperationTable; elasticache: OperationTable } {
  const distributions = new Map<string, { config: unknown; tags: unknown }>()
  const find = (id: string) => {
    const found = distributions.get(id)
    if (found === undefined) throw new Fault('NoSuchDistribution', 404, `There is no distribution ${id}.`)
    return found
  }
  const distribution = (id: string) => ({
    Id: id,
    ARN: `arn:aws:cloudfront::123456789012:distribution/${id}`,
    Status: 'Deployed',
    LastModifiedTime: CREATED,
    InProgressInvalidationBatches: 0,
    DomainName: `${id.toLowerCase()}.cloudfront.localhost`,
    DistributionConfig: find(id).config,
  })
  const create = (config: unknown, tags: unknown) => {
    const id = `E${distributions.size + 1}`
    distributions.set(id, { config, tags })
    return { Distribution: distribution(id), ETag: `V1${id}`, Location: `https://cloudfront.amazonaws.com/${id}` }
  }
  const groups = new Map<string, Record<string, unknown>>()
  return {
    cloudfront: {
      CreateDistribution: async (input) => create(input.DistributionConfig, []),
      CreateDistributionWithTags: async ({ DistributionConfigWithTags: both }) =>
        create(both.DistributionConfig, both.Tags.Items),
      GetDistribution: async ({ Id }) => ({ Distribution: distribution(Id), ETag: `V1${Id}` }),
      GetDistributionConfig: async ({ Id }) => ({ DistributionConfig: find(Id).config, ETag: `V1${Id}` }),
      UpdateDistribution: async ({ Id, IfMatch, DistributionConfig: config }) => {
        if (IfMatch !== `V1${Id}`) throw new Fault('PreconditionFailed', 412, 'The ETag is not the current one.')
        find(Id).config = config
        return { Distribution: distribution(Id), ETag: `V2${Id}` }
      },
      ListDistributions: async ({ Marker = '', MaxItems }) => ({
        DistributionList: { Marker, MaxItems: Number(MaxItems ?? 100), IsTruncated: false, Quantity: 0 },
      }),
      ListTagsForResource: async ({ Resource }) => ({ Tags: { Items: find(Resource.split('/')[1]).tags } }),
      TagResource: async ({ Resource, Tags }) => {
        find(Resource.split('/')[1]).tags = Tags.Items
        return {}
      },
      DeleteDistribution: async ({ Id }) => {
        find(Id)
        distributions.delete(Id)
        return {}
      },
      GetFunction: async () => ({
        FunctionCode: Buffer.from('function handler() {}\n'),
        ETag: 'E',
        ContentType: 'text/js',
      }),
    },
    elasticache: {
      CreateReplicationGroup: async (input) => {
        const group = {
          ReplicationGroupId: input.ReplicationGroupId,
          Description: input.ReplicationGroupDescription,
          Status: 'creating',
          PendingModifiedValues: {},
          MemberClusters: ['a-001', 'a-002'],
          NodeGroups: (input.NodeGroupConfiguration ?? []).map((node: Record<string, unknown>) => ({
            NodeGroupId: node.NodeGroupId,
            NodeGroupMembers: node.ReplicaAvailabilityZones,
          })),
          ReplicationGroupCreateTime: CREATED,
          LogDeliveryConfigurations: [],
          UserGroupIds: input.UserGroupIds ?? [],
        }
        groups.set(input.ReplicationGroupId, input)
        return { ReplicationGroup: { ...group, NodeGroups: [{ NodeGroupId: '0001', Status: 'creating' }] } }
      },
      ListTagsForResource: async ({ ResourceName }) => ({ TagList: groups.get(ResourceName)?.Tags ?? [] }),
      DescribeCacheClusters: async ({ CacheClusterId, Marker }) => {
        if (CacheClusterId !== undefined) throw elasticacheFault('CacheClusterNotFound', `${CacheClusterId} not found`)
        return Marker === undefined
          ? { CacheClusters: [{ CacheClusterId: 'one', CacheClusterCreateTime: CREATED }], Marker: 'next/+=' }
          : { CacheClusters: [{ CacheClusterId: Marker }] }
      },
      DeleteCacheSubnetGroup: async () => ({}),
    },
  }
}

describe('AWS clients', () => {
  let server: TestApi
  before(async () => {
    server = await startApi({ services: smallServices() })
  })
  after(() => server.api.close())

  test('the SDK: a distribution there and back, update by ETag, tags, errors', async () => {
    const client = new CloudFront(clientOptions(server.url))
    try {
      const made = await client.createDistribution({ DistributionConfig: CONFIG })
      assert.deepEqual(made.Distribution?.DistributionConfig, CONFIG)
      assert.equal(made.$metadata.httpStatusCode, 201)
      const Id = made.Distribution?.Id ?? ''
      assert.equal(made.Location, `https://cloudfront.amazonaws.com/${Id}`)
      assert.deepEqual(made.Distribution?.LastModifiedTime, CREATED)
      await waitUntilDistributionDeployed({ client, minDelay: 1, maxWaitTime: 5 }, { Id })
      const { DistributionConfig, ETag } = await client.getDistributionConfig({ Id })
      assert.deepEqual(DistributionConfig, CONFIG)
      const update = { Id, DistributionConfig: { ...CONFIG, Comment: '' } }
      await assert.rejects(client.updateDistribution({ ...update, IfMatch: 'old' }), { name: 'PreconditionFailed' })
      assert.equal((await client.updateDistribution({ ...update, IfMatch: ETag })).ETag, `V2${Id}`)
      const missing = await client.getDistribution({ Id: 'E404' }).catch((error: unknown) => error)
      assert.equal((missing as Error).name, 'NoSuchDistribution')
      assert.match((missing as Error).message, /E404/)
      const tagged = await client.createDistributionWithTags({
        DistributionConfigWithTags: { DistributionConfig: CONFIG, Tags: { Items: [{ Key: 'k', Value: 'v' }] } },
      })
      const Resource = tagged.Distribution?.ARN ?? ''
      assert.deepEqual((await client.listTagsForResource({ Resource })).Tags?.Items, [{ Key: 'k', Value: 'v' }])
      assert.equal((await client.tagResource({ Resource, Tags: { Items: [] } })).$metadata.httpStatusCode, 204)
      const code = await (await client.getFunction({ Name: 'f' })).FunctionCode?.transformToString?.()
      if (code !== undefined) assert.equal(code, 'function handler() {}\n')
      assert.equal((await client.deleteDistribution({ Id })).$metadata.httpStatusCode, 204)
    } finally {
      client.destroy()
    }
  })

  test('the SDK: ElastiCache pages, wire codes, operations without output', async () => {
    const client = new ElastiCache(clientOptions(server.url))
    try {
      const ids: (string | undefined)[] = []
      for await (const page of paginateDescribeCacheClusters({ client }, {})) {
        ids.push(...(page.CacheClusters ?? []).map((cluster) => cluster.CacheClusterId))
      }
      assert.deepEqual(ids, ['one', 'next/+='])
      await assert.rejects(client.describeCacheClusters({ CacheClusterId: 'gone' }), {
        name: 'CacheClusterNotFoundFault',
        message: 'gone not found',
      })
      assert.equal((await client.deleteCacheSubnetGroup({ CacheSubnetGroupName: 's' })).$metadata.httpStatusCode, 200)
    } finally {
      client.destroy()
    }
  })

  test('the log tells changes from reads and keeps secrets out', async () => {
    const client = new ElastiCache(clientOptions(server.url))
    const AuthToken = 'a-token-that-nobody-may-read'
    try {
      await client.createReplicationGroup({ ReplicationGroupId: 's', ReplicationGroupDescription: 'd', AuthToken })
      assert.deepEqual([server.log.at(-1)?.operation, server.log.at(-1)?.change], ['CreateReplicationGroup', true])
      await assert.rejects(
        client.createUser({ UserId: 'u', UserName: 'u', Engine: 'redis', AccessString: 'on', Passwords: [AuthToken] }),
      )
      assert.deepEqual([server.log.at(-1)?.code, server.log.at(-1)?.change], ['NotImplemented', true])
      await client.describeCacheClusters({})
      assert.deepEqual([server.log.at(-1)?.operation, server.log.at(-1)?.change], ['DescribeCacheClusters', false])
      assert.ok(server.rawLog.every((line) => !line.includes(AuthToken)))
    } finally {
      client.destroy()
    }
  })

  test('the AWS CLI: a distribution there and back, a group with lists, errors', async () => {
    const url = server.url
    const identity = await aws(url, 'sts', 'get-caller-identity')
    assert.equal(identity.code, 0, identity.stderr)
    assert.equal(JSON.parse(identity.stdout).Account, '123456789012')
    const made = await aws(url, 'cloudfront', 'create-distribution', '--distribution-config', JSON.stringify(CONFIG))
    assert.equal(made.code, 0, made.stderr)
    const { Distribution, ETag } = JSON.parse(made.stdout)
    assert.deepEqual(Distribution.DistributionConfig, CONFIG)
    assert.equal(server.log.at(-1)?.verified, true)
    const config = JSON.stringify({ ...CONFIG, Comment: 'by the CLI' })
    const update = ['--id', Distribution.Id, '--distribution-config', config, '--if-match', ETag]
    const updated = await aws(url, 'cloudfront', 'update-distribution', ...update)
    assert.equal(updated.code, 0, updated.stderr)
    const missing = await aws(url, 'cloudfront', 'get-distribution', '--id', 'E404')
    assert.match(
      missing.stderr,
      /An error occurred \(NoSuchDistribution\) when calling the GetDistribution operation: .*E404/,
    )
    const wrong = JSON.stringify({ ...CONFIG, Aliases: { Quantity: 1 } })
    const refused = await aws(url, 'cloudfront', 'create-distribution', '--distribution-config', wrong)
    assert.match(refused.stderr, /\(InconsistentQuantities\)/)
    const unbuilt = await aws(url, 'cloudfront', 'list-functions')
    assert.match(unbuilt.stderr, /\(NotImplemented\).*ListFunctions/)
    const gone = await aws(url, 'elasticache', 'describe-cache-clusters', '--cache-cluster-id', 'gone')
    assert.match(gone.stderr, /\(CacheClusterNotFound\)/)
    const pages = await aws(url, 'elasticache', 'describe-cache-clusters', '--query', 'CacheClusters[].CacheClusterId')
    assert.deepEqual(JSON.parse(pages.stdout), ['one', 'next/+='])
    const group = ['--replication-group-id', 'g', '--replication-group-description', 'a b', '--tags', 'Key=a,Value=b']
    const zones = ['--preferred-cache-cluster-azs', 'us-east-1a', 'us-east-1b', '--user-group-ids', 'u1', 'u2']
    const created = await aws(url, 'elasticache', 'create-replication-group', ...group, ...zones)
    assert.equal(created.code, 0, created.stderr)
    assert.deepEqual(JSON.parse(created.stdout).ReplicationGroup.UserGroupIds, ['u1', 'u2'])
    const tags = await aws(url, 'elasticache', 'list-tags-for-resource', '--resource-name', 'g')
    assert.deepEqual(JSON.parse(tags.stdout).TagList, [{ Key: 'a', Value: 'b' }])
  })

  test('boto3: a distribution with tags, a group with node groups, errors', async () => {
    const ended = await runAwsProgram('/usr/bin/python3', ['-c', BOTO3, JSON.stringify(CONFIG)], server.url)
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(JSON.parse(ended.stdout), {
      config: CONFIG,
      tags: [{ Key: 'k ü', Value: 'v&' }],
      code: 'NoSuchDistribution',
      status: 404,
      function: 'function handler() {}\n',
      group: ['g2', 'a b', ['a-001', 'a-002'], '2026-01-31T12:34:56.789000+00:00'],
      wire: 'CacheClusterNotFound',
      unbuilt: 501,
    })
    assert.equal(server.log.at(-1)?.verified, true)
  })
})

const BOTO3 = `
import boto3, botocore, json, os, sys
def client(name):
    return boto3.client(name, endpoint_url=os.environ['ENDPOINT'])
config, cf, ec, out = json.loads(sys.argv[1]), client('cloudfront'), client('elasticache'), {}
made = cf.create_distribution_with_tags(DistributionConfigWithTags={
    'DistributionConfig': config, 'Tags': {'Items': [{'Key': 'k ü', 'Value': 'v&'}]}})
out['config'] = cf.get_distribution_config(Id=made['Distribution']['Id'])['DistributionConfig']
out['tags'] = cf.list_tags_for_resource(Resource=made['Distribution']['ARN'])['Tags']['Items']
try:
    cf.delete_distribution(Id='E404', IfMatch='x')
except cf.exceptions.NoSuchDistribution as error:
    out['code'] = error.response['Error']['Code']
    out['status'] = error.response['ResponseMetadata']['HTTPStatusCode']
out['function'] = cf.get_function(Name='f')['FunctionCode'].read().decode()
group = ec.create_replication_group(ReplicationGroupId='g2', ReplicationGroupDescription='a b', AutomaticFailoverEnabled=True,
    NodeGroupConfiguration=[{'NodeGroupId': '0001', 'ReplicaAvailabilityZones': ['a', 'b']}])['ReplicationGroup']
out['group'] = [group['ReplicationGroupId'], group['Description'], group['MemberClusters'], group['ReplicationGroupCreateTime'].isoformat()]
try:
    ec.describe_cache_clusters(CacheClusterId='gone')
except ec.exceptions.CacheClusterNotFoundFault as error:
    out['wire'] = error.response['Error']['Code']
try:
    ec.describe_users()
except botocore.exceptions.ClientError as error:
    out['unbuilt'] = error.response['ResponseMetadata']['HTTPStatusCode']
print(json.dumps(out))
`
