//! `cachefront up`: every option comes from the table in config.ts.
import { Command, Option } from 'commander'
import type { CliHost, UpFlags, UpOption } from '../host.ts'

export function upCommand(host: CliHost, done: (code: number) => void): Command {
  const command = new Command('up')
    .description('start everything and stay in the foreground (Ctrl-C stops it; caches live on unless --stop-engines)')
    .addOption(new Option('--config <FILE>', 'a JSON file with options by their names: {"workers": 2}'))
    .option('--json', 'print one JSON document when it is ready')
    .addHelpText('after', '\nExample:\n  cachefront up --bare --http-listen 127.0.0.1:0 --movable-clock')
  for (const option of host.upOptions) command.addOption(commanderOption(option))
  return command.action(async (options: Record<string, unknown>) => done(await host.up(flagsByName(host, options))))
}

function commanderOption(option: UpOption): Option {
  const value = option.argument === null ? '' : option.list ? ` <${option.argument}...>` : ` <${option.argument}>`
  const fallback = option.default === null ? '' : ` (default ${option.default})`
  return new Option(`--${option.name}${value}`, `${option.about}${fallback}${option.env ? ` [${option.env}]` : ''}`)
}

/** Commander gives camelCase names; settings have the names of their flags. */
function flagsByName(host: CliHost, options: Record<string, unknown>): UpFlags {
  const camel = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  const names = [...host.upOptions.map((option) => option.name), 'config', 'json']
  const given = names.filter((name) => options[camel(name)] !== undefined)
  return Object.fromEntries(given.map((name) => [name, options[camel(name)] as string | boolean]))
}
