//! Actions of rules, with what they insert and answer, and those that a reference to a group puts in the place of its
//! rules' own.
import type { CustomRequestHandling, CustomResponseBody, RuleAction } from '@aws-sdk/client-wafv2'
import { isReservedField } from '../../domain/waf/custom-headers.ts'
import type { Stored, StoredRule } from '../../domain/waf/web-acl.ts'
import { isFieldValue } from '../listen/header-block.ts'
import { CannotCompile } from './compile-context.ts'
import { INSERTED_PREFIX } from './inserted-headers.ts'
import type { ActionPlan, CustomResponsePlan, HeaderPair } from './plan.ts'

export type Bodies = Readonly<Record<string, Stored<CustomResponseBody>>>

type Reference = NonNullable<NonNullable<StoredRule['Statement']>['RuleGroupReferenceStatement']>

/** An override's custom response is one of the web ACL's. */
export function overridesOf(
  excluded: NonNullable<Reference['ExcludedRules']>,
  overridden: NonNullable<Reference['RuleActionOverrides']>,
  bodies: Bodies,
): Map<string, ActionPlan> {
  const overrides = new Map<string, ActionPlan>()
  for (const { Name = '' } of excluded) {
    overrides.set(Name, { ...actionPlan({ Count: {} }, bodies), overridden: 'excluded' })
  }
  for (const { Name = '', ActionToUse = {} } of overridden) {
    overrides.set(Name, { ...actionPlan(ActionToUse, bodies), overridden: 'override' })
  }
  return overrides
}

const KINDS = {
  Allow: 'ALLOW',
  Block: 'BLOCK',
  Captcha: 'CAPTCHA',
  Challenge: 'CHALLENGE',
  Count: 'COUNT',
} as const satisfies Partial<Record<keyof RuleAction, ActionPlan['kind']>>

export function actionPlan(action: Stored<RuleAction>, bodies: Bodies): ActionPlan {
  const names = (Object.keys(action) as (keyof RuleAction)[]).filter((name) => action[name] != null)
  const [name] = names
  if (name === undefined || names.length > 1)
    throw new CannotCompile(`an action is ${names.length} in the place of one`)
  if (name === 'Monetize') throw new CannotCompile('the action Monetize is not built')
  const handling = name === 'Block' ? undefined : action[name]?.CustomRequestHandling
  const response = name === 'Block' ? action.Block?.CustomResponse : undefined
  return {
    kind: KINDS[name],
    inserts: insertsOf(handling),
    response: response === undefined ? null : responsePlan(response, bodies),
    overridden: null,
  }
}

const insertsOf = (handling: Stored<CustomRequestHandling> | undefined): HeaderPair[] =>
  (handling?.InsertHeaders ?? []).map(({ Name, Value }) => headerPair(`${INSERTED_PREFIX}${Name}`, Value))

/** What is no name or no value of a field would be a line, or a message, of its own. */
function headerPair(name: string, text: string): HeaderPair {
  const value = latin1(text)
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) || !isFieldValue(value)) {
    throw new CannotCompile(`${JSON.stringify(name)} with its value is no header field`)
  }
  return [name, value]
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  APPLICATION_JSON: 'application/json',
  TEXT_HTML: 'text/html',
  TEXT_PLAIN: 'text/plain',
}

function responsePlan(
  response: NonNullable<NonNullable<Stored<RuleAction>['Block']>['CustomResponse']>,
  bodies: Bodies,
): CustomResponsePlan {
  const { ResponseCode: status = 403, CustomResponseBodyKey: key, ResponseHeaders = [] } = response
  const body = key === undefined ? undefined : bodies[key]
  if (!(status >= 200 && status <= 599)) throw new CannotCompile(`a custom response cannot have the code ${status}`)
  if (key !== undefined && body === undefined) throw new CannotCompile(`there is no CustomResponseBody ${key}`)
  return {
    status,
    contentType: CONTENT_TYPES[body?.ContentType ?? ''] ?? 'text/plain',
    // 205 has an empty one (RFC 9110 15.3.6).
    body: status === 205 ? '' : latin1(body?.Content ?? ''),
    headers: ResponseHeaders.map(({ Name, Value }) => {
      if (isReservedField(Name)) throw new CannotCompile(`a custom response cannot have the header ${Name}`)
      return headerPair(Name, Value)
    }),
  }
}

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
