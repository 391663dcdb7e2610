//! `cachefront audit`: who changed what through the API, from the audit log of the home.
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { AuditEntry } from '../audit-entries.ts'
import { entriesOf, matches } from '../audit-entries.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { drawTable } from '../table.ts'

interface AuditOptions extends ClientOptions {
  readonly lines: string
  readonly key?: string
  readonly operation?: string
}

export function auditCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('audit')
    .option('-n, --lines <N>', 'how many of the newest changes', '20')
    .option('--key <KEY>', 'those of the key with this id or name')
    .option('--operation <TEXT>', 'those whose service and operation have this in them, like cloudfront or Delete')
    .description('who changed what through the API, newest last')
    .addHelpText('after', '\nExample:\n  cachefront audit --operation DeleteDistribution')
    .action(async (options: AuditOptions) => {
      if (!/^\d{1,6}$/.test(options.lines)) throw new CliError('--lines must be a whole number.', 2)
      const file = host.files(host.home(options.home)).auditLog
      const count = Number(options.lines)
      let found: readonly AuditEntry[] = []
      // The files that were set aside are read only as far back as need be.
      for (const name of [file, ...SET_ASIDE.map((n) => `${file}.${n}`)]) {
        const text = await textOf(name)
        if (text === null) break
        found = [...entriesOf(text).filter((entry) => matches(entry, options)), ...found]
        if (found.length >= count) break
      }
      const shown = count === 0 ? [] : found.slice(-count)
      if (options.json) for (const entry of shown) host.out.print(JSON.stringify(entry))
      else host.out.print(shown.length === 0 ? 'No such changes.' : draw(shown))
      done(0)
    })
}

/** As many as are kept (observe/audit-log.ts). */
const SET_ASIDE = [1, 2, 3, 4, 5, 6, 7, 8]

/** Null when there is no such file. @throws CliError when it cannot be read */
async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`)
  }
}

/** What is shown of names and ids; --json has all of them. Characters. */
const ABOUT_CHARS_MAX = 80

/** In one line: names are the callers', and a terminal would obey what it takes for commands. */
function about(resources: AuditEntry['resources']): string {
  const text = [...new Set(Object.values(resources))].join(' ').replaceAll(/[\p{C}\s]+/gu, ' ')
  return text.length > ABOUT_CHARS_MAX ? `${text.slice(0, ABOUT_CHARS_MAX)}...` : text
}

function draw(entries: readonly AuditEntry[]): string {
  return drawTable([
    ['TIME', 'CALLER', 'ROLE', 'FROM', 'CALL', 'ABOUT', 'OUTCOME'],
    ...entries.map(({ time, caller, service, operation, resources, outcome }) => [
      ...[time, caller.name + (caller.verified ? '' : ' (unverified)'), caller.role, caller.address],
      ...[`${service} ${operation}`, about(resources), outcome],
    ]),
  ])
}
