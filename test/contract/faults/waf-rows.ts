//! What WAFv2 refuses, by the code that it answers: each row is one call.
import type { Rule } from '@aws-sdk/client-wafv2'
import type { Quotas } from '../../../src/domain/quotas.ts'
import { blockRule, bytes, pathStarts, SCOPE, visibility, type WafSite } from '../../support/waf-site.ts'

export interface WafFaultRow {
  readonly code: string
  readonly when: string
  readonly says: RegExp
  /** Of WAFInvalidParameterException. */
  readonly field?: string
  readonly quotas?: Partial<Quotas>
  readonly provoke: (site: WafSite) => Promise<unknown>
}

const NONE = '00000000-0000-0000-0000-000000000000'
const LOCK = { Id: NONE, LockToken: NONE, Scope: SCOPE, Name: 'nothing' } as const
const ACL = { Scope: SCOPE, Name: 'acl', DefaultAction: { Allow: {} }, VisibilityConfig: visibility('acl') } as const
const SET = { Scope: SCOPE, Name: 'set', IPAddressVersion: 'IPV4', Addresses: [] as string[] } as const
const GROUP = { Scope: SCOPE, Name: 'group', Capacity: 100, VisibilityConfig: visibility('group') } as const
const OTHER = `arn:aws:wafv2:us-east-1:123456789012:global/ipset/other/${NONE}`

const LOGS = 'arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-mine'

const none = [{ Priority: 0, Type: 'NONE' }] as const
const path = { UriPath: {} }
const rate = (changes: object) => ({ RateBasedStatement: { Limit: 100, AggregateKeyType: 'IP', ...changes } })
const label = (Key: string, Scope = 'LABEL') => ({ LabelMatchStatement: { Key, Scope } })
const nested = (depth: number): object =>
  depth === 0 ? pathStarts('/') : { NotStatement: { Statement: nested(depth - 1) } }
const managed = (changes: object = {}) => ({
  ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'AWSManagedRulesCommonRuleSet', ...changes },
})
const overridden = { Action: undefined, OverrideAction: { None: {} } } as const
const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))

/** A web ACL with these rules. */
const rules =
  (...given: readonly Rule[]) =>
  ({ waf }: WafSite) =>
    waf.createWebACL({ ...ACL, Rules: [...given] })
const statement = (body: object, changes: Partial<Rule> = {}) => rules(blockRule('rule', 0, body, changes))
const matching = (changes: object) =>
  statement({
    ByteMatchStatement: {
      ...{ SearchString: bytes('x'), FieldToMatch: path, TextTransformations: none, PositionalConstraint: 'CONTAINS' },
      ...changes,
    },
  })
const responding = (CustomResponse: object) =>
  statement(pathStarts('/'), { Action: { Block: { CustomResponse } as never } })
const acl =
  (changes: object) =>
  ({ waf }: WafSite) =>
    waf.createWebACL({ ...ACL, ...changes })
const addresses =
  (version: 'IPV4' | 'IPV6', ...Addresses: string[]) =>
  ({ waf }: WafSite) =>
    waf.createIPSet({ ...SET, IPAddressVersion: version, Addresses })
const patterns =
  (...texts: string[]) =>
  ({ waf }: WafSite) =>
    waf.createRegexPatternSet({
      ...{ Scope: SCOPE, Name: 'set', RegularExpressionList: texts.map((RegexString) => ({ RegexString })) },
    })

type Invalid = readonly [field: string, when: string, says: RegExp, provoke: WafFaultRow['provoke']]

/** WAFInvalidParameterException, by its Field. */
const INVALID: readonly Invalid[] = [
  ['STATEMENT', 'a statement of no kind', /exactly one/, statement({})],
  ['STATEMENT', 'a statement of two kinds', /exactly one/, statement({ ...pathStarts('/'), ...label('a') })],
  ['STATEMENT', 'a set that is not there', /reference/, statement({ IPSetReferenceStatement: { ARN: OTHER } })],
  [
    'STATEMENT',
    'a rate-based statement inside another',
    /inside NotStatement/,
    statement({ NotStatement: { Statement: rate({}) } }),
  ],
  [
    'STATEMENT',
    'a managed rule group inside a scope-down statement',
    /inside RateBasedStatement/,
    statement(rate({ ScopeDownStatement: managed() })),
  ],
  [
    'STATEMENT',
    'a managed rule group in a rule group',
    /in a rule group/,
    ({ waf }) => waf.createRuleGroup({ ...GROUP, Rules: [blockRule('r', 0, managed(), overridden)] }),
  ],
  [
    'STATEMENT',
    'a regular expression with a back-reference',
    /not valid/,
    statement({ RegexMatchStatement: { RegexString: '(a)\\1', FieldToMatch: path, TextTransformations: none } }),
  ],
  ['AND_STATEMENT', 'an AND of one', /minimum/, statement({ AndStatement: { Statements: [pathStarts('/')] } })],
  ['OR_STATEMENT', 'an OR of none', /minimum/, statement({ OrStatement: { Statements: [] } })],
  ['FIELD_TO_MATCH', 'a field of two kinds', /exactly one/, matching({ FieldToMatch: { Method: {}, ...path } })],
  [
    'JSON_MATCH_PATTERN',
    'a pattern of JSON of no kind',
    /exactly one/,
    matching({ FieldToMatch: { JsonBody: { MatchPattern: {}, MatchScope: 'ALL' } } }),
  ],
  [
    'HEADER_MATCH_PATTERN',
    'headers that are all, and some',
    /exactly one/,
    matching({
      FieldToMatch: {
        Headers: { MatchPattern: { All: {}, IncludedHeaders: ['x'] }, MatchScope: 'ALL', OversizeHandling: 'MATCH' },
      },
    }),
  ],
  [
    'COOKIE_MATCH_PATTERN',
    'cookies of no pattern',
    /exactly one/,
    matching({ FieldToMatch: { Cookies: { MatchPattern: {}, MatchScope: 'ALL', OversizeHandling: 'MATCH' } } }),
  ],
  [
    'TEXT_TRANSFORMATION',
    'two transformations of one priority',
    /one priority/,
    matching({
      TextTransformations: [
        { Priority: 1, Type: 'NONE' },
        { Priority: 1, Type: 'LOWERCASE' },
      ],
    }),
  ],
  [
    'PRE_PARSE_TEXT_TRANSFORMATION',
    'a transformation before parsing of what is not parsed',
    /SingleQueryArgument/,
    matching({ PreParseTextTransformations: [{ Priority: 0, Type: 'URL_DECODE' }] }),
  ],
  ['BYTE_MATCH_STATEMENT', 'a search for nothing', /empty/, matching({ SearchString: bytes('') })],
  [
    'BYTE_MATCH_STATEMENT',
    'a search for a word that is none',
    /letters, digits/,
    matching({ SearchString: bytes('a b'), PositionalConstraint: 'CONTAINS_WORD' }),
  ],
  ['GEO_MATCH_STATEMENT', 'no countries', /minimum/, statement({ GeoMatchStatement: {} })],
  ['GEO_MATCH_STATEMENT', 'a country twice', /twice/, statement({ GeoMatchStatement: { CountryCodes: ['DE', 'DE'] } })],
  ['LABEL_MATCH_STATEMENT', 'a label with a colon at its end', /colon/, statement(label('a:'))],
  ['LABEL_MATCH_STATEMENT', 'a namespace without one', /colon/, statement(label('a', 'NAMESPACE'))],
  ['RATE_BASED_STATEMENT', 'a window that is none', /60, 120/, statement(rate({ EvaluationWindowSec: 61 }))],
  ['RATE_BASED_STATEMENT', 'a count of all requests', /scope-down/, statement(rate({ AggregateKeyType: 'CONSTANT' }))],
  ['CUSTOM_KEYS', 'custom keys that are missing', /CUSTOM_KEYS/, statement(rate({ AggregateKeyType: 'CUSTOM_KEYS' }))],
  ['CUSTOM_KEYS', 'custom keys that are not wanted', /CUSTOM_KEYS/, statement(rate({ CustomKeys: [{ IP: {} }] }))],
  [
    'CUSTOM_KEYS',
    'the address as the only custom key',
    /at least one other/,
    statement(rate({ AggregateKeyType: 'CUSTOM_KEYS', CustomKeys: [{ IP: {} }] })),
  ],
  [
    'CUSTOM_KEYS',
    'a custom key of two kinds',
    /exactly one/,
    statement(rate({ AggregateKeyType: 'CUSTOM_KEYS', CustomKeys: [{ IP: {}, HTTPMethod: {} }] })),
  ],
  [
    'FORWARDED_IP_CONFIG',
    'a forwarded address from nowhere',
    /ForwardedIPConfig/,
    statement(rate({ AggregateKeyType: 'FORWARDED_IP' })),
  ],
  [
    'MANAGED_RULE_SET_STATEMENT',
    'a version that is none',
    /version/,
    statement(managed({ Version: 'Version_99.0' }), overridden),
  ],
  [
    'EXCLUDED_RULE',
    'an override of a rule that is none',
    /no such rule/,
    statement(managed({ RuleActionOverrides: [{ Name: 'None', ActionToUse: { Count: {} } }] }), overridden),
  ],
  ['RULE', 'two rules of one name', /name/, rules(blockRule('a', 0, path), blockRule('a', 1, path))],
  ['RULE', 'two rules of one priority', /priority/, rules(blockRule('a', 0, path), blockRule('b', 0, path))],
  ['RULE', 'a rule without an action', /exactly one/, statement(pathStarts('/'), { Action: undefined })],
  ['RULE', 'a rule with both actions', /exactly one/, statement(managed(), { OverrideAction: { None: {} } })],
  ['RULE', 'a reserved label', /reserved/, statement(pathStarts('/'), { RuleLabels: [{ Name: 'aws:x' }] })],
  [
    'RULE',
    'a label of seven parts',
    /namespaces/,
    statement(pathStarts('/'), { RuleLabels: [{ Name: 'a:b:c:d:e:f:g' }] }),
  ],
  ['RULE', 'an empty part of a label', /1 to 128/, statement(pathStarts('/'), { RuleLabels: [{ Name: 'a::b' }] })],
  ['RULE_ACTION', 'an action of a rule group', /OverrideAction/, statement(managed())],
  ['RULE_ACTION', 'an override of a plain rule', /OverrideAction/, statement(pathStarts('/'), overridden)],
  ['RULE_ACTION', 'an action of no kind', /exactly one/, statement(pathStarts('/'), { Action: {} })],
  ['RULE_ACTION', 'a rate that allows', /any action but Allow/, statement(rate({}), { Action: { Allow: {} } })],
  ['OVERRIDE_ACTION', 'an override of two kinds', /exactly one/, statement(managed(), { Action: undefined, OverrideAction: { None: {}, Count: {} } })], // biome-ignore format: one line
  ['DEFAULT_ACTION', 'a default action of two kinds', /exactly one/, acl({ DefaultAction: { Allow: {}, Block: {} } })],
  ['METRIC_NAME', 'a reserved metric', /reserved/, acl({ VisibilityConfig: visibility('All') })],
  [
    'CUSTOM_RESPONSE',
    'a body that is not there',
    /no body/,
    responding({ ResponseCode: 403, CustomResponseBodyKey: 'x' }),
  ],
  ['CUSTOM_RESPONSE', 'a status that cannot be sent', /response code/, responding({ ResponseCode: 418 })],
  [
    'CUSTOM_RESPONSE',
    'a Content-Type of its own',
    /Content-Type/,
    responding({ ResponseCode: 403, ResponseHeaders: [{ Name: 'Content-Type', Value: 'x' }] }),
  ],
  [
    'CUSTOM_RESPONSE',
    'a length of its own',
    /where it ends/,
    responding({ ResponseCode: 403, ResponseHeaders: [{ Name: 'Transfer-Encoding', Value: 'chunked' }] }),
  ],
  [
    'CUSTOM_REQUEST_HANDLING',
    'a header twice',
    /twice/,
    statement(pathStarts('/'), {
      Action: {
        Count: {
          CustomRequestHandling: {
            InsertHeaders: [
              { Name: 'a', Value: '1' },
              { Name: 'A', Value: '2' },
            ],
          },
        },
      },
    }),
  ],
  [
    'CUSTOM_RESPONSE_BODY',
    'JSON that is none',
    /not JSON/,
    acl({ CustomResponseBodies: { a: { ContentType: 'APPLICATION_JSON', Content: '{' } } }),
  ],
  ['TOKEN_DOMAIN', 'a domain that is none', /domain/, acl({ TokenDomains: ['localhost'] })],
  [
    'CHALLENGE_CONFIG',
    'a challenge that lasts a minute',
    /300/,
    acl({ ChallengeConfig: { ImmunityTimeProperty: { ImmunityTime: 60 } } }),
  ],
  [
    'ASSOCIATED_RESOURCE_TYPE',
    'a size for user pools',
    /CLOUDFRONT/,
    acl({
      AssociationConfig: { RequestBody: { COGNITO_USER_POOL: { DefaultSizeInspectionLimit: 'KB_16' } } },
    }),
  ],
  [
    'LOG_DESTINATION',
    'a log group of another name',
    /aws-waf-logs-/,
    ({ waf }) =>
      waf.putLoggingConfiguration({
        LoggingConfiguration: {
          ResourceArn: OTHER,
          LogDestinationConfigs: ['arn:aws:logs:us-east-1:123456789012:log-group:mine'],
        },
      }),
  ],
  [
    'FIELD_TO_MATCH',
    'a log without bodies',
    /redact/,
    ({ waf }) =>
      waf.putLoggingConfiguration({
        LoggingConfiguration: { ResourceArn: OTHER, LogDestinationConfigs: [LOGS], RedactedFields: [{ Body: {} }] },
      }),
  ],
  [
    'RESOURCE_ARN',
    'a distribution that is to be let go of',
    /WebACLId/,
    ({ waf }) => waf.disassociateWebACL({ ResourceArn: 'arn:aws:cloudfront::123456789012:distribution/E1ABCDEFGHIJK' }),
  ],
  ['IP_ADDRESS', 'an address without a prefix', /CIDR/, addresses('IPV4', '192.0.2.1')],
  ['IP_ADDRESS', 'everybody', /1 to 32/, addresses('IPV4', '0.0.0.0/0')],
  ['IP_ADDRESS', 'IPv6 among IPv4', /IPV4/, addresses('IPV4', '::1/128')],
  ['IP_ADDRESS', 'a prefix that is too long', /1 to 128/, addresses('IPV6', '::1/129')],
  ['REGEX_PATTERN_SET', 'a look-ahead', /not valid/, patterns('a(?=b)')],
  ['RESOURCE_ARN', 'a web ACL by its name alone', /ARN/, ({ waf }) => waf.getWebACL({ Name: 'x' })],
]

export const WAF_FAULT_ROWS: readonly WafFaultRow[] = [
  ...INVALID.map(([field, when, says, provoke]) => ({
    ...{ code: 'WAFInvalidParameterException', field, when, says, provoke },
  })),
  {
    code: 'ValidationException',
    when: 'a name with a space',
    says: /at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern/,
    provoke: acl({ Name: 'a b' }),
  },
  {
    code: 'ValidationException',
    when: 'a country that is none',
    says: /'rules.1.member.statement.member.geoMatchStatement.member.countryCodes.1.member'.*enum value set/,
    provoke: statement({ GeoMatchStatement: { CountryCodes: ['XX'] } }),
  },
  {
    code: 'ValidationException',
    when: 'a line break in a header',
    says: /pattern/,
    provoke: responding({ ResponseCode: 403, ResponseHeaders: [{ Name: 'x', Value: 'a\r\nb' }] }),
  },
  {
    code: 'ValidationException',
    when: 'a page of none',
    says: /greater than or equal to 1/,
    provoke: ({ waf }) => waf.listWebACLs({ Scope: SCOPE, Limit: 0 }),
  },
  ...(
    [
      ['web ACL', ({ waf }) => waf.deleteWebACL(LOCK)],
      ['IP set', ({ waf }) => waf.deleteIPSet(LOCK)],
      ['regex pattern set', ({ waf }) => waf.deleteRegexPatternSet(LOCK)],
      ['rule group', ({ waf }) => waf.deleteRuleGroup(LOCK)],
      ['managed rule group', ({ waf }) => waf.describeManagedRuleGroup({ Scope: SCOPE, VendorName: 'AWS', Name: 'x' })],
      ['managed rule group', statement(managed({ Name: 'AWSManagedRulesNone' }), overridden)],
    ] as readonly [string, WafFaultRow['provoke']][]
  ).map(([noun, provoke]) => ({
    ...{ code: 'WAFNonexistentItemException', when: `a ${noun} that is not there`, says: new RegExp(noun), provoke },
  })),
  {
    code: 'WAFTagOperationException',
    when: 'a tag of AWS',
    says: /aws:x/,
    provoke: ({ waf }) => waf.createIPSet({ ...SET, Tags: [{ Key: 'aws:x', Value: '' }] }),
  },
  ...(
    [
      ['bytes of a SearchString', matching({ SearchString: bytes('x'.repeat(201)) })],
      ['characters of a regular expression', patterns('x'.repeat(201))],
      ['patterns of a regex pattern set', patterns(...many(11, String))],
      ['text transformations', matching({ TextTransformations: many(11, (Priority) => ({ Priority, Type: 'NONE' })) })],
      ['levels of nested statements', statement(nested(11))],
      ['rate-based rules', rules(...many(11, (at) => blockRule(`r${at}`, at, rate({}))))],
      [
        'rate-based rules, at most 4',
        ({ waf }) => waf.createRuleGroup({ ...GROUP, Rules: many(5, (at) => blockRule(`r${at}`, at, rate({}))) }),
      ],
      [
        'reference statements',
        rules(
          ...many(51, (at) => blockRule(`r${at}`, at, { RegexPatternSetReferenceStatement: { ARN: OTHER, FieldToMatch: path, TextTransformations: none } })), // biome-ignore format: one line
        ),
      ],
      [
        'capacity units of a web ACL',
        rules(
          ...many(130, (at) =>
            blockRule(`r${at}`, at, { XssMatchStatement: { FieldToMatch: path, TextTransformations: none } }),
          ),
        ),
      ],
      ['capacity units of a rule group', ({ waf }) => waf.createRuleGroup({ ...GROUP, Capacity: 5_001 })],
      ['headers of one custom', responding({ ResponseCode: 403, ResponseHeaders: many(11, (at) => ({ Name: `h${at}`, Value: 'x' })) })], // biome-ignore format: one line
      [
        'bytes of the response body',
        acl({ CustomResponseBodies: { a: { ContentType: 'TEXT_PLAIN', Content: 'x'.repeat(4_097) } } }),
      ],
      ['token domains', acl({ TokenDomains: many(11, (at) => `d${at}.example.com`) })],
      [
        'tags of a resource',
        ({ waf }) => waf.createIPSet({ ...SET, Tags: many(51, (at) => ({ Key: `k${at}`, Value: '' })) }),
      ],
    ] as readonly [string, WafFaultRow['provoke']][]
  ).map(([what, provoke]) => ({
    ...{ code: 'WAFLimitsExceededException', when: `too many ${what}`, says: new RegExp(what), provoke },
  })),
  ...(
    [
      ['webAcls', 'web ACLs', ({ waf }) => waf.createWebACL(ACL)],
      ['wafRuleGroups', 'rule groups', ({ waf }) => waf.createRuleGroup(GROUP)],
      ['ipSets', 'IP sets', ({ waf }) => waf.createIPSet(SET)],
      ['regexPatternSets', 'regex pattern sets', patterns('a')],
    ] as readonly [keyof Quotas, string, WafFaultRow['provoke']][]
  ).map(([quota, what, provoke]) => ({
    code: 'WAFLimitsExceededException',
    when: `${what} beyond the quota`,
    says: new RegExp(`${what} of the account, at most 0`),
    quotas: { [quota]: 0 },
    provoke,
  })),
]

/** Calls of what is not built, and what the answer names. */
export const WAF_NOT_BUILT_ROWS: readonly (readonly [names: RegExp, provoke: WafFaultRow['provoke']])[] = [
  [/wafv2 \w+APIKeys?/, ({ waf }) => waf.listAPIKeys({ Scope: SCOPE })],
  [/wafv2 \w+PermissionPolicy/, ({ waf }) => waf.getPermissionPolicy({ ResourceArn: OTHER })],
  [/wafv2 \w+ManagedRuleSet/, ({ waf }) => waf.listManagedRuleSets({ Scope: SCOPE })],
  [/wafv2 \w+MobileSdkRelease/, ({ waf }) => waf.listMobileSdkReleases({ Platform: 'IOS' })],
  [
    /wafv2 DeleteFirewallManagerRuleGroups/,
    ({ waf }) => waf.deleteFirewallManagerRuleGroups({ WebACLArn: OTHER, WebACLLockToken: NONE }),
  ],
  [
    /wafv2 (GetRevenueStatistics|ListSettlementRecords|GetTopPathStatistics)/,
    ({ waf }) =>
      waf.listSettlementRecords({
        ...{ Scope: SCOPE, Currency: 'USDC' as never, TimeWindow: { StartTime: new Date(0), EndTime: new Date(1) } },
      }),
  ],
  [
    /to a bucket/,
    ({ waf }) =>
      waf.putLoggingConfiguration({
        LoggingConfiguration: { ResourceArn: OTHER, LogDestinationConfigs: ['arn:aws:s3:::aws-waf-logs-mine'] },
      }),
  ],
  [/Scope REGIONAL/, ({ waf }) => waf.listIPSets({ Scope: 'REGIONAL' })],
  [/AWSManagedRulesAnonymousIpList/, statement(managed({ Name: 'AWSManagedRulesAnonymousIpList' }), overridden)],
  [/MonetizationConfig/, acl({ MonetizationConfig: {} })],
  [/OnSourceDDoSProtectionConfig/, acl({ OnSourceDDoSProtectionConfig: { ALBLowReputationMode: 'ALWAYS_ON' } })],
  [/the action Monetize/, statement(pathStarts('/'), { Action: { Monetize: {} } })],
  [/FieldToMatch\.JA3Fingerprint/, matching({ FieldToMatch: { JA3Fingerprint: { FallbackBehavior: 'MATCH' } } })],
  [/cachefront:x/, ({ waf }) => waf.createIPSet({ ...SET, Tags: [{ Key: 'cachefront:x', Value: '' }] })],
]
