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
  '- ManagedRuleGroupConfigs belong to groups that are not built and answer 501.',
  '',
]

const AFTER = [
  '## Updating the rules',
  '',
  '`npm run managed-rules` fetches the newest rule set, keeps the rules that `src/domain/waf/managed-families.ts` names',
  'and writes them with their licence into `src/edge/waf/rules`; then `npm run conformance:waf` says whether precision',
  'and recall are still above the floors, and a commit makes it so.',
]
