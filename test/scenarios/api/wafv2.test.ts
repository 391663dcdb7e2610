//! WAFv2 through AWS's SDK: web ACLs and what they name, from creation to deletion.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allDistributions, feedChanges } from '../../../src/control/plan/feed-changes.ts'
import { allWebAcls } from '../../../src/control/plan/web-acl-changes.ts'
import { awsJson, runAwsProgram } from '../../support/api-programs.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { blockRule, bytes, pathStarts, SCOPE, visibility, WafSite } from '../../support/waf-site.ts'

const ACL = { Scope: SCOPE, DefaultAction: { Allow: {} }, VisibilityConfig: visibility('all-requests') } as const

test('a web ACL and the sets that its rules name live from creation to deletion, each change under a new lock token', () =>
  WafSite.use({}, async ({ waf }) => {
    const { Summary: set } = await waf.createIPSet({
      ...{ Name: 'bad', Scope: SCOPE, IPAddressVersion: 'IPV6', Description: 'known bad' },
      Addresses: ['2001:db8::1/32', '2001:0DB8:0:0::/32', '::1/128'],
      Tags: [{ Key: 'team', Value: 'web' }],
    })
    assert.match(set?.ARN ?? '', /^arn:aws:wafv2:us-east-1:123456789012:global\/ipset\/bad\/[0-9a-f-]{36}$/)
    assert.equal(set?.Description, 'known bad')
    const named = { Name: 'bad', Scope: SCOPE, Id: set?.Id } as const
    const { IPSet: read, LockToken: firstToken } = await waf.getIPSet(named)
    assert.deepEqual(
      read?.Addresses,
      ['2001:0db8:0000:0000:0000:0000:0000:0000/32', '0000:0000:0000:0000:0000:0000:0000:0001/128'],
      'in their normal form, each once',
    )
    assert.equal(firstToken, set?.LockToken)

    const { Summary: patterns } = await waf.createRegexPatternSet({
      ...{ Name: 'paths', Scope: SCOPE, RegularExpressionList: [{ RegexString: '^/a+b$' }, { RegexString: 'x{2,3}' }] },
    })
    assert.match(patterns?.ARN ?? '', /:global\/regexpatternset\/paths\//)

    const search = new Uint8Array([0x2f, 0x61, 0x00, 0xff])
    const Rules = [
      blockRule('addresses', 1, { IPSetReferenceStatement: { ARN: set?.ARN } }),
      blockRule(
        'paths',
        0,
        {
          AndStatement: {
            Statements: [
              { NotStatement: { Statement: pathStarts('/public') } },
              {
                ByteMatchStatement: {
                  SearchString: search,
                  PositionalConstraint: 'CONTAINS',
                  FieldToMatch: { SingleHeader: { Name: 'X-Key' } },
                  TextTransformations: [{ Priority: 0, Type: 'LOWERCASE' }],
                },
              },
            ],
          },
        },
        { Action: { Block: { CustomResponse: { ResponseCode: 429, CustomResponseBodyKey: 'slow' } } } },
      ),
    ]
    const CustomResponseBodies = { slow: { ContentType: 'TEXT_PLAIN', Content: 'Slow down.' } } as const
    const { Capacity } = await waf.checkCapacity({ Scope: SCOPE, Rules })
    assert.equal(Capacity, 1 + 2 + 10 + 10, 'an IP set; a match at the start; one anywhere, and its transformation')
    const { Summary: made } = await waf.createWebACL({ ...ACL, Name: 'shop', Rules, CustomResponseBodies })
    assert.match(made?.ARN ?? '', /^arn:aws:wafv2:us-east-1:123456789012:global\/webacl\/shop\/[0-9a-f-]{36}$/)
    const shop = { Name: 'shop', Scope: SCOPE, Id: made?.Id } as const
    const { WebACL: acl, LockToken } = await waf.getWebACL(shop)
    assert.deepEqual(acl?.Rules, Rules, 'bytes too come back as they were given')
    assert.equal(acl?.Capacity, Capacity)
    assert.equal(acl?.LabelNamespace, 'awswaf:123456789012:webacl:shop:')
    assert.deepEqual((await waf.getWebACL({ ARN: made?.ARN })).WebACL, acl)

    const { NextLockToken } = await waf.updateWebACL({ ...ACL, ...shop, LockToken, Rules: [Rules[0] as never] })
    assert.notEqual(NextLockToken, LockToken)
    await assert.rejects(waf.updateWebACL({ ...ACL, ...shop, LockToken }), { name: 'WAFOptimisticLockException' })
    const { WebACL: updated } = await waf.getWebACL(shop)
    assert.equal(updated?.Rules?.length, 1)
    assert.equal(updated?.CustomResponseBodies, undefined, 'an update replaces all')

    const stale = { ...named, LockToken: firstToken }
    const { NextLockToken: secondToken } = await waf.updateIPSet({ ...stale, Addresses: [] })
    await assert.rejects(waf.updateIPSet({ ...stale, Addresses: [] }), { name: 'WAFOptimisticLockException' })
    const inUse = { ...named, LockToken: secondToken }
    await assert.rejects(waf.deleteIPSet(inUse), { name: 'WAFAssociatedItemException', message: /webacl\/shop/ })

    await assert.rejects(waf.deleteWebACL({ ...shop, LockToken }), { name: 'WAFOptimisticLockException' })
    await waf.deleteWebACL({ ...shop, LockToken: NextLockToken })
    await assert.rejects(waf.getWebACL(shop), { name: 'WAFNonexistentItemException', message: /shop/ })
    await waf.deleteIPSet(inUse)
    assert.deepEqual((await waf.listIPSets({ Scope: SCOPE })).IPSets, [])
  }))

test('rule groups keep to the capacity that was reserved, and show the labels that they add and look for', () =>
  WafSite.use({}, async ({ waf }) => {
    const rule = blockRule('one', 0, pathStarts('/a'), { RuleLabels: [{ Name: 'seen:a' }] })
    const group = { Name: 'mine', Scope: SCOPE, VisibilityConfig: visibility('mine') } as const
    await assert.rejects(waf.createRuleGroup({ ...group, Capacity: 1, Rules: [rule] }), {
      name: 'WAFInvalidParameterException',
      Field: 'RULE_GROUP',
      Parameter: 'Capacity 1, and the rules take 2',
    })
    const { Summary: made } = await waf.createRuleGroup({ ...group, Capacity: 3, Rules: [rule] })
    const { RuleGroup: read, LockToken } = await waf.getRuleGroup({ ARN: made?.ARN })
    assert.equal(read?.Capacity, 3)
    assert.deepEqual(read?.AvailableLabels, [{ Name: 'awswaf:123456789012:rulegroup:mine:seen:a' }])
    const named = { ...group, Id: made?.Id, LockToken }
    await assert.rejects(waf.updateRuleGroup({ ...named, Rules: [rule, blockRule('two', 1, pathStarts('/b'))] }), {
      name: 'WAFInvalidParameterException',
    })
    const { NextLockToken } = await waf.updateRuleGroup({ ...named, Rules: [], Description: 'for later' })
    const { RuleGroups: listed } = await waf.listRuleGroups({ Scope: SCOPE })
    assert.deepEqual(listed, [{ ...made, Description: 'for later', LockToken: NextLockToken }])
    await waf.deleteRuleGroup({ Name: 'mine', Scope: SCOPE, Id: made?.Id, LockToken: NextLockToken })
    await assert.rejects(waf.getRuleGroup({ ARN: made?.ARN }), { name: 'WAFNonexistentItemException' })
  }))

test('lists have pages by name; tags are written, replaced and removed', () =>
  WafSite.use({}, async ({ waf }) => {
    for (const Name of ['c', 'a', 'b']) await waf.createWebACL({ ...ACL, Name })
    await assert.rejects(waf.createWebACL({ ...ACL, Name: 'a' }), {
      name: 'WAFDuplicateItemException',
      message: /named a/,
    })
    const first = await waf.listWebACLs({ Scope: SCOPE, Limit: 2 })
    assert.deepEqual([first.WebACLs?.map(({ Name }) => Name), first.NextMarker], [['a', 'b'], 'b'])
    const rest = await waf.listWebACLs({ Scope: SCOPE, Limit: 2, NextMarker: first.NextMarker })
    assert.deepEqual([rest.WebACLs?.map(({ Name }) => Name), rest.NextMarker], [['c'], undefined])

    const ResourceARN = first.WebACLs?.[0]?.ARN
    await waf.tagResource({ ResourceARN, Tags: [{ Key: 'x', Value: '1' }, { Key: '__proto__', Value: '2' }] }) // biome-ignore format: one line
    await waf.tagResource({ ResourceARN, Tags: [{ Key: 'x', Value: '3' }] })
    const tags = async () => (await waf.listTagsForResource({ ResourceARN })).TagInfoForResource?.TagList
    assert.deepEqual(await tags(), [{ Key: '__proto__', Value: '2' }, { Key: 'x', Value: '3' }]) // biome-ignore format: one line
    await waf.untagResource({ ResourceARN, TagKeys: ['x', 'not there'] })
    assert.deepEqual(await tags(), [{ Key: '__proto__', Value: '2' }])
    const elsewhere = ResourceARN?.replace(/.$/, '!') ?? ''
    await assert.rejects(waf.tagResource({ ResourceARN: elsewhere, Tags: [{ Key: 'x', Value: '' }] }), {
      name: 'WAFNonexistentItemException',
    })
  }))

test('an IP set of 10,000 IPv6 ranges is taken, one more is not', () =>
  WafSite.use({}, async ({ waf }) => {
    const Addresses = Array.from(
      { length: 10_001 },
      (_, at) => `2001:0db8:0000:0000:0000:0000:0000:${at.toString(16)}/128`,
    )
    const set = { Scope: SCOPE, IPAddressVersion: 'IPV6' } as const
    await assert.rejects(waf.createIPSet({ ...set, Name: 'many', Addresses }), { name: 'WAFLimitsExceededException' })
    const { Summary: made } = await waf.createIPSet({ ...set, Name: 'many', Addresses: Addresses.slice(1) })
    const { IPSet: read } = await waf.getIPSet({ Name: 'many', Scope: SCOPE, Id: made?.Id })
    assert.equal(read?.Addresses?.length, 10_000)
  }))

test('bytes of a search string are stored as base64 and given back as bytes', () =>
  WafSite.use({}, async ({ waf, state }) => {
    await waf.createWebACL({ ...ACL, Name: 'one', Rules: [blockRule('r', 0, pathStarts('/x'))] })
    const [record] = await state.list('web-acl')
    assert.equal(
      record?.doc.acl.Rules?.[0]?.Statement.ByteMatchStatement?.SearchString,
      Buffer.from(bytes('/x')).toString('base64'),
    )
  }))

test('a distribution names its web ACL, which cannot go meanwhile; edges hear of it, and of what it names', () =>
  WafSite.use({}, async ({ waf, cloudfront, state }) => {
    const { Summary: set } = await waf.createIPSet({
      ...{ Name: 'bad', Scope: SCOPE, IPAddressVersion: 'IPV4', Addresses: ['192.0.2.0/24'] },
    })
    const { Summary: group } = await waf.createRuleGroup({
      ...{ Name: 'mine', Scope: SCOPE, Capacity: 5, VisibilityConfig: visibility('mine') },
      Rules: [blockRule('bad', 0, { IPSetReferenceStatement: { ARN: set?.ARN } })],
    })
    const reference = { RuleGroupReferenceStatement: { ARN: group?.ARN } }
    const named = blockRule('group', 0, reference, { Action: undefined, OverrideAction: { None: {} } })
    const { Summary: acl } = await waf.createWebACL({ ...ACL, Name: 'shop', Rules: [named] })
    const arn = acl?.ARN as string
    const news = async (from: number) => feedChanges(state, (await state.changesSince(from)) ?? [], from)
    assert.deepEqual(await allWebAcls(state), [], 'nobody names it')

    let before = await state.revision()
    const { Distribution: one, ETag } = await cloudfront.createDistribution({
      DistributionConfig: { ...oneOrigin('r', 80), WebACLId: arn },
    })
    const id = one?.Id as string
    const [first, second] = await news(before)
    assert.equal(first?.kind === 'web-acl' && first.arn, arn, 'before the distribution that names it')
    assert.equal(second?.kind === 'distribution' && second.distribution?.webAclArn, arn)
    const [doc] = await allWebAcls(state)
    assert.deepEqual(doc?.ipSets, { [set?.ARN as string]: ['192.0.2.0/24'] }, 'what its groups name is beside it')
    assert.deepEqual(
      doc?.ruleGroups[group?.ARN as string]?.rules.map(({ Name }) => Name),
      ['bad'],
    )

    const ResourceArn = one?.ARN
    assert.equal((await waf.getWebACLForResource({ ResourceArn })).WebACL?.Name, 'shop')
    assert.deepEqual((await waf.listResourcesForWebACL({ WebACLArn: arn })).ResourceArns, [ResourceArn])
    const { DistributionList: by } = await cloudfront.listDistributionsByWebACLId({ WebACLId: arn })
    assert.deepEqual(
      by?.Items?.map((item) => item.Id),
      [id],
    )
    const gone = { Name: 'shop', Scope: SCOPE, Id: acl?.Id, LockToken: acl?.LockToken } as const
    await assert.rejects(waf.deleteWebACL(gone), { name: 'WAFAssociatedItemException', message: new RegExp(id) })
    await assert.rejects(waf.associateWebACL({ WebACLArn: arn, ResourceArn }), { Field: 'RESOURCE_ARN' })

    before = await state.revision()
    await waf.updateIPSet({
      ...{ Name: 'bad', Scope: SCOPE, Id: set?.Id, LockToken: set?.LockToken, Addresses: ['198.51.100.0/24'] },
    })
    const [changed, ...others] = await news(before)
    assert.deepEqual(others, [])
    assert.deepEqual(
      changed?.kind === 'web-acl' && changed.webAcl?.ipSets,
      { [set?.ARN as string]: ['198.51.100.0/24'] },
      'through the rule group',
    )

    before = await state.revision()
    const { ETag: without } = await cloudfront.disassociateDistributionWebACL({ Id: id, IfMatch: ETag })
    const left = await news(before)
    assert.deepEqual(
      left.map(({ kind }) => kind),
      ['web-acl', 'distribution'],
    )
    assert.equal(left[0]?.kind === 'web-acl' && left[0].webAcl, null, 'edges forget it')
    assert.deepEqual((await waf.getWebACLForResource({ ResourceArn })).WebACL, undefined)
    const there = { Id: id, WebACLArn: arn, IfMatch: without }
    await assert.rejects(cloudfront.associateDistributionWebACL({ ...there, IfMatch: ETag }), {
      name: 'PreconditionFailed',
    })
    await assert.rejects(cloudfront.associateDistributionWebACL({ ...there, WebACLArn: `${arn}x` }), {
      name: 'EntityNotFound',
    })
    const again = await cloudfront.associateDistributionWebACL(there)
    assert.equal(again.WebACLArn, arn)
    await state.transact(async (tx) => void (await tx.delete('web-acl', arn)))
    const { docs, kept } = await allDistributions(state)
    assert.deepEqual([docs, kept], [[], [id]], 'one whose web ACL is not there is broken, and not served without it')
  }))

test('logs go where the configuration says, one a web ACL', () =>
  WafSite.use({}, async ({ waf }) => {
    const { Summary: acl } = await waf.createWebACL({ ...ACL, Name: 'shop' })
    const ResourceArn = acl?.ARN
    await assert.rejects(waf.getLoggingConfiguration({ ResourceArn }), { name: 'WAFNonexistentItemException' })
    const given = {
      ResourceArn,
      LogDestinationConfigs: ['arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-shop'],
      RedactedFields: [{ SingleHeader: { Name: 'authorization' } }],
      LoggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          { Behavior: 'KEEP', Requirement: 'MEETS_ANY', Conditions: [{ ActionCondition: { Action: 'BLOCK' } }] },
        ],
      },
    } as const
    const { LoggingConfiguration: put } = await waf.putLoggingConfiguration({ LoggingConfiguration: given as never })
    assert.deepEqual(put, { ...given, ManagedByFirewallManager: false, LogType: 'WAF_LOGS', LogScope: 'CUSTOMER' })
    assert.deepEqual((await waf.getLoggingConfiguration({ ResourceArn })).LoggingConfiguration, put)
    assert.deepEqual((await waf.listLoggingConfigurations({ Scope: SCOPE })).LoggingConfigurations, [put])
    const { LockToken } = await waf.getWebACL({ ARN: ResourceArn })
    assert.equal(LockToken, acl?.LockToken, 'its logs are no part of the web ACL')
    await waf.deleteLoggingConfiguration({ ResourceArn })
    assert.deepEqual((await waf.listLoggingConfigurations({ Scope: SCOPE })).LoggingConfigurations, [])
  }))

test('samples and addresses over a limit are what edges tell', async () => {
  const asked: unknown[] = []
  const sample = {
    ...{ at: Date.now(), action: 'BLOCK', clientIp: '192.0.2.1', country: 'DE', uri: '/x', method: 'GET' },
    ...{ httpVersion: 'HTTP/1.1', headers: [{ name: 'Host', value: 'a' }], ruleNameWithinRuleGroup: null },
    ...{ inserted: [], responseCodeSent: 403, labels: ['awswaf:x'], overriddenAction: null, captcha: null },
    challenge: null,
  }
  const edges = {
    samples: async (wanted: object) => {
      asked.push(wanted)
      return { population: 7, samples: [{ weight: 7, sample }] }
    },
    rateLimited: async (wanted: object) => {
      asked.push(wanted)
      return ['192.0.2.1', '2001:db8::1']
    },
  }
  await WafSite.use({ waf: edges }, async ({ waf }) => {
    const rate = (changes: object) => ({ RateBasedStatement: { Limit: 100, AggregateKeyType: 'IP', ...changes } })
    const Rules = [
      blockRule('rate', 0, rate({})),
      blockRule('all', 1, rate({ AggregateKeyType: 'CONSTANT', ScopeDownStatement: pathStarts('/x') })),
    ]
    const { Summary: acl } = await waf.createWebACL({ ...ACL, Name: 'shop', Rules })
    const { SampledRequests: seen, PopulationSize } = await waf.getSampledRequests({
      ...{ WebAclArn: acl?.ARN, RuleMetricName: 'rate', Scope: SCOPE, MaxItems: 5 },
      TimeWindow: { StartTime: new Date(0), EndTime: new Date(Date.now() + 1_000) },
    })
    assert.equal(PopulationSize, 7)
    assert.deepEqual(seen?.[0]?.Request?.Headers, [{ Name: 'Host', Value: 'a' }])
    assert.deepEqual([seen?.[0]?.Weight, seen?.[0]?.Action, seen?.[0]?.ResponseCodeSent], [7, 'BLOCK', 403])

    const which = { Scope: SCOPE, WebACLName: 'shop', WebACLId: acl?.Id } as const
    const keys = await waf.getRateBasedStatementManagedKeys({ ...which, RuleName: 'rate' })
    assert.deepEqual(keys.ManagedKeysIPV4?.Addresses, ['192.0.2.1/32'])
    assert.deepEqual(keys.ManagedKeysIPV6?.Addresses, ['2001:db8::1/128'])
    assert.deepEqual(asked.at(-1), { webAcl: acl?.ARN, group: null, rule: 'rate' })
    await assert.rejects(waf.getRateBasedStatementManagedKeys({ ...which, RuleName: 'all' }), {
      name: 'WAFUnsupportedAggregateKeyTypeException',
    })
    await assert.rejects(waf.getRateBasedStatementManagedKeys({ ...which, RuleName: 'none' }), {
      name: 'WAFNonexistentItemException',
    })
  })
})

const BOTO3 = `
import boto3, os
waf = boto3.client('wafv2', endpoint_url=os.environ['ENDPOINT'], region_name='us-east-1')
acl = waf.list_web_acls(Scope='CLOUDFRONT')['WebACLs'][0]
got = waf.get_web_acl(Name=acl['Name'], Scope='CLOUDFRONT', Id=acl['Id'])
print(got['WebACL']['Rules'][0]['Statement']['ByteMatchStatement']['SearchString'].decode())
try:
    waf.delete_web_acl(Name=acl['Name'], Scope='CLOUDFRONT', Id=acl['Id'], LockToken=acl['Id'])
except waf.exceptions.WAFOptimisticLockException as refused:
    print(refused.response['Error']['Code'])
try:
    waf.create_ip_set(Name='x', Scope='CLOUDFRONT', IPAddressVersion='IPV4', Addresses=['everybody'])
except waf.exceptions.WAFInvalidParameterException as refused:
    print(refused.response['Field'], refused.response['Parameter'])
`

test('the AWS CLI makes a web ACL, and boto3 reads it and the members of errors', () =>
  WafSite.use({}, async ({ server }) => {
    const VisibilityConfig = visibility('cli')
    const rules = [
      {
        ...{ Name: 'admin', Priority: 0, Action: { Block: {} }, VisibilityConfig },
        Statement: {
          ByteMatchStatement: {
            ...{ SearchString: Buffer.from('/admin').toString('base64'), PositionalConstraint: 'STARTS_WITH' },
            ...{ FieldToMatch: { UriPath: {} }, TextTransformations: [{ Priority: 0, Type: 'NONE' }] },
          },
        },
      },
    ]
    const { Summary: made } = await awsJson(
      ...([server.url, 'wafv2', 'create-web-acl', '--scope', 'CLOUDFRONT', '--name', 'cli'] as const),
      ...['--default-action', 'Allow={}', '--region', 'us-east-1', '--rules', JSON.stringify(rules)],
      ...['--visibility-config', 'SampledRequestsEnabled=true,CloudWatchMetricsEnabled=true,MetricName=cli'],
    )
    assert.match(made.ARN, /:global\/webacl\/cli\//)
    const { stdout, stderr } = await runAwsProgram('python3', ['-c', BOTO3], server.url)
    assert.deepEqual(
      stdout.trim().split('\n'),
      ['/admin', 'WAFOptimisticLockException', 'IP_ADDRESS everybody'],
      stderr,
    )
  }))
