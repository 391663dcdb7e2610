//! `cachefront logs`: the end of the edge's access log, and what is written to it from now on.
import { createReadStream, watch } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { Command } from 'commander'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'

/** How much of the end of the log is read to find the last lines. Bytes. */
const TAIL_BYTES = 256 * 1024

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
      const lines = Number(options.lines)
      if (!/^\d{1,6}$/.test(options.lines)) throw new CliError('--lines must be a whole number.', 2)
      const file = host.files(host.home(options.home)).accessLog
      const show = printer(host, options.json === true)
      const end = await printTail(file, lines, show)
      if (options.follow) await follow(file, end, show)
      done(0)
    })
}

/** Prints lines as they are, or as JSON objects by the names in the log's own `#Fields` line. */
function printer(host: CliHost, json: boolean): (line: string) => void {
  let fields: readonly string[] = []
  return (line) => {
    if (line.startsWith('#Fields:')) fields = line.slice('#Fields:'.length).trim().split(/\s+/)
    if (!json) host.out.print(line)
    else if (line !== '' && !line.startsWith('#')) {
      const values = line.split('\t')
      host.out.print(JSON.stringify(Object.fromEntries(values.map((value, at) => [fields[at] ?? `field${at}`, value]))))
    }
  }
}

/** Returns the offset behind what was printed. */
async function printTail(file: string, count: number, show: (line: string) => void): Promise<number> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(error.code === 'ENOENT' ? `There is no log yet (${file}).` : error.message)
  })
  try {
    const { size } = await handle.stat()
    const head = Buffer.alloc(Math.min(size, 4096))
    await handle.read(head, 0, head.length, 0)
    const heading = head
      .toString('utf8')
      .split('\n')
      .filter((line) => line.startsWith('#'))
    const from = Math.max(0, size - TAIL_BYTES)
    const tail = Buffer.alloc(size - from)
    await handle.read(tail, 0, tail.length, from)
    const whole = tail.subarray(0, tail.lastIndexOf(10) + 1)
    const lines = whole
      .toString('utf8')
      .split('\n')
      .slice(from > 0 ? 1 : 0, -1)
      .filter((line) => !line.startsWith('#'))
    for (const line of [...heading, ...lines.slice(count === 0 ? lines.length : -count)]) show(line)
    return from + whole.length
  } finally {
    await handle.close()
  }
}

/** Never resolves: the command ends with Ctrl-C. A log that became shorter was begun anew. */
async function follow(file: string, from: number, show: (line: string) => void): Promise<never> {
  let at = from
  let rest = ''
  for await (const _ of changes(file)) {
    const { size } = await stat(file).catch(() => ({ size: at }))
    if (size < at) [at, rest] = [0, '']
    if (size === at) continue
    for await (const chunk of createReadStream(file, { start: at, end: size - 1, encoding: 'utf8' })) rest += chunk
    at = size
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) show(line)
  }
  throw new Error('the watch of the log ended')
}

async function* changes(file: string): AsyncGenerator<void> {
  let wake: () => void = () => {}
  watch(file, () => wake())
  for (;;) {
    const next = new Promise<void>((resolve) => {
      wake = resolve
    })
    yield
    await next
  }
}
