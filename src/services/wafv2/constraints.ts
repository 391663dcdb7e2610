//! What the API Reference of WAFv2 says of single members: lengths, ranges, patterns, words
//! (https://docs.aws.amazon.com/waf/latest/APIReference/API_Types.html). AWS's front answers ValidationException to what
//! breaks one; what members have to do with each other is checked by the operations.
import type { Constraint, ConstraintTable } from '../../aws/check-constraints.ts'
import { AGGREGATE_KEYS, PRE_PARSE_TRANSFORMATIONS, TRANSFORMATIONS } from '../../domain/waf/statements.ts'

const COUNTRIES = `
  AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
  BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
  ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT
  HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS
  LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI
  NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG
  SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
  UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
`

const words = (...list: string[]): Constraint => ({ words: new Set(list) })
const keysOf = (table: object): Constraint => words(...Object.keys(table))
const range = (min: number, max = Number.POSITIVE_INFINITY): Constraint => ({ min, max })
const text = (min: number, max: number, pattern: RegExp): Constraint => ({ min, max, pattern })
/** Not of spaces alone, and on one line: what goes into a header or is compared with one. */
const visible = (max: number): Constraint => text(1, max, /^[^\r\n\0]*\S[^\r\n\0]*$/)

const UUID = text(1, 36, /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/)
const NAME = text(1, 128, /^[\w-]+$/)
const ARN = visible(2_048)
const LABEL = text(1, 1_024, /^[0-9A-Za-z_:-]+$/)
const VERSION = text(1, 64, /^[\w#:./-]+$/)
const MATCH = words('MATCH', 'NO_MATCH')
const MAP_SCOPE = words('ALL', 'KEY', 'VALUE')
const SENSITIVITY = words('LOW', 'MEDIUM', 'HIGH')
const KEEP = words('KEEP', 'DROP')
const TAG_CHARS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u
const PAGE = range(1, 100)

export const WAF_CONSTRAINTS: ConstraintTable = {
  ARN: { ...ARN, min: 20 },
  'ActionCondition.Action': words('ALLOW', 'BLOCK', 'COUNT', 'CAPTCHA', 'CHALLENGE', 'EXCLUDED_AS_COUNT'),
  'Addresses[]': visible(50),
  AggregateKeyType: keysOf(AGGREGATE_KEYS),
  AsnList: range(1, 100),
  'AsnList[]': range(0, 4_294_967_295),
  Attributes: range(1, 10),
  Behavior: KEEP,
  Capacity: range(1),
  ComparisonOperator: words('EQ', 'NE', 'LE', 'LT', 'GE', 'GT'),
  Conditions: range(1),
  Content: range(1, 10_240),
  ContentType: words('TEXT_PLAIN', 'TEXT_HTML', 'APPLICATION_JSON'),
  CountryCodes: range(1),
  'CountryCodes[]': words(...COUNTRIES.trim().split(/\s+/)),
  CreationPath: visible(256),
  CustomKeys: range(0, 5),
  CustomResponseBodies: range(1),
  'CustomResponseBodies{}': NAME,
  CustomResponseBodyKey: NAME,
  'DataProtection.Action': words('SUBSTITUTION', 'HASH'),
  DataProtections: range(1, 26),
  DefaultBehavior: KEEP,
  DefaultSizeInspectionLimit: words('KB_16', 'KB_32', 'KB_48', 'KB_64'),
  Description: text(1, 256, /^[\w+=:#@/\-,.][\w+=:#@/\-,.\s]+[\w+=:#@/\-,.]$/),
  ExcludedCookies: range(1, 199),
  'ExcludedCookies[]': visible(60),
  ExcludedHeaders: range(1, 199),
  'ExcludedHeaders[]': visible(64),
  ExcludedRules: range(0, 100),
  FailureCodes: range(1, 10),
  'FailureCodes[]': range(0, 999),
  FailureStrings: range(1, 5),
  'FailureStrings[]': visible(100),
  'ResponseInspectionHeader.FailureValues': range(1, 3),
  FailureValues: range(1, 5),
  'FailureValues[]': visible(100),
  FallbackBehavior: MATCH,
  FieldKeys: range(0, 100),
  'FieldKeys[]': visible(64),
  FieldType: words('SINGLE_HEADER', 'SINGLE_COOKIE', 'SINGLE_QUERY_ARGUMENT', 'QUERY_STRING', 'BODY'),
  Filters: range(1),
  HeaderName: text(1, 255, /^[a-zA-Z0-9-]+$/),
  IPAddressVersion: words('IPV4', 'IPV6'),
  Id: UUID,
  Identifier: visible(512),
  /** Of a challenge it is at least 300 (acl-checks.ts). */
  ImmunityTime: range(60, 259_200),
  IncludedCookies: range(1, 199),
  'IncludedCookies[]': visible(60),
  IncludedHeaders: range(1, 199),
  'IncludedHeaders[]': visible(64),
  IncludedPaths: range(1),
  'IncludedPaths[]': text(1, 512, /^(?:\/|(?:\/(?:[^~/]|~[01])*)+)$/),
  InsertHeaders: range(1),
  InspectionLevel: words('COMMON', 'TARGETED'),
  InvalidFallbackBehavior: words('MATCH', 'NO_MATCH', 'EVALUATE_AS_STRING'),
  'LabelMatchStatement.Key': LABEL,
  'Tag.Key': text(1, 128, TAG_CHARS),
  LabelName: LABEL,
  'RateBasedStatement.Limit': range(10, 2_000_000_000),
  Limit: PAGE,
  LockToken: UUID,
  LogDestinationConfigs: range(1, 100),
  'LogDestinationConfigs[]': { ...ARN, min: 20 },
  LogScope: words('CUSTOMER', 'SECURITY_LAKE', 'CLOUDWATCH_TELEMETRY_RULE_MANAGED'),
  LogType: words('WAF_LOGS'),
  LoginPath: visible(256),
  MatchScope: MAP_SCOPE,
  MaxItems: range(1, 500),
  MetricName: text(1, 255, /^[\w#:./-]+$/),
  Name: NAME,
  'SingleHeader.Name': visible(64),
  'SingleQueryArgument.Name': visible(64),
  'RateLimitHeader.Name': visible(64),
  'RateLimitCookie.Name': visible(64),
  'RateLimitQueryArgument.Name': visible(64),
  'CustomHTTPHeader.Name': text(1, 64, /^[a-zA-Z0-9._$-]+$/),
  'ResponseInspectionHeader.Name': visible(200),
  'Label.Name': LABEL,
  'ApplicationAttribute.Name': text(1, 64, /^[\w-]+$/),
  Namespace: text(1, 1_024, /^[0-9A-Za-z_:-]+:$/),
  NextMarker: visible(256),
  OversizeHandling: words('CONTINUE', 'MATCH', 'NO_MATCH'),
  PayloadType: words('JSON', 'FORM_ENCODED'),
  Position: words('FIRST', 'LAST', 'ANY'),
  PositionalConstraint: words('EXACTLY', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'CONTAINS_WORD'),
  Priority: range(0, 2_147_483_647),
  RedactedFields: range(0, 100),
  RegexString: range(1, 512),
  RegistrationPagePath: visible(256),
  'RequestBody{}': words(
    'CLOUDFRONT',
    'API_GATEWAY',
    'COGNITO_USER_POOL',
    'APP_RUNNER_SERVICE',
    'VERIFIED_ACCESS_INSTANCE',
  ),
  Requirement: words('MEETS_ALL', 'MEETS_ANY'),
  ResourceARN: { ...ARN, min: 20 },
  ResourceArn: { ...ARN, min: 20 },
  ResourceType: words(
    'APPLICATION_LOAD_BALANCER',
    'API_GATEWAY',
    'APPSYNC',
    'COGNITO_USER_POOL',
    'APP_RUNNER_SERVICE',
    'VERIFIED_ACCESS_INSTANCE',
    'AMPLIFY',
  ),
  ResponseCode: range(200, 599),
  ResponseHeaders: range(1),
  RuleActionOverrides: range(0, 100),
  RuleGroupRuleName: NAME,
  RuleMetricName: text(1, 255, /^[\w#:./-]+$/),
  RuleName: NAME,
  'LabelMatchStatement.Scope': words('LABEL', 'NAMESPACE'),
  Scope: words('CLOUDFRONT', 'REGIONAL'),
  Sensitivity: SENSITIVITY,
  SensitivityLevel: words('LOW', 'HIGH'),
  SensitivityToBlock: SENSITIVITY,
  Size: range(0, 21_474_836_480),
  SuccessCodes: range(1, 10),
  'SuccessCodes[]': range(0, 999),
  SuccessStrings: range(1, 5),
  'SuccessStrings[]': visible(100),
  'ResponseInspectionHeader.SuccessValues': range(1, 3),
  SuccessValues: range(1, 5),
  'SuccessValues[]': visible(100),
  TagKeys: range(1),
  'TagKeys[]': text(1, 128, TAG_CHARS),
  Tags: range(1),
  TextTransformations: range(1),
  'TokenDomains[]': text(1, 253, /^[\w./-]+$/),
  'PreParseTextTransformation.Type': keysOf(PRE_PARSE_TRANSFORMATIONS),
  'TextTransformation.Type': keysOf(TRANSFORMATIONS),
  UsageOfAction: words('ENABLED', 'DISABLED'),
  /** What a header can hold: no control characters but the tab. */
  'CustomHTTPHeader.Value': text(1, 255, /^[^\x00-\x08\x0a-\x1f\x7f]*$/),
  'Tag.Value': text(0, 256, TAG_CHARS),
  Values: range(1, 50),
  'Values[]': range(1, 64),
  VendorName: visible(128),
  Version: VERSION,
  VersionName: VERSION,
  WebACLArn: { ...ARN, min: 20 },
  WebACLId: UUID,
  WebACLName: NAME,
  WebAclArn: { ...ARN, min: 20 },
}
