import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DistributionConfig, OriginGroup } from '@aws-sdk/client-cloudfront'
import { Fault } from '../../domain/faults.ts'
import { quotasWith } from '../../domain/quotas.ts'
import { fieldsNotBuilt } from './not-built.ts'
import { checkOriginGroups } from './origin-group-checks.ts'

const ORIGINS: ReadonlySet<string> = new Set(['a', 'b'])

const group = (changes: Partial<OriginGroup> = {}): OriginGroup => ({
  Id: 'group',
  FailoverCriteria: codes(500, 404),
  Members: members('a', 'b'),
  ...changes,
})

function codes(...Items: number[]) {
  return { StatusCodes: { Quantity: Items.length, Items } }
}

function members(...ids: string[]) {
  return { Quantity: ids.length, Items: ids.map((OriginId) => ({ OriginId })) }
}

const ROWS: readonly (readonly [what: string, groups: OriginGroup[], code: string | null, named: RegExp])[] = [
  ['none', [], null, /./],
  ['one of two origins', [group()], null, /./],
  ['every status code', [group({ FailoverCriteria: codes(400, 403, 404, 416, 429, 500, 502, 503, 504) })], null, /./],
  ['two groups', [group(), group({ Id: 'other', Members: members('b', 'a') })], null, /./],
  ['ten', Array.from({ length: 10 }, (_, n) => group({ Id: `g${n}` })), null, /./],
  ['eleven', Array.from({ length: 11 }, (_, n) => group({ Id: `g${n}` })), 'TooManyOriginGroupsPerDistribution', /10/],
  ['one without Id', [group({ Id: '' })], 'InvalidArgument', /OriginGroups\.Items\[0\]\.Id/],
  ['two with one Id', [group(), group()], 'InvalidArgument', /OriginGroups\.Items\[1\]\.Id/],
  ['one with the Id of an origin', [group({ Id: 'a' })], 'InvalidArgument', /"a" is given twice/],
  ['one member', [group({ Members: members('a') })], 'InvalidOrigin', /exactly 2 members.*it has 1/],
  ['three members', [group({ Members: members('a', 'b', 'a') })], 'InvalidOrigin', /it has 3/],
  ['a member that stands in for itself', [group({ Members: members('a', 'a') })], 'InvalidOrigin', /itself/],
  ['a member that is no origin', [group({ Members: members('a', 'c') })], 'NoSuchOrigin', /"c"/],
  ['a member that is a group', [group({ Members: members('a', 'group') })], 'NoSuchOrigin', /"group"/],
  ['no status code', [group({ FailoverCriteria: codes() })], 'InvalidArgument', /FailoverCriteria\.StatusCodes/],
  ['a success', [group({ FailoverCriteria: codes(200) })], 'InvalidArgument', /200 is not one of 400/],
  ['501', [group({ FailoverCriteria: codes(500, 501) })], 'InvalidArgument', /501/],
  ['a code twice', [group({ FailoverCriteria: codes(500, 500) })], 'InvalidArgument', /twice/],
  ['a strange criterion', [group({ SelectionCriteria: 'x' as 'default' })], 'InvalidArgument', /SelectionCriteria/],
]

for (const [what, groups, code, named] of ROWS) {
  test(`origin groups: ${what}: ${code ?? 'accepted'}`, () => {
    const check = () => checkOriginGroups(groups, ORIGINS, quotasWith())
    if (code === null) return check()
    assert.throws(check, (error) => {
      assert(error instanceof Fault)
      assert.equal(error.code, code)
      assert.match(error.message, named)
      return true
    })
  })
}

test('a group chosen by media quality is valid and not built: it is named', () => {
  const groups = [group(), group({ Id: 'other', SelectionCriteria: 'media-quality-based' })]
  checkOriginGroups(groups, ORIGINS, quotasWith())
  const config = { OriginGroups: { Quantity: 2, Items: groups } } as unknown as DistributionConfig
  assert.ok(fieldsNotBuilt(config).some((field) => field.startsWith('OriginGroups.Items[1].SelectionCriteria')))
  assert.ok(!fieldsNotBuilt(config).some((field) => field.startsWith('OriginGroups.Items[0]')))
})
