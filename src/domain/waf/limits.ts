//! Quotas of WAFv2 that are the same everywhere (https://docs.aws.amazon.com/waf/latest/developerguide/limits.html). Those that
//! AWS raises on request are rows of domain/quotas.ts.

export const WAF_LIMITS = {
  /** Over 1,500 it costs more at AWS, and is served all the same. */
  webAclCapacity: 5_000,
  ruleGroupCapacity: 5_000,
  /** Statements that name a rule group, an IP set or a regex pattern set. */
  references: 50,
  addressesPerIpSet: 10_000,
  rateRulesPerWebAcl: 10,
  rateRulesPerRuleGroup: 4,
  /** Bytes. */
  searchString: 200,
  /** Characters. */
  regexPattern: 200,
  patternsPerRegexSet: 10,
  textTransformations: 10,
  /** Bytes: of one body of a custom response, and of all of a web ACL or rule group. */
  responseBody: 4_096,
  responseBodies: 51_200,
  /** Of one custom response, and of one custom request. */
  customHeaders: 10,
  /** Of all rules of a web ACL or rule group. */
  customRequestHeaders: 100,
  customResponseHeaders: 100,
  customResponseBodies: 50,
  tokenDomains: 10,
  /** Labels that a rule adds. */
  ruleLabels: 100,
  tags: 50,
  /** Statements around a statement. AWS publishes no number (unconfirmed): nobody writes so deep by hand. */
  nesting: 10,
  /** Rules of a web ACL or rule group. AWS bounds them by their capacity alone, and label matches cost 1 each. */
  rules: 5_000,
} as const
