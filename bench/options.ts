//! Options of a benchmark: `--help` with an example, and one line and exit code 2 for a call that is wrong.
import { parseArgs } from 'node:util'

export interface BenchOption {
  /** Name of its value in the help; null for one that has none. */
  readonly value: string | null
  readonly about: string
  /** Null for none. */
  readonly default: string | null
}

export interface BenchUsage<Name extends string> {
  /** What a person types before the options. */
  readonly command: string
  readonly about: string
  readonly example: string
  readonly options: Readonly<Record<Name, BenchOption>>
}

/** Prints one line and ends the program with 2. */
export function callFailed(why: string): never {
  process.stderr.write(`bench: ${why} (--help names the options)\n`)
  process.exit(2)
}

/** The options by name; one without a value is `''` when it was given, one that was not given undefined. */
export function readOptions<Name extends string>(usage: BenchUsage<Name>): Partial<Record<Name, string>> {
  const rows = Object.entries<BenchOption>(usage.options)
  const types = rows.map(([name, { value }]) => [name, { type: value === null ? 'boolean' : 'string' }] as const)
  const given = parse({ ...Object.fromEntries(types), help: { type: 'boolean' } })
  if (given.help === true) {
    process.stdout.write(helpText(usage, rows))
    process.exit(0)
  }
  const read = rows.map(
    ([name, option]) => [name, given[name] === true ? '' : (given[name] ?? option.default)] as const,
  )
  return Object.fromEntries(read.filter(([, value]) => value !== null)) as Partial<Record<Name, string>>
}

/** @returns a whole number from 1; ends the program with 2 when the text is none */
export function wholeNumber(name: string, text = ''): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) callFailed(`--${name} takes a whole number from 1, not "${text}"`)
  return Number(text)
}

function parse(options: Record<string, { type: 'boolean' | 'string' }>): Record<string, string | boolean | undefined> {
  try {
    return parseArgs({ options }).values as Record<string, string | boolean | undefined>
  } catch (error) {
    return callFailed((error as Error).message.split(/[.\n] ?/)[0] ?? '')
  }
}

function helpText({ command, about, example }: BenchUsage<string>, rows: readonly [string, BenchOption][]): string {
  const lines = rows.map(([name, option]) => {
    const flag = `--${name}${option.value === null ? '' : ` ${option.value}`}`
    return `  ${flag.padEnd(14)}${option.about}${option.default === null ? '' : ` (default ${option.default})`}`
  })
  return `Usage: ${command} [options]\n\n${about}\n\n${lines.join('\n')}\n\nExample:\n  ${example}\n`
}
