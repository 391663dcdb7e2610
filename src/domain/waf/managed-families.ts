//! What the rules of managed groups look for, by kind of attack: which rules of the engine's rule set and which patterns of
//! our own find it. `scripts/managed-rules.mjs` keeps of the rule set what is named here.

/** A kind of attack. */
export type Family =
  | 'admin-paths'
  | 'bad-bots'
  | 'ec2-metadata'
  | 'exploitable-paths'
  | 'java-rce'
  | 'javascript-rce'
  | 'linux-files'
  | 'localhost'
  | 'log4j'
  | 'php'
  | 'powershell'
  | 'restricted-extensions'
  | 'rfi'
  | 'sqli'
  | 'sqli-extended'
  | 'traversal'
  | 'unix-shell'
  | 'windows-shell'
  | 'wordpress-commands'
  | 'wordpress-paths'
  | 'xss'

/** What finds the attacks of one kind. */
export interface FamilySources {
  /** Ids in the engine's rule set (`edge/waf/rules/engine-rules.json`). */
  readonly engine: readonly string[]
  /** Ids in `managed-patterns.ts`. */
  readonly own: readonly string[]
}

const ids = (prefix: string, ...rest: readonly string[]): string[] => rest.map((one) => `${prefix}${one}`)

export const FAMILIES: Readonly<Record<Family, FamilySources>> = {
  'admin-paths': { engine: [], own: ['admin-paths'] },
  'bad-bots': {
    engine: [
      'strc-913-100',
      ...ids('ua0-600-', '0xx', '10x', '12x', '13x', '14x', '15x', '16x', '18x', '19x', '1xx', '20x', '22x', '26x'),
      ...ids('ua0-600-', '27x', '28x', '29x', '2xx', '30x', '31x', '33x', '34x', '35x', '36x', '37x', '39x', '3xx'),
      ...ids('ua0-600-', '40x', '42x', '43x', '44x', '45x', '47x', '48x', '49x', '4xx', '51x', '52x', '53x', '54x'),
      ...ids('ua0-600-', '57x', '58x', '59x', '5xx', '60x', '61x', '62x', '63x', '64x', '65x', '66x', '67x', '68x'),
      ...ids('ua0-600-', '6xx', '7xx', '9xx'),
    ],
    own: ['scanner-agents'],
  },
  'ec2-metadata': { engine: ['sqr-000-001'], own: ['ec2-metadata'] },
  'exploitable-paths': { engine: [], own: ['exploitable-paths'] },
  'java-rce': {
    engine: [
      ...ids('crs-944-', '100', '110', '130', '260'),
      ...['strc-944-240', 'dog-000-003', 'dog-000-004', 'dog-000-007'],
    ],
    own: ['java-serialized'],
  },
  'javascript-rce': {
    engine: ['crs-934-100', 'dog-000-005', 'sqr-000-002'],
    own: ['react-flight'],
  },
  'linux-files': { engine: ['crs-930-120', 'sqr-000-009'], own: ['proc-files'] },
  localhost: { engine: [], own: ['localhost'] },
  log4j: { engine: ['sqr-000-017'], own: [] },
  php: {
    engine: [...ids('crs-933-', '130', '140', '150', '160', '170', '200'), ...ids('strc-933-', '180', '210')],
    own: ['php-open-tag'],
  },
  powershell: { engine: ['strc-932-120'], own: [] },
  'restricted-extensions': { engine: [], own: ['restricted-extensions'] },
  rfi: { engine: ['crs-931-110', 'crs-931-120', 'dog-931-001'], own: ['url-question-mark', 'url-with-ipv4'] },
  sqli: { engine: ['crs-942-100'], own: [] },
  'sqli-extended': {
    engine: [
      ...ids('crs-942-', '160', '240', '250', '270', '280', '360', '500'),
      ...ids('strc-942-', '151', '170', '190', '230', '320', '350'),
    ],
    own: ['nosql-operators', 'sql-names', 'sql-tautologies'],
  },
  traversal: { engine: [...ids('crs-930-', '100', '110'), ...ids('strc-930-', '101', '111')], own: [] },
  'unix-shell': {
    engine: [
      ...ids('strc-932-', '100', '130', '150'),
      ...ids('crs-932-', '160', '171'),
      ...ids('dog-932-', '100', '110'),
    ],
    own: [],
  },
  'windows-shell': {
    engine: ['strc-932-115', 'sqr-000-008', 'sqr-000-010'],
    own: ['windows-batch', 'windows-commands'],
  },
  'wordpress-commands': { engine: [], own: ['wordpress-commands'] },
  'wordpress-paths': { engine: [], own: ['wordpress-paths'] },
  xss: {
    engine: [
      ...ids('crs-941-', '110', '120', '140', '170', '180', '200', '210', '220', '230', '240', '270', '280', '290'),
      ...ids('crs-941-', '300', '350', '360', '390'),
      ...ids('strc-941-', '100', '130', '160', '190', '250', '260', '370'),
    ],
    own: [],
  },
}
