//! ElastiCache of the real program by the AWS CLI and boto3: a replication group with AWS's own waiters, described,
//! modified and deleted; its caches are real engines.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { aws, awsJson, runAwsProgram } from '../../support/api-programs.ts'
import { endAll, groupIs, type Installation, newHome, up } from '../../support/program-installation.ts'

describe('ElastiCache of the running program', { timeout: 180_000 }, () => {
  let home: string
  let running: Installation
  before(async () => {
    home = await newHome()
    running = await up(home)
  })
  after(() => endAll(home))

  const cli = (...args: string[]) => awsJson(running.api, 'elasticache', ...args)

  test('the AWS CLI', async () => {
    const group = ['--replication-group-id', 'shop']
    const made = await cli(
      'create-replication-group',
      ...group,
      ...['--replication-group-description', 'by the CLI', '--engine', 'redis', '--cache-node-type', 'cache.t3.micro'],
      ...['--num-cache-clusters', '2', '--automatic-failover-enabled', '--tags', 'Key=team,Value=shop'],
    )
    assert.equal(made.ReplicationGroup.Status, 'creating')
    await groupIs('available', running.api, 'shop')
    await cli('wait', 'replication-group-available', ...group)
    const [seen] = (await cli('describe-replication-groups', ...group)).ReplicationGroups
    assert.equal(seen.Status, 'available')
    assert.deepEqual(seen.MemberClusters, ['shop-001', 'shop-002'])
    assert.equal(seen.NodeGroups[0].PrimaryEndpoint.Port, 6379)
    const tags = await cli('list-tags-for-resource', '--resource-name', seen.ARN)
    assert.deepEqual(tags.TagList, [{ Key: 'team', Value: 'shop' }])
    const names = ['--query', 'CacheClusters[].CacheClusterId', '--page-size', '20']
    assert.deepEqual(await cli('describe-cache-clusters', ...names), ['shop-001', 'shop-002'])

    const words = ['--replication-group-description', 'edited', '--apply-immediately']
    const modified = await cli('modify-replication-group', ...group, ...words)
    assert.equal(modified.ReplicationGroup.Description, 'edited')
    const unbuilt = await aws(
      running.api,
      'elasticache',
      'modify-replication-group',
      ...group,
      ...['--ip-discovery', 'ipv6'],
    )
    assert.match(unbuilt.stderr, /\(NotImplemented\).*IpDiscovery/)

    const removed = await cli('delete-replication-group', ...group)
    assert.equal(removed.ReplicationGroup.Status, 'deleting')
    await groupIs('gone', running.api, 'shop')
    await cli('wait', 'replication-group-deleted', ...group)
    const gone = await aws(running.api, 'elasticache', 'describe-replication-groups', ...group)
    assert.match(gone.stderr, /\(ReplicationGroupNotFoundFault\)/)
  })

  test('boto3', async () => {
    const ended = await runAwsProgram('/usr/bin/python3', ['-c', BOTO3], running.api)
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(JSON.parse(ended.stdout), {
      members: ['carts-001', 'carts-002'],
      roles: ['primary', 'replica'],
      parameters: 'allkeys-lru',
      description: 'edited',
      events: true,
      gone: 'ReplicationGroupNotFoundFault',
    })
  })
})

const BOTO3 = `
import boto3, json, os
ec, out, soon = boto3.client('elasticache', endpoint_url=os.environ['ENDPOINT']), {}, {'Delay': 1, 'MaxAttempts': 60}
ec.create_cache_parameter_group(CacheParameterGroupName='lru', CacheParameterGroupFamily='redis7', Description='d')
ec.modify_cache_parameter_group(CacheParameterGroupName='lru', ParameterNameValues=[
    {'ParameterName': 'maxmemory-policy', 'ParameterValue': 'allkeys-lru'}])
ec.create_replication_group(ReplicationGroupId='carts', ReplicationGroupDescription='d', Engine='redis',
    CacheNodeType='cache.t3.micro', NumCacheClusters=2, AutomaticFailoverEnabled=True, CacheParameterGroupName='lru')
available = ec.get_waiter('replication_group_available')
available.wait(ReplicationGroupId='carts', WaiterConfig=soon)
group = ec.describe_replication_groups(ReplicationGroupId='carts')['ReplicationGroups'][0]
out['members'] = group['MemberClusters']
out['roles'] = sorted(member['CurrentRole'] for member in group['NodeGroups'][0]['NodeGroupMembers'])
pages = ec.get_paginator('describe_cache_parameters').paginate(CacheParameterGroupName='lru', Source='user')
out['parameters'] = [p['ParameterValue'] for page in pages for p in page['Parameters']][0]
ec.modify_replication_group(ReplicationGroupId='carts', ReplicationGroupDescription='edited', ApplyImmediately=True)
available.wait(ReplicationGroupId='carts', WaiterConfig=soon)
out['description'] = ec.describe_replication_groups(ReplicationGroupId='carts')['ReplicationGroups'][0]['Description']
messages = [event['Message'] for event in ec.describe_events(SourceType='replication-group', Duration=60)['Events']]
out['events'] = 'Replication group created' in messages
ec.delete_replication_group(ReplicationGroupId='carts')
ec.get_waiter('replication_group_deleted').wait(ReplicationGroupId='carts', WaiterConfig=soon)
try:
    ec.describe_replication_groups(ReplicationGroupId='carts')
except ec.exceptions.ReplicationGroupNotFoundFault as error:
    out['gone'] = error.response['Error']['Code']
print(json.dumps(out))
`
