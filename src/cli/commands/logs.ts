//! `cachefront logs`: the end of the edge's access logs, one a worker, and what is written to them from now on.
import { Command } from 'commander'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findLogs, follow, readTail } from '../log-tail.ts'

interface LogsOptions extends ClientOptions {
  readonly follow?: boolean
  readonly lines: string
}

export function logsCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('logs')
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('-n, --lines <N>', 'lines to begin with', '20')
    .description("the edge's access log (CloudFront's standard format)")
    .addHelpText('after', '\nExample:\n  cachefront logs -f')
    .action(async (options: LogsOptions) => {
      const count = Number(options.lines)
      if (!/^\d{1,6}$/.test(options.lines)) throw new CliError('--lines must be a whole number.', 2)
      const files = await findLogs(host.files(host.home(options.home)).logs)
      const show = printer(host, options.json === true)
      const tails = await Promise.all(files.map(readTail))
      for (const line of tails[0]?.heading ?? []) show(line)
      // Within a second the lines of one worker stay in their order.
      const lines = tails.flatMap((tail) => tail.lines).sort((one, other) => compare(timeOf(one), timeOf(other)))
      for (const line of lines.slice(count === 0 ? lines.length : -count)) show(line)
      if (options.follow) await Promise.all(tails.map((tail) => follow(tail, show)))
      done(0)
    })
}

/** Date and time, which a line begins with. */
const timeOf = (line: string): string => line.split('\t', 2).join(' ')
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

/** Prints lines as they are, or as JSON objects by the names in the log's own `#Fields` line. */
function printer(host: CliHost, json: boolean): (line: string) => void {
  let fields: readonly string[] = []
  return (line) => {
    if (line.startsWith('#Fields:')) fields = line.slice('#Fields:'.length).trim().split(/\s+/)
    if (!json) return host.out.print(line)
    if (line === '' || line.startsWith('#')) return
    const values = line.split('\t')
    host.out.print(JSON.stringify(Object.fromEntries(values.map((value, at) => [fields[at] ?? `field${at}`, value]))))
  }
}
