//! The managed rule groups of vendor AWS (AWS WAF Developer Guide, "AWS Managed Rules rule groups list"): their names,
//! capacity, rules and labels, and what stands behind each rule here. Of a group of which nothing is built: why.
import type { Family } from './managed-families.ts'

/** The part of a request that a rule looks at. */
export type ManagedField =
  | 'body'
  | 'cookies'
  | 'headers'
  | 'host'
  | 'method'
  | 'query-arguments'
  | 'query-string'
  | 'uri-path'
  | 'user-agent'

/** What a rule finds in its field. */
export type ManagedTest =
  /** Attacks of this kind. */
  | { readonly kind: 'finds'; readonly family: Family }
  /** More bytes than this. */
  | { readonly kind: 'over'; readonly bytes: number }
  /** That it is exactly this. */
  | { readonly kind: 'is'; readonly value: string }
  /** That the request has none. */
  | { readonly kind: 'absent' }

export interface ManagedRule {
  readonly name: string
  readonly action: 'Block' | 'Count'
  /** Whole names of the labels that it adds. */
  readonly labels: readonly string[]
  readonly field: ManagedField
  readonly test: ManagedTest
}

export interface ManagedRuleGroup {
  readonly vendor: string
  readonly name: string
  /** One sentence. */
  readonly description: string
  /** Web ACL capacity units, as AWS counts them. */
  readonly capacity: number
  /** With the colon at its end: `awswaf:managed:aws:core-rule-set:`. */
  readonly labelNamespace: string
  /** Newest first, which is the default; ours, for AWS's numbers name AWS's signatures. `updated`: ISO 8601. */
  readonly versions: readonly ManagedVersion[]
  readonly rules: readonly ManagedRule[]
}

export interface ManagedVersion {
  readonly name: string
  readonly updated: string
}

const VERSIONS: readonly ManagedVersion[] = [{ name: 'Version_1.0', updated: '2026-11-30T00:00:00Z' }]

/** A rule whose label is not yet put behind the group's namespace. */
type Row = Omit<ManagedRule, 'labels' | 'action'> & { readonly label: string }
type Group = Pick<ManagedRuleGroup, 'name' | 'description' | 'capacity'> & { readonly rules: readonly Row[] }

function group(namespace: string, { rules, ...rest }: Group): ManagedRuleGroup {
  const labelNamespace = `awswaf:managed:aws:${namespace}:`
  return {
    ...{ vendor: 'AWS', labelNamespace, versions: VERSIONS },
    ...rest,
    rules: rules.map(({ label, ...row }) => ({ ...row, action: 'Block', labels: [`${labelNamespace}${label}`] })),
  }
}

/** How AWS's names and labels end, and which part of a request that says. */
const SUFFIXES = {
  BODY: { label: 'Body', field: 'body' },
  COOKIE: { label: 'Cookie', field: 'cookies' },
  HEADER: { label: 'Header', field: 'headers' },
  QUERYARGUMENTS: { label: 'QueryArguments', field: 'query-arguments' },
  QUERYSTRING: { label: 'QueryString', field: 'query-string' },
  URIPATH: { label: 'URIPath', field: 'uri-path' },
} as const satisfies Readonly<Record<string, { label: string; field: ManagedField }>>
type Suffix = keyof typeof SUFFIXES

/** One rule for each of these parts, in this order. */
const rules = (prefix: string, test: ManagedTest, ...suffixes: readonly Suffix[]): Row[] =>
  suffixes.map((suffix) => {
    const { label, field } = SUFFIXES[suffix]
    return rule(`${prefix}_${suffix}`, `${prefix}_${label}`, field, test)
  })

/** One whose name, label or part is unlike the others'. */
const rule = (name: string, label: string, field: ManagedField, test: ManagedTest): Row => ({
  name,
  label,
  field,
  test,
})
const over = (bytes: number): ManagedTest => ({ kind: 'over', bytes })
const finds = (family: Family): ManagedTest => ({ kind: 'finds', family })

export const MANAGED_RULE_GROUPS: readonly ManagedRuleGroup[] = [
  group('core-rule-set', {
    name: 'AWSManagedRulesCommonRuleSet',
    description: 'What applies to web applications in general: oversized parts, bad bots, file inclusion, SSRF, XSS.',
    capacity: 700,
    rules: [
      rule('NoUserAgent_HEADER', 'NoUserAgent_Header', 'user-agent', { kind: 'absent' }),
      rule('UserAgent_BadBots_HEADER', 'BadBots_Header', 'user-agent', finds('bad-bots')),
      ...rules('SizeRestrictions', over(2048), 'QUERYSTRING'),
      rule('SizeRestrictions_Cookie_HEADER', 'SizeRestrictions_Cookie_Header', 'cookies', over(10_240)),
      ...rules('SizeRestrictions', over(8192), 'BODY'),
      ...rules('SizeRestrictions', over(1024), 'URIPATH'),
      ...rules('EC2MetaDataSSRF', finds('ec2-metadata'), 'BODY', 'COOKIE', 'URIPATH', 'QUERYARGUMENTS'),
      ...rules('GenericLFI', finds('traversal'), 'QUERYARGUMENTS', 'URIPATH', 'BODY'),
      ...rules('RestrictedExtensions', finds('restricted-extensions'), 'URIPATH', 'QUERYARGUMENTS'),
      ...rules('GenericRFI', finds('rfi'), 'QUERYARGUMENTS', 'BODY', 'URIPATH'),
      ...rules('CrossSiteScripting', finds('xss'), 'COOKIE', 'QUERYARGUMENTS', 'BODY', 'URIPATH'),
    ],
  }),
  group('admin-protection', {
    name: 'AWSManagedRulesAdminProtectionRuleSet',
    description: 'Paths that are generally reserved for the administration of a server or an application.',
    capacity: 100,
    rules: rules('AdminProtection', finds('admin-paths'), 'URIPATH'),
  }),
  group('known-bad-inputs', {
    name: 'AWSManagedRulesKnownBadInputsRuleSet',
    description: 'Requests that are known to be invalid and to belong to the discovery or use of vulnerabilities.',
    capacity: 200,
    rules: [
      ...rules('JavaDeserializationRCE', finds('java-rce'), 'HEADER', 'BODY', 'URIPATH', 'QUERYSTRING'),
      rule('Host_localhost_HEADER', 'Host_Localhost_Header', 'host', finds('localhost')),
      rule('PROPFIND_METHOD', 'Propfind_Method', 'method', { kind: 'is', value: 'PROPFIND' }),
      ...rules('ExploitablePaths', finds('exploitable-paths'), 'URIPATH'),
      ...rules('Log4JRCE', finds('log4j'), 'HEADER', 'QUERYSTRING', 'BODY', 'URIPATH'),
      ...rules('ReactJSRCE', finds('javascript-rce'), 'BODY'),
    ],
  }),
  group('sql-database', {
    name: 'AWSManagedRulesSQLiRuleSet',
    description: 'SQL injection, and patterns of it that the SQL injection statement alone does not find.',
    capacity: 200,
    rules: [
      ...rules('SQLi', finds('sqli'), 'QUERYARGUMENTS'),
      ...rules('SQLiExtendedPatterns', finds('sqli-extended'), 'QUERYARGUMENTS'),
      ...rules('SQLi', finds('sqli'), 'BODY'),
      ...rules('SQLiExtendedPatterns', finds('sqli-extended'), 'BODY'),
      ...rules('SQLi', finds('sqli'), 'COOKIE', 'URIPATH'),
    ],
  }),
  group('linux-os', {
    name: 'AWSManagedRulesLinuxRuleSet',
    description: 'Inclusion of files that only Linux has.',
    capacity: 200,
    rules: rules('LFI', finds('linux-files'), 'URIPATH', 'QUERYSTRING', 'HEADER'),
  }),
  group('posix-os', {
    name: 'AWSManagedRulesUnixRuleSet',
    description: 'Command injection on POSIX systems.',
    capacity: 100,
    rules: rules('UNIXShellCommandsVariables', finds('unix-shell'), 'QUERYSTRING', 'BODY', 'HEADER'),
  }),
  group('windows-os', {
    name: 'AWSManagedRulesWindowsRuleSet',
    description: 'Command injection on Windows: shell and PowerShell.',
    capacity: 200,
    rules: [
      ...rules('WindowsShellCommands', finds('windows-shell'), 'COOKIE', 'QUERYARGUMENTS', 'BODY'),
      ...rules('PowerShellCommands', finds('powershell'), 'COOKIE', 'QUERYARGUMENTS', 'BODY'),
    ],
  }),
  group('php-app', {
    name: 'AWSManagedRulesPHPRuleSet',
    description: 'Injection of unsafe functions and variables of PHP.',
    capacity: 100,
    rules: rules('PHPHighRiskMethodsVariables', finds('php'), 'HEADER', 'QUERYSTRING', 'BODY'),
  }),
  group('wordpress-app', {
    name: 'AWSManagedRulesWordPressRuleSet',
    description: 'Commands and files of WordPress that are known to be exploitable.',
    capacity: 100,
    // Labels of this group are spelled like the names (AWS WAF Developer Guide).
    rules: [
      ...rules('WordPressExploitableCommands', finds('wordpress-commands'), 'QUERYSTRING'),
      ...rules('WordPressExploitablePaths', finds('wordpress-paths'), 'URIPATH'),
    ].map((one) => ({ ...one, label: one.name })),
  }),
]

const ITS_LISTS =
  'its lists of addresses are Amazon’s own and are not published; an IP set with a list of yours does the same'

/** AWS's groups of which nothing is built, and why. */
export const MISSING_RULE_GROUPS: Readonly<Record<string, string>> = {
  AWSManagedRulesACFPRuleSet: 'it compares credentials with a database of stolen ones that only Amazon has',
  AWSManagedRulesATPRuleSet: 'it compares credentials with a database of stolen ones that only Amazon has',
  AWSManagedRulesAmazonIpReputationList: ITS_LISTS,
  AWSManagedRulesAnonymousIpList: ITS_LISTS,
  AWSManagedRulesAntiDDoSRuleSet: 'it compares traffic with a baseline that it learns; see rate-based rules',
  AWSManagedRulesBotControlRuleSet:
    'it tells bots that are verified from those that say so, by their operators’ addresses and by signals of browsers',
}

const BY_NAME = new Map(MANAGED_RULE_GROUPS.map((one) => [one.name, one]))

/** @returns undefined when it is not built, or when there is none of that name (see MISSING_RULE_GROUPS). */
export const managedRuleGroup = (vendor: string, name: string): ManagedRuleGroup | undefined =>
  vendor === 'AWS' ? BY_NAME.get(name) : undefined

/** @returns the version that this name means (absent: the default); undefined when the group has none of that name. */
export const managedVersion = ({ versions }: ManagedRuleGroup, name: string | undefined): ManagedVersion | undefined =>
  versions.find((version) => name === undefined || version.name === name)
