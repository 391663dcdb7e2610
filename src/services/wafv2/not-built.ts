//! What rules say that no edge evaluates yet (domain/waf/statements.ts): refused with 501 and its name, so that no rule is
//! taken and not enforced. What AWS itself would refuse is refused first (rule-checks.ts).
import type { WebACL } from '@aws-sdk/client-wafv2'
import { notImplemented } from '../../domain/faults.ts'
import {
  ACTIONS,
  AGGREGATE_KEYS,
  CUSTOM_KEYS,
  FIELDS,
  MANAGED_GROUP_CONFIGS,
  PRE_PARSE_TRANSFORMATIONS,
  SETTINGS,
  type SettingName,
  STATEMENTS,
  TRANSFORMATIONS,
} from '../../domain/waf/statements.ts'
import { type Found, statementsOf } from '../../domain/waf/walk.ts'
import type { Stored, StoredRule } from '../../domain/waf/web-acl.ts'

type Table = Readonly<Record<string, { readonly built: boolean }>>

/** Names of `table` that are given and not built. */
const missing = (table: Table, names: Iterable<string>): string[] =>
  [...names].filter((name) => table[name]?.built !== true)

const given = (structure: object | undefined): string[] =>
  Object.entries(structure ?? {}).flatMap(([name, member]) => (member === undefined ? [] : [name]))

/** Names of what the rules use and no edge evaluates, each once. */
export function ruleFeaturesNotBuilt(rules: readonly StoredRule[]): string[] {
  const names = new Set<string>()
  for (const rule of rules) {
    for (const name of missing(ACTIONS, given(rule.Action))) names.add(`the action ${name}`)
    for (const name of [
      ...missing(SETTINGS, settingsOf(rule)),
      ...actionParts({ ...rule.Action, ...rule.OverrideAction }),
    ])
      names.add(name)
    for (const found of statementsOf(rule)) for (const name of notBuiltIn(found)) names.add(name)
  }
  return [...names]
}

const settingsOf = (rule: StoredRule): string[] =>
  given(rule).filter(
    (name) => Object.hasOwn(SETTINGS, name) && (name !== 'RuleLabels' || rule.RuleLabels?.length !== 0),
  )

/** What actions have besides their kind: CustomResponse, CustomRequestHandling. */
const actionParts = (action: object): string[] =>
  missing(
    SETTINGS,
    Object.values(action).flatMap((part) => given(part as object | undefined)),
  ).filter((name) => Object.hasOwn(SETTINGS, name))

function* notBuiltIn({ name, body }: Found): Generator<string> {
  if (!STATEMENTS[name].built) yield name
  if ('FieldToMatch' in body) {
    for (const field of missing(FIELDS, given(body.FieldToMatch))) yield `FieldToMatch.${field}`
    yield* transformations(body)
  }
  if (name === 'RateBasedStatement') {
    yield* missing(AGGREGATE_KEYS, [body.AggregateKeyType]).map((key) => `AggregateKeyType ${key}`)
    for (const key of body.CustomKeys ?? []) {
      yield* missing(CUSTOM_KEYS, given(key)).map((kind) => `CustomKeys.${kind}`)
      for (const part of Object.values(key)) if (part) yield* transformations(part)
    }
  }
  if (name === 'ManagedRuleGroupStatement') {
    for (const config of body.ManagedRuleGroupConfigs ?? []) {
      yield* missing(MANAGED_GROUP_CONFIGS, given(config)).map((kind) => `ManagedRuleGroupConfigs.${kind}`)
    }
  }
  if (name === 'ManagedRuleGroupStatement' || name === 'RuleGroupReferenceStatement') {
    for (const { ActionToUse: action } of body.RuleActionOverrides ?? []) {
      yield* missing(ACTIONS, given(action)).map((kind) => `the action ${kind}`)
      yield* actionParts(action)
    }
  }
}

function* transformations(part: object): Generator<string> {
  const { TextTransformations: text = [], PreParseTextTransformations: before = [] } = part as {
    TextTransformations?: readonly { Type: string }[]
    PreParseTextTransformations?: readonly { Type: string }[]
  }
  yield* missing(
    TRANSFORMATIONS,
    text.map(({ Type }) => Type),
  ).map((type) => `the text transformation ${type}`)
  yield* missing(
    PRE_PARSE_TRANSFORMATIONS,
    before.map(({ Type }) => Type),
  ).map((type) => `the text transformation ${type} before parsing`)
}

/** Members of a web ACL, besides its rules, that act at the edges. */
type Settings = Partial<Pick<Stored<WebACL>, 'DefaultAction' | Extract<SettingName, keyof WebACL>>>

/** @throws NotImplemented (501) that names all that is used and not evaluated */
export function refuseNotBuilt(rules: readonly StoredRule[], settings: Settings): void {
  const { DefaultAction: action = {}, ...members } = settings
  const names = new Set(ruleFeaturesNotBuilt(rules))
  for (const name of missing(ACTIONS, given(action))) names.add(`the action ${name}`)
  for (const name of [...missing(SETTINGS, given(members)), ...actionParts(action)]) names.add(name)
  if (names.size > 0) throw notImplemented(`What the web ACL or rule group uses of ${[...names].join(', ')}`)
}
