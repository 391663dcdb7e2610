//! docs/configuration.md: the table of settings as a document (`npm run docs` writes it, a test compares it).
import { OPTIONS, type OptionRow } from './config.ts'
import { QUOTA_ROWS } from './domain/quotas.ts'

export function configurationDocument(): string {
  return [
    '# Settings',
    '',
    'Printed from the table in [src/config.ts](../src/config.ts) by `npm run docs`.',
    '',
    'A flag of `cachefront up` wins over its environment variable, and that over the config file: one JSON object with',
    'the names of the flags without dashes, named by `--config FILE` or `CACHEFRONT_CONFIG`. An unknown flag, variable',
    '(`CACHEFRONT_...`) or key ends the start with a line that names it.',
    '',
    '| flag | variable | default | |',
    '|---|---|---|---|',
    ...OPTIONS.map(row),
    '',
    'The config file may also name the network of POPs piece by piece, as `topology`: [tiers.md](tiers.md).',
    '',
    'Client commands find the installation by `--home` or `CACHEFRONT_HOME`, one elsewhere by `--endpoint` or',
    '`CACHEFRONT_ENDPOINT`, and sign with `CACHEFRONT_ACCESS_KEY_ID` and `CACHEFRONT_SECRET_ACCESS_KEY`, else with the',
    'AWS variables of the same names.',
    '',
    '## Quotas',
    '',
    "The counts of CloudFront that the API enforces, at AWS's defaults unless `--quotas` says otherwise:",
    '`--quotas behaviorsPerDistribution=200`, `CACHEFRONT_QUOTAS=distributions=1000,behaviorsPerDistribution=200`, or',
    '`"quotas": {"behaviorsPerDistribution": 200}` in the config file. What is stored already stays when a quota is lowered.',
    '',
    '| quota | counts | default (AWS) | at most | what more of it costs |',
    '|---|---|---|---|---|',
    ...QUOTA_ROWS.map(([name, { unit, aws, max, costs }]) => `| \`${name}\` | ${unit} | ${aws} | ${max} | ${costs} |`),
    '',
  ].join('\n')
}

function row({ name, env, argument, list, default: fallback, about }: OptionRow): string {
  const flag = argument === null ? `--${name}` : `--${name} ${argument}`
  const variable = env === null ? '' : `\`${env}\``
  const several = env === null ? '; may be repeated' : '; may be repeated, in the variable separated by commas'
  return `| \`${flag}\` | ${variable} | ${fallback ?? ''} | ${about}${list === true ? several : ''} |`
}
