//! The web ACLs of `npm run bench:waf`: one a row. None of them matches a request of the load.
import type { WebAclDoc } from '../../src/domain/waf/web-acl.ts'
import {
  byteMatch,
  groupRule,
  header,
  ipSetArn,
  METHOD,
  PATH,
  QUERY,
  type RuleDraft,
  rule,
  type StoredStatement,
  webAclDoc,
} from '../../test/support/web-acl.ts'

export interface AclRow {
  readonly name: string
  /** Null for a distribution without one. */
  readonly acl: WebAclDoc | null
  /** CPU microseconds of a hit more than those of `than`, at most. */
  readonly atMost?: { readonly more: number; readonly than: string }
}

const argument = (Name: string) => ({ SingleQueryArgument: { Name } })
const all = { MatchPattern: { All: {} }, MatchScope: 'ALL', OversizeHandling: 'CONTINUE' } as const
const larger = (
  field: NonNullable<StoredStatement['SizeConstraintStatement']>['FieldToMatch'],
  Size: number,
): StoredStatement => ({
  SizeConstraintStatement: {
    FieldToMatch: field,
    ComparisonOperator: 'GT',
    Size,
    TextTransformations: [{ Priority: 0, Type: 'NONE' }],
  },
})
const and = (...Statements: StoredStatement[]): StoredStatement => ({ AndStatement: { Statements } })
const or = (...Statements: StoredStatement[]): StoredStatement => ({ OrStatement: { Statements } })
const not = (Statement: StoredStatement): StoredStatement => ({ NotStatement: { Statement } })

/** 20 rules as a shop may have them, without injection and regex matching. */
const PLAIN: readonly StoredStatement[] = [
  { IPSetReferenceStatement: { ARN: ipSetArn('blocked') } },
  byteMatch('/admin', PATH, 'STARTS_WITH', 'URL_DECODE', 'NORMALIZE_PATH', 'LOWERCASE'),
  byteMatch('/.git/', PATH, 'CONTAINS', 'URL_DECODE'),
  byteMatch('.env', PATH, 'ENDS_WITH', 'URL_DECODE', 'LOWERCASE'),
  byteMatch('wp-login.php', PATH, 'CONTAINS', 'LOWERCASE'),
  byteMatch('badbot', header('User-Agent'), 'CONTAINS', 'LOWERCASE'),
  byteMatch('sqlmap', header('User-Agent'), 'CONTAINS', 'LOWERCASE'),
  not(byteMatch('', header('User-Agent'), 'CONTAINS')),
  byteMatch('spam.example', header('Referer'), 'CONTAINS', 'LOWERCASE'),
  byteMatch('debug', argument('mode'), 'EXACTLY', 'LOWERCASE'),
  byteMatch('../', QUERY, 'CONTAINS', 'URL_DECODE'),
  byteMatch('TRACE', METHOD, 'EXACTLY'),
  and(byteMatch('POST', METHOD, 'EXACTLY'), byteMatch('/api/', PATH, 'STARTS_WITH')),
  larger(QUERY, 2_048),
  larger(PATH, 1_024),
  larger(header('Cookie'), 4_096),
  byteMatch('${jndi:', { Headers: all }, 'CONTAINS', 'LOWERCASE'),
  byteMatch('<script', { Cookies: all }, 'CONTAINS', 'URL_DECODE', 'HTML_ENTITY_DECODE', 'LOWERCASE'),
  or(byteMatch('/old/', PATH, 'STARTS_WITH'), byteMatch('/legacy/', PATH, 'STARTS_WITH')),
  { LabelMatchStatement: { Scope: 'LABEL', Key: 'suspicious' } },
]

const TEXT = [{ Priority: 0, Type: 'URL_DECODE' }] as const
/** Looks for attacks in all arguments of the query and in all headers. */
const INJECTION: readonly StoredStatement[] = [{ AllQueryArguments: {} }, { Headers: all }].flatMap((FieldToMatch) => [
  { SqliMatchStatement: { FieldToMatch, TextTransformations: TEXT } },
  { XssMatchStatement: { FieldToMatch, TextTransformations: TEXT } },
  { RegexMatchStatement: { FieldToMatch, TextTransformations: TEXT, RegexString: '(?i)\\bunion\\s+select\\b' } },
])

const managed = (name: string): RuleDraft =>
  groupRule(name, { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: name } })

const rules = (statements: readonly StoredStatement[]): RuleDraft[] =>
  statements.map((one, at) => rule(`rule-${at}`, one))

/** Of documentation and test networks, spread out; the load comes from another. */
const cidrs = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${11 + (at % 90)}.${(at >> 6) & 255}.${(at * 7) & 255}.0/25`)

const ofSet = (count: number): WebAclDoc =>
  webAclDoc(rules([{ IPSetReferenceStatement: { ARN: ipSetArn('s') } }]), { ipSets: { [ipSetArn('s')]: cidrs(count) } })

export const ROWS: readonly AclRow[] = [
  { name: 'none', acl: null },
  {
    name: '20 plain rules',
    acl: webAclDoc(rules(PLAIN), { ipSets: { [ipSetArn('blocked')]: cidrs(100) } }),
    atMost: { more: 25, than: 'none' },
  },
  { name: 'SQL injection, XSS, regex', acl: webAclDoc(rules(INJECTION)), atMost: { more: 250, than: 'none' } },
  { name: 'Common rule set', acl: webAclDoc([managed('AWSManagedRulesCommonRuleSet')]) },
  { name: '10 CIDRs', acl: ofSet(10) },
  // Flat: within what rounds differ by.
  { name: '10,000 CIDRs', acl: ofSet(10_000), atMost: { more: 1, than: '10 CIDRs' } },
]
