import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault } from '../../domain/faults.ts'
import { MISSING_RULE_GROUPS } from '../../domain/waf/managed-groups.ts'
import { ACTIONS, FIELDS, STATEMENTS, TRANSFORMATIONS } from '../../domain/waf/statements.ts'
import type { StoredRule } from '../../domain/waf/web-acl.ts'
import { requireGroup } from './managed-groups.ts'
import { ruleFeaturesNotBuilt } from './not-built.ts'

const rule = (Statement: unknown, Action: unknown = {}) => ({ Name: 'r', Priority: 0, Statement, Action }) as StoredRule

const field = (FieldToMatch: object, ...types: string[]) => ({
  SqliMatchStatement: { FieldToMatch, TextTransformations: types.map((Type, Priority) => ({ Type, Priority })) },
})

test('what no edge evaluates is named, however deep it stands, and each name once', () => {
  const names = ruleFeaturesNotBuilt([
    rule({ AndStatement: { Statements: [{ NotStatement: { Statement: { MagicStatement: {} } } }] } }, { Explode: {} }),
    rule({ OrStatement: { Statements: [field({ Aura: {} }, 'NONE', 'ROT13'), field({ Aura: {} }, 'ROT13')] } }),
  ])
  const built = { ...STATEMENTS, ...TRANSFORMATIONS } as Record<string, { built: boolean }>
  const expected = ['the action Explode', 'FieldToMatch.Aura', 'the text transformation ROT13']
  assert.deepEqual(
    names.filter((name) => !(name.replace('the text transformation ', '') in built)),
    expected,
  )
})

test('each row that is not built is named for a rule that uses it, and each that is built is not', () => {
  for (const [name, { built }] of Object.entries(FIELDS)) {
    assert.equal(ruleFeaturesNotBuilt([rule(field({ [name]: {} }))]).includes(`FieldToMatch.${name}`), !built, name)
  }
  for (const [type, { built }] of Object.entries(TRANSFORMATIONS)) {
    const names = ruleFeaturesNotBuilt([rule(field({ Method: {} }, type))])
    assert.equal(names.includes(`the text transformation ${type}`), !built, type)
  }
  for (const [name, { built }] of Object.entries(ACTIONS)) {
    assert.equal(ruleFeaturesNotBuilt([rule({}, { [name]: {} })]).includes(`the action ${name}`), !built, name)
  }
})

test('a managed rule group that AWS has and nobody built answers 501 with its name; one that nobody has does not exist', () => {
  for (const name of Object.keys(MISSING_RULE_GROUPS)) {
    assert.throws(
      () => requireGroup('AWS', name),
      (error: Fault) => error.code === 'NotImplemented' && error.message.includes(name),
    )
  }
  for (const [vendor, name] of [
    ['AWS', 'AWSManagedRulesNoSuchSet'],
    ['Fortinet', 'AWSManagedRulesATPRuleSet'],
    [undefined, undefined],
  ]) {
    assert.throws(
      () => requireGroup(vendor, name),
      (error: Fault) => error.code === 'WAFNonexistentItemException',
    )
  }
  assert.equal(requireGroup('AWS', 'AWSManagedRulesSQLiRuleSet').capacity, 200)
})
