//! PURE: the texts of INFO and `stats` -> fields and counts of commands.
import type { CommandCount } from './metric.ts'

export interface Statistics {
  readonly fields: ReadonlyMap<string, string>
  readonly commands: ReadonlyMap<string, CommandCount>
}

/** `INFO all` (`name:value` lines). */
export function readInfoText(text: string): Statistics {
  const fields = new Map<string, string>()
  const commands = new Map<string, CommandCount>()
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon <= 0 || line.startsWith('#')) continue
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1)]
    if (name.startsWith('cmdstat_')) addCommand(commands, name.slice('cmdstat_'.length), value)
    else fields.set(name, value)
  }
  return { fields, commands }
}

/** `cmdstat_config|get:calls=1,usec=9,...`: sub-commands have lines of their own (spec 12.2). */
function addCommand(commands: Map<string, CommandCount>, name: string, value: string): void {
  const command = name.split('|')[0]!.toLowerCase()
  const parts = pairsOf(value)
  const before = commands.get(command) ?? { calls: 0, usec: 0 }
  commands.set(command, {
    calls: before.calls + Number(parts.get('calls') ?? 0),
    usec: before.usec + Number(parts.get('usec') ?? 0),
  })
}

/** `STAT name value` lines. */
export function readStatsText(text: string): Statistics {
  const fields = new Map<string, string>()
  for (const [, name = '', value = ''] of text.matchAll(/^STAT (\S+) (.*?)\r?$/gm)) fields.set(name, value)
  return { fields, commands: new Map() }
}

/** `keys=2,expires=1` of a line of INFO. */
export function pairsOf(value: string): ReadonlyMap<string, string> {
  return new Map(
    value.split(',').map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    }),
  )
}
