//! The tables of managed rule groups agree with each other and with AWS's limits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAMILIES, type Family } from './managed-families.ts'
import { MANAGED_RULE_GROUPS, MISSING_RULE_GROUPS, managedRuleGroup, managedVersion } from './managed-groups.ts'
import { MANAGED_PATTERNS } from './managed-patterns.ts'

test('every rule of a group has a name and a label of its own; each kind of attack has something that finds it', () => {
  for (const { name, rules, labelNamespace, versions } of MANAGED_RULE_GROUPS) {
    assert.equal(versions.length > 0, true, name)
    assert.equal(MISSING_RULE_GROUPS[name], undefined)
    assert.equal(new Set(rules.map((rule) => rule.name)).size, rules.length, name)
    assert.equal(new Set(rules.flatMap((rule) => rule.labels)).size, rules.length, name)
    for (const rule of rules) {
      // EntityName and LabelName of AWS's model.
      assert.match(rule.name, /^[\w-]{1,128}$/)
      assert.match(rule.labels[0] ?? '', new RegExp(`^${labelNamespace}[\\w-]{1,128}$`))
    }
  }
  const used = new Set(
    MANAGED_RULE_GROUPS.flatMap(({ rules }) => rules.flatMap(({ test: { kind, ...rest } }) => Object.values(rest))),
  )
  for (const family of Object.keys(FAMILIES) as Family[]) {
    assert.ok(used.has(family), `${family} belongs to no rule`)
    assert.ok(FAMILIES[family].engine.length + FAMILIES[family].own.length > 0, family)
  }
  const patterns = Object.values(FAMILIES).flatMap(({ own }) => own)
  assert.deepEqual(patterns.toSorted(), Object.keys(MANAGED_PATTERNS).toSorted())
})

test('a group is found by vendor and name, a version by its name, the newest without one', () => {
  const common = managedRuleGroup('AWS', 'AWSManagedRulesCommonRuleSet')
  assert.equal(common?.capacity, 700)
  assert.equal(managedRuleGroup('Fortinet', 'AWSManagedRulesCommonRuleSet'), undefined)
  assert.equal(managedRuleGroup('AWS', 'AWSManagedRulesBotControlRuleSet'), undefined)
  assert.equal(managedVersion(common, undefined)?.name, 'Version_1.0')
  assert.equal(managedVersion(common, 'Version_1.19'), undefined)
})
