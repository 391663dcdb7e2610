//! What a web ACL says besides its rules: default action, bodies of custom responses, tokens, how much of a body is looked at.
import type { UpdateWebACLRequest, WebACL } from '@aws-sdk/client-wafv2'
import { invalidParameter } from '../../domain/waf/faults.ts'
import { WAF_LIMITS } from '../../domain/waf/limits.ts'
import type { Stored } from '../../domain/waf/web-acl.ts'
import type { Reader } from '../../state/state.ts'
import { checkBodies, checkDefaultAction } from './action-checks.ts'
import { refuseNotBuilt } from './not-built.ts'
import { overLimit, repeated } from './refusals.ts'
import { checkImmunity, checkMetricName } from './rule-checks.ts'
import { acceptedRules } from './rules.ts'
import { stored } from './stored-shape.ts'

export type GivenAcl = Omit<UpdateWebACLRequest, 'Name' | 'Scope' | 'Id' | 'LockToken'>

/** What an update replaces: all but what makes the web ACL the one it is. */
export type ReplacedAcl = Omit<Stored<WebACL>, 'Name' | 'Id' | 'ARN' | 'LabelNamespace'>

/** A name with at least two labels, none of them empty; AWS refuses public suffixes too, of which there is no list here. */
const DOMAIN = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i

/** @throws WAFInvalidParameterException, WAFLimitsExceededException, WAFNonexistentItemException, NotImplemented */
export async function acceptedAcl(reader: Reader, given: GivenAcl): Promise<ReplacedAcl> {
  const { Rules, Description, CustomResponseBodies, ...others } = given
  const members = stored(others) as Omit<ReplacedAcl, 'Rules' | 'Capacity' | 'CustomResponseBodies' | 'Description'>
  const bodies = stored(CustomResponseBodies ?? {})
  checkMetricName(members.VisibilityConfig.MetricName)
  checkBodies(bodies)
  checkImmunity(members)
  checkTokenDomains(members.TokenDomains ?? [])
  checkAssociation(members)
  const headers = { requests: 0, responses: 0 }
  checkDefaultAction(members.DefaultAction, bodies, headers)
  const { rules, capacity } = await acceptedRules(reader, Rules, { kind: 'WEB_ACL', bodies }, headers)
  if (capacity > WAF_LIMITS.webAclCapacity) throw overLimit('capacity units of a web ACL', WAF_LIMITS.webAclCapacity)
  const { VisibilityConfig: _, ...settings } = members
  refuseNotBuilt(rules, settings)
  return {
    ...members,
    Description: Description ?? '',
    Rules: rules,
    Capacity: capacity,
    ManagedByFirewallManager: false,
    RetrofittedByFirewallManager: false,
    ...(CustomResponseBodies === undefined ? {} : { CustomResponseBodies: bodies }),
  }
}

function checkTokenDomains(domains: readonly string[]): void {
  if (domains.length > WAF_LIMITS.tokenDomains) throw overLimit('token domains', WAF_LIMITS.tokenDomains)
  const twice = repeated(domains)
  if (twice !== null) throw invalidParameter('TOKEN_DOMAIN', twice, 'A domain is given twice.')
  const strange = domains.find((domain) => !DOMAIN.test(domain))
  if (strange !== undefined) throw invalidParameter('TOKEN_DOMAIN', strange, 'It is no domain name.')
}

/** Sizes are for the kinds of resources that the web ACL can protect: distributions alone. */
function checkAssociation({ AssociationConfig: association }: Pick<ReplacedAcl, 'AssociationConfig'>): void {
  const kind = Object.keys(association?.RequestBody ?? {}).find((type) => type !== 'CLOUDFRONT')
  if (kind === undefined) return
  throw invalidParameter(
    'ASSOCIATED_RESOURCE_TYPE',
    kind,
    'A web ACL of the scope CLOUDFRONT protects CLOUDFRONT alone.',
  )
}
