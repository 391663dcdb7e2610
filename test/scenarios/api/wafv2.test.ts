//! WAFv2 through AWS's SDK: web ACLs and what they name, from creation to deletion.
import assert from 'node:assert/strict'
import { test } from 'node:test'
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
