//! CloudFront of the real program by the AWS CLI and boto3: create, edit, invalidate, list in pages and delete, with
//! AWS's own waiters.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { aws, awsJson, runAwsProgram } from '../../support/api-programs.ts'
import { distributionIsDeployed, endAll, type Installation, newHome, up } from '../../support/program-installation.ts'

const config = (reference: string) => ({
  CallerReference: reference,
  Comment: '',
  Enabled: true,
  Origins: {
    Quantity: 1,
    Items: [
      {
        Id: 'shop',
        DomainName: '127.0.0.1',
        CustomOriginConfig: { HTTPPort: 8000, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' },
      },
    ],
  },
  DefaultCacheBehavior: {
    TargetOriginId: 'shop',
    ViewerProtocolPolicy: 'allow-all',
    CachePolicyId: '658327ea-f89d-4fab-a63d-7e88639e58f6',
  },
})

describe('CloudFront of the running program', { timeout: 180_000 }, () => {
  let home: string
  let running: Installation
  before(async () => {
    home = await newHome()
    running = await up(home)
  })
  after(() => endAll(home))

  const cli = (...args: string[]) => awsJson(running.api, 'cloudfront', ...args)

  test('the AWS CLI', async () => {
    const made = await cli('create-distribution', '--distribution-config', JSON.stringify(config('one')))
    const { Id } = made.Distribution
    await cli('create-distribution', '--distribution-config', JSON.stringify(config('two')))
    await distributionIsDeployed(running.api, Id)
    await cli('wait', 'distribution-deployed', '--id', Id)
    assert.equal((await cli('get-distribution', '--id', Id)).Distribution.Status, 'Deployed')

    const { DistributionConfig, ETag } = await cli('get-distribution-config', '--id', Id)
    const update = (changes: object, match: string) => [
      ...['update-distribution', '--id', Id, '--if-match', match],
      ...['--distribution-config', JSON.stringify({ ...DistributionConfig, ...changes })],
    ]
    const updated = await cli(...update({ Comment: 'edited' }, ETag))
    assert.equal(updated.Distribution.DistributionConfig.Comment, 'edited')
    const stale = await aws(running.api, 'cloudfront', ...update({ Comment: 'stale' }, ETag))
    assert.match(stale.stderr, /\(PreconditionFailed\)/)

    const batch = await cli('create-invalidation', '--distribution-id', Id, '--paths', '/a', '/b*')
    await cli('wait', 'invalidation-completed', '--distribution-id', Id, '--id', batch.Invalidation.Id)
    const listed = await cli('list-invalidations', '--distribution-id', Id)
    assert.deepEqual(
      listed.InvalidationList.Items.map((item: { Id: string; Status: string }) => [item.Id, item.Status]),
      [[batch.Invalidation.Id, 'Completed']],
    )

    const first = await cli('list-distributions', '--max-items', '1')
    assert.equal(first.DistributionList.Items.length, 1)
    const next = await cli('list-distributions', '--max-items', '1', '--starting-token', first.NextToken)
    assert.notEqual(next.DistributionList.Items[0].Id, first.DistributionList.Items[0].Id)

    const enabled = await aws(running.api, 'cloudfront', 'delete-distribution', '--id', Id, '--if-match', updated.ETag)
    assert.match(enabled.stderr, /\(DistributionNotDisabled\)/)
    const disabled = await cli(...update({ Enabled: false }, updated.ETag))
    await distributionIsDeployed(running.api, Id)
    await cli('wait', 'distribution-deployed', '--id', Id)
    await cli('delete-distribution', '--id', Id, '--if-match', disabled.ETag)
    const gone = await aws(running.api, 'cloudfront', 'get-distribution', '--id', Id)
    assert.match(gone.stderr, /\(NoSuchDistribution\)/)
  })

  test('boto3', async () => {
    const args = ['-c', BOTO3, JSON.stringify(config('three'))]
    const ended = await runAwsProgram('/usr/bin/python3', args, running.api)
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(JSON.parse(ended.stdout), {
      status: 'Deployed',
      stale: 'PreconditionFailed',
      invalidation: 'Completed',
      batches: 3,
      listed: true,
      gone: 'NoSuchDistribution',
    })
  })
})

const BOTO3 = `
import boto3, botocore, json, os, sys
cf, out, soon = boto3.client('cloudfront', endpoint_url=os.environ['ENDPOINT']), {}, {'Delay': 1, 'MaxAttempts': 30}
id = cf.create_distribution(DistributionConfig=json.loads(sys.argv[1]))['Distribution']['Id']
deployed = cf.get_waiter('distribution_deployed')
deployed.wait(Id=id, WaiterConfig=soon)
out['status'] = cf.get_distribution(Id=id)['Distribution']['Status']
got = cf.get_distribution_config(Id=id)
config, etag = got['DistributionConfig'], got['ETag']
config['Comment'] = 'edited'
updated = cf.update_distribution(Id=id, IfMatch=etag, DistributionConfig=config)['ETag']
try:
    cf.update_distribution(Id=id, IfMatch=etag, DistributionConfig=config)
except cf.exceptions.PreconditionFailed as error:
    out['stale'] = error.response['Error']['Code']
for number in range(3):
    batch = cf.create_invalidation(DistributionId=id, InvalidationBatch={
        'CallerReference': str(number), 'Paths': {'Quantity': 1, 'Items': ['/%d' % number]}})['Invalidation']['Id']
cf.get_waiter('invalidation_completed').wait(DistributionId=id, Id=batch, WaiterConfig=soon)
out['invalidation'] = cf.get_invalidation(DistributionId=id, Id=batch)['Invalidation']['Status']
pages = cf.get_paginator('list_invalidations').paginate(DistributionId=id, PaginationConfig={'PageSize': 1})
out['batches'] = len(set(item['Id'] for page in pages for item in page['InvalidationList']['Items']))
pages = cf.get_paginator('list_distributions').paginate(PaginationConfig={'PageSize': 1})
out['listed'] = id in [item['Id'] for page in pages for item in page['DistributionList'].get('Items', [])]
config['Enabled'] = False
updated = cf.update_distribution(Id=id, IfMatch=updated, DistributionConfig=config)['ETag']
deployed.wait(Id=id, WaiterConfig=soon)
cf.delete_distribution(Id=id, IfMatch=updated)
try:
    cf.get_distribution(Id=id)
except cf.exceptions.NoSuchDistribution as error:
    out['gone'] = error.response['Error']['Code']
print(json.dumps(out))
`
