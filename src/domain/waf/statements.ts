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
  AndStatement: anywhere(true),
  AsnMatchStatement: anywhere(true),
  ByteMatchStatement: anywhere(true),
  GeoMatchStatement: anywhere(true),
  IPSetReferenceStatement: anywhere(true),
  LabelMatchStatement: anywhere(true),
  ManagedRuleGroupStatement: { built: true, stands: 'web-acl' },
  NotStatement: anywhere(true),
  OrStatement: anywhere(true),
  RateBasedStatement: { built: true, stands: 'top' },
  RegexMatchStatement: anywhere(true),
  RegexPatternSetReferenceStatement: anywhere(true),
  RuleGroupReferenceStatement: { built: true, stands: 'web-acl' },
  SizeConstraintStatement: anywhere(true),
  SqliMatchStatement: anywhere(true),
  XssMatchStatement: anywhere(true),
}

interface Row {
  readonly built: boolean
}

/** Parts of a request that a statement may look at. */
export const FIELDS: Readonly<Record<FieldName, Row>> = {
  AllQueryArguments: { built: true },
  Body: { built: true },
  Cookies: { built: true },
  HeaderOrder: { built: true },
  Headers: { built: true },
  /** Needs the ClientHello of the viewer's connection. */
  JA3Fingerprint: { built: false },
  JA4Fingerprint: { built: false },
  JsonBody: { built: true },
  Method: { built: true },
  QueryString: { built: true },
  SingleHeader: { built: true },
  SingleQueryArgument: { built: true },
  /** No HTTP client sends a fragment. */
  UriFragment: { built: false },
  UriPath: { built: true },
}

export const TRANSFORMATIONS: Readonly<Record<TextTransformationType, Row>> = {
  BASE64_DECODE: { built: true },
  BASE64_DECODE_EXT: { built: true },
  CMD_LINE: { built: true },
  /** What these two do, and JS_DECODE_EXT, is written down nowhere. */
  CMD_LINE_UNIX: { built: false },
  CMD_LINE_WIN: { built: false },
  COMPRESS_WHITE_SPACE: { built: true },
  CSS_DECODE: { built: true },
  ESCAPE_SEQ_DECODE: { built: true },
  HEX_DECODE: { built: true },
  HTML_ENTITY_DECODE: { built: true },
  JS_DECODE: { built: true },
  JS_DECODE_EXT: { built: false },
  LOWERCASE: { built: true },
  MD5: { built: true },
  NONE: { built: true },
  NORMALIZE_PATH: { built: true },
  NORMALIZE_PATH_WIN: { built: true },
  REMOVE_COMMENTS_CHAR: { built: true },
  REMOVE_NULLS: { built: true },
  REMOVE_WHITESPACE: { built: true },
  REPLACE_COMMENTS: { built: true },
  REPLACE_NULLS: { built: true },
  SHA256: { built: true },
  SQL_HEX_DECODE: { built: true },
  TRIM: { built: true },
  TRIM_LEFT: { built: true },
  TRIM_RIGHT: { built: true },
  UPPERCASE: { built: true },
  URL_DECODE: { built: true },
  URL_DECODE_UNI: { built: true },
  UTF8_TO_UNICODE: { built: true },
}

/** Transformations before a query string is taken apart into its arguments. */
export const PRE_PARSE_TRANSFORMATIONS: Readonly<Record<PreParseTextTransformationType, Row>> = {
  COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA: { built: true },
  NONE: { built: true },
  REPLACE_SEMICOLONS_WITH_AMPERSANDS: { built: true },
  URL_DECODE: { built: true },
  URL_DECODE_UNI: { built: true },
}

/** The fields that such transformations go with. */
export const PRE_PARSED_FIELDS: ReadonlySet<string> = new Set(['AllQueryArguments', 'SingleQueryArgument'])

export const ACTIONS: Readonly<Record<ActionName, Row>> = {
  Allow: { built: true },
  Block: { built: true },
  Captcha: { built: true },
  Challenge: { built: true },
  Count: { built: true },
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
  QueryArgument: { built: true },
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

export type SettingName =
  | 'ApplicationConfig'
  | 'AssociationConfig'
  | 'CaptchaConfig'
  | 'ChallengeConfig'
  | 'CustomRequestHandling'
  | 'CustomResponse'
  | 'DataProtectionConfig'
  | 'LoggingConfiguration'
  | 'MonetizationConfig'
  | 'OnSourceDDoSProtectionConfig'
  | 'RuleLabels'
  | 'TokenDomains'

/** Other members that act at the edges: of a web ACL, of a rule, of an action. */
export const SETTINGS: Readonly<Record<SettingName, Row>> = {
  /** How many bytes of a body are looked at. */
  AssociationConfig: { built: true },
  CaptchaConfig: { built: true },
  ChallengeConfig: { built: true },
  /** Of Allow, Count, Captcha and Challenge: headers that the origin is sent. */
  CustomRequestHandling: { built: true },
  /** Of Block. */
  CustomResponse: { built: true },
  /** What logs and samples hide. */
  DataProtectionConfig: { built: false },
  ApplicationConfig: { built: false },
  LoggingConfiguration: { built: true },
  MonetizationConfig: { built: false },
  OnSourceDDoSProtectionConfig: { built: false },
  RuleLabels: { built: true },
  TokenDomains: { built: true },
}
