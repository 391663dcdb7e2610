//! THE TABLE of what a rule of a web ACL can say, and of it what is built. The API answers 501 with the name of what is not
//! (services/wafv2), and an edge that meets it anyway refuses the requests of the web ACL's distributions. Whoever builds
//! a row flips it.
import type {
  FieldToMatch,
  ManagedRuleGroupConfig,
  PreParseTextTransformationType,
  RateBasedStatementAggregateKeyType,
  RateBasedStatementCustomKey,
  RuleAction,
  Statement,
  TextTransformationType,
} from '@aws-sdk/client-wafv2'

export type StatementName = keyof Statement
export type FieldName = keyof FieldToMatch
export type ActionName = keyof RuleAction
export type CustomKeyName = keyof RateBasedStatementCustomKey

export interface StatementRow {
  readonly built: boolean
  /**
   * Where it may stand: `anywhere`; `top`: only as the statement of a rule itself (AWS refuses it inside another);
   * `web-acl`: as `top`, and not in a rule group either (https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements.html).
   */
  readonly stands: 'anywhere' | 'top' | 'web-acl'
}

const anywhere = (built: boolean): StatementRow => ({ built, stands: 'anywhere' })

export const STATEMENTS: Readonly<Record<StatementName, StatementRow>> = {
  AndStatement: anywhere(false),
  AsnMatchStatement: anywhere(false),
  ByteMatchStatement: anywhere(false),
  GeoMatchStatement: anywhere(false),
  IPSetReferenceStatement: anywhere(false),
  LabelMatchStatement: anywhere(false),
  ManagedRuleGroupStatement: { built: false, stands: 'web-acl' },
  NotStatement: anywhere(false),
  OrStatement: anywhere(false),
  RateBasedStatement: { built: true, stands: 'top' },
  RegexMatchStatement: anywhere(false),
  RegexPatternSetReferenceStatement: anywhere(false),
  RuleGroupReferenceStatement: { built: false, stands: 'web-acl' },
  SizeConstraintStatement: anywhere(false),
  SqliMatchStatement: anywhere(false),
  XssMatchStatement: anywhere(false),
}

interface Row {
  readonly built: boolean
}

/** Parts of a request that a statement may look at. */
export const FIELDS: Readonly<Record<FieldName, Row>> = {
  AllQueryArguments: { built: false },
  Body: { built: false },
  Cookies: { built: false },
  HeaderOrder: { built: false },
  Headers: { built: false },
  /** Needs the ClientHello of the viewer's connection. */
  JA3Fingerprint: { built: false },
  JA4Fingerprint: { built: false },
  JsonBody: { built: false },
  Method: { built: false },
  QueryString: { built: false },
  SingleHeader: { built: false },
  SingleQueryArgument: { built: false },
  /** No HTTP client sends a fragment. */
  UriFragment: { built: false },
  UriPath: { built: false },
}

export const TRANSFORMATIONS: Readonly<Record<TextTransformationType, Row>> = {
  BASE64_DECODE: { built: false },
  BASE64_DECODE_EXT: { built: false },
  CMD_LINE: { built: false },
  CMD_LINE_UNIX: { built: false },
  CMD_LINE_WIN: { built: false },
  COMPRESS_WHITE_SPACE: { built: false },
  CSS_DECODE: { built: false },
  ESCAPE_SEQ_DECODE: { built: false },
  HEX_DECODE: { built: false },
  HTML_ENTITY_DECODE: { built: false },
  JS_DECODE: { built: false },
  JS_DECODE_EXT: { built: false },
  LOWERCASE: { built: false },
  MD5: { built: false },
  NONE: { built: false },
  NORMALIZE_PATH: { built: false },
  NORMALIZE_PATH_WIN: { built: false },
  REMOVE_COMMENTS_CHAR: { built: false },
  REMOVE_NULLS: { built: false },
  REMOVE_WHITESPACE: { built: false },
  REPLACE_COMMENTS: { built: false },
  REPLACE_NULLS: { built: false },
  SHA256: { built: false },
  SQL_HEX_DECODE: { built: false },
  TRIM: { built: false },
  TRIM_LEFT: { built: false },
  TRIM_RIGHT: { built: false },
  UPPERCASE: { built: false },
  URL_DECODE: { built: false },
  URL_DECODE_UNI: { built: false },
  UTF8_TO_UNICODE: { built: false },
}

/** Transformations before a query string is taken apart into its arguments. */
export const PRE_PARSE_TRANSFORMATIONS: Readonly<Record<PreParseTextTransformationType, Row>> = {
  COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA: { built: false },
  NONE: { built: false },
  REPLACE_SEMICOLONS_WITH_AMPERSANDS: { built: false },
  URL_DECODE: { built: false },
  URL_DECODE_UNI: { built: false },
}

export const ACTIONS: Readonly<Record<ActionName, Row>> = {
  Allow: { built: false },
  Block: { built: false },
  Captcha: { built: false },
  Challenge: { built: false },
  Count: { built: false },
  /** Payment by crypto-currency. */
  Monetize: { built: false },
}

/** What a rate-based rule counts by. */
export const AGGREGATE_KEYS: Readonly<Record<RateBasedStatementAggregateKeyType, Row>> = {
  CONSTANT: { built: true },
  CUSTOM_KEYS: { built: true },
  FORWARDED_IP: { built: true },
  IP: { built: true },
}

export const CUSTOM_KEYS: Readonly<Record<CustomKeyName, Row>> = {
  ASN: { built: true },
  Cookie: { built: true },
  ForwardedIP: { built: true },
  HTTPMethod: { built: true },
  Header: { built: true },
  IP: { built: true },
  JA3Fingerprint: { built: false },
  JA4Fingerprint: { built: false },
  LabelNamespace: { built: true },
  QueryArgument: { built: false },
  QueryString: { built: true },
  UriPath: { built: true },
}

/** Settings of single managed rule groups; the four at the top level are the older form of the ATP rule set's. */
export const MANAGED_GROUP_CONFIGS: Readonly<Record<keyof ManagedRuleGroupConfig, Row>> = {
  AWSManagedRulesACFPRuleSet: { built: false },
  AWSManagedRulesATPRuleSet: { built: false },
  AWSManagedRulesAntiDDoSRuleSet: { built: false },
  AWSManagedRulesBotControlRuleSet: { built: false },
  LoginPath: { built: false },
  PasswordField: { built: false },
  PayloadType: { built: false },
  UsernameField: { built: false },
}
