//! docs/waf-managed-rules.md: the tables of managed rule groups as a document (`npm run docs` writes it).
import { FAMILIES, type Family } from './managed-families.ts'
import {
  MANAGED_RULE_GROUPS,
  type ManagedField,
  type ManagedRuleGroup,
  type ManagedTest,
  MISSING_RULE_GROUPS,
} from './managed-groups.ts'
import { MANAGED_PATTERNS } from './managed-patterns.ts'

const FIELDS: Readonly<Record<ManagedField, string>> = {
  body: 'body',
  cookies: 'Cookie',
  headers: 'all headers, names and values',
  host: 'Host',
  method: 'method',
  'query-arguments': 'query arguments, names and values',
  'query-string': 'query string',
  'uri-path': 'path',
  'user-agent': 'User-Agent',
}

export function managedGroupsDocument(): string {
  return [
    ...BEFORE,
    ...MANAGED_RULE_GROUPS.flatMap(groupSection),
    '## Groups that are not built',
    '',
    'ListAvailableManagedRuleGroups leaves them out; a web ACL, a rule group or a description that names one answers 501',
    'with its name.',
    '',
    '| group | why |',
    '|---|---|',
    ...Object.entries(MISSING_RULE_GROUPS).map(([name, why]) => `| \`${name}\` | ${why} |`),
    '',
    '## What finds each kind of attack',
    '',
    'Ids are those of the rule set in `src/edge/waf/rules/engine-rules.json`; patterns are those of',
    '`src/domain/waf/managed-patterns.ts`.',
    '',
    '| kind | rules of the rule set | patterns of our own |',
    '|---|---|---|',
    ...(Object.keys(FAMILIES) as Family[]).map(familyRow),
    '',
    ...AFTER,
    '',
  ].join('\n')
}

const groupSection = ({ name, capacity, description, labelNamespace, rules, versions }: ManagedRuleGroup): string[] => [
  `## ${name}`,
  '',
  `${description} ${capacity} WCU; versions ${versions.map((version) => `\`${version.name}\``).join(', ')}.`,
  '',
  `| rule | label after \`${labelNamespace}\` | action | looks at | for |`,
  '|---|---|---|---|---|',
  ...rules.map(
    (rule) =>
      `| \`${rule.name}\` | \`${rule.labels[0]?.slice(labelNamespace.length)}\` | ${rule.action} | ${FIELDS[rule.field]} | ${sought(rule.test)} |`,
  ),
  '',
]

function sought(test: ManagedTest): string {
  switch (test.kind) {
    case 'finds':
      return test.family
    case 'over':
      return `more than ${test.bytes} bytes`
    case 'is':
      return `\`${test.value}\``
    case 'absent':
      return 'there is none'
  }
}

function familyRow(family: Family): string {
  const { engine, own } = FAMILIES[family]
  const patterns = own.map((id) => `${id}: ${MANAGED_PATTERNS[id]?.means}`).join('; ')
  return `| ${family} | ${engine.map((id) => `\`${id}\``).join(' ')} | ${patterns} |`
}

const BEFORE = [
  '# Managed rule groups',
  '',
  'The managed rule groups of vendor `AWS` have AWS’s names, rule names, labels, capacities and actions, so that a web',
  'ACL which names them works as it is. What stands behind the rules is not AWS’s signatures, which are not published,',
  'but a public rule set that derives from the OWASP Core Rule Set in large part, run by the engine libddwaf',
  '(libinjection for SQL injection and XSS, RE2 for expressions), and patterns of our own. So:',
  '',
  '- A request that AWS refuses may pass here, and the other way round. `npm run conformance:waf` shows what a corpus of',
  '  public attacks and of harmless requests comes to.',
  '- Versions are ours: `Version_1.0` and on. Versions of AWS (`Version_1.19`) name signatures that are not here and are',
  '  refused.',
  '- Values are looked at as they come, percent-decoded (also `%uXXXX`, twice), and with entities of HTML decoded.',
  '  Names of arguments, fields and cookies are looked at as their values are; AWS leaves names of arguments out.',
  '- Of a body that is a form, JSON or multipart, each value is looked at by itself, whatever Content-Type says; and the',
  '  whole body as it is.',
  '- What the engine cannot look at in its time counts as a match, and so does every request when it cannot be loaded.',
  '- A value of more than 4,096 bytes is looked at in pieces that overlap by 1,024: an attack whose parts stand further',
  '  apart is found only where comments, blanks or long words lie between them. What lies behind the limit of body',
  '  inspection (16 KB unless AssociationConfig says more) is not looked at, as on AWS; SizeRestrictions_BODY refuses it.',
  '- Refused without cause are, above all, GraphQL documents over several lines (UNIXShellCommandsVariables_BODY) and',
  '  uploads of binary files (by several rules, as on AWS): scope the group down, or let the rule count.',
  '- ManagedRuleGroupConfigs belong to groups that are not built and answer 501.',
  '',
]

const AFTER = [
  '## What it costs and what it finds',
  '',
  'Of a hit whose headers were seen before, SQL injection, XSS and a regular expression over query and headers take about',
  '50 µs of CPU together, of new headers 200 µs; the Common rule set 90 and 200 µs; all nine groups 400 and 860 µs. A body',
  'of 16 KB takes 5 to 10 ms with all groups, one of thousands of fields or of random bytes up to 70 ms.',
  '',
  'Of the corpus of `npm run conformance:waf` (472 attacks, 370 harmless requests), all nine groups together refuse 83% of',
  'the attacks, and 97% of what they refuse are attacks: XSS 96%, SQL injection 84%, Java 90%, commands 100%; PHP 56%',
  '(names of uploaded files, which no rule of AWS looks at, are among the rest), server-side JavaScript 13% (AWS has one',
  'rule for it, for bodies).',
  '',
  '## Updating the rules',
  '',
  '`npm run managed-rules` fetches the newest rule set, keeps the rules that `src/domain/waf/managed-families.ts` names',
  'and writes them with their licence into `src/edge/waf/rules`; then `npm run conformance:waf` says whether precision',
  'and recall are still above the floors, and a commit makes it so.',
]
