//! Removes, replaces and adds header lines of a response head that is text already. What is to be done is worked out once;
//! doing it is one walk over the lines. Pure.

/** A line to be added, with the name that it must not meet. */
export interface Fill {
  /** Lower case. */
  readonly name: string
  /** `Name: value\r\n` */
  readonly line: string
}

export interface HeadEdit {
  /** Lower-case names whose lines go. */
  readonly drops: ReadonlySet<string>
  /** Lines that are added whatever is there, each with its line break. */
  readonly adds: string
  /** Added where no line of that name is left. */
  readonly fills: readonly Fill[]
  /** Vary names Origin, unless it does already. */
  readonly variesByOrigin: boolean
}

/** One line that the answer is to have. */
export interface Wanted {
  readonly name: string
  readonly value: string
  /** True replaces what is there; false only fills a gap. */
  readonly override: boolean
}

/** `removes` are lower-case names; what is removed and wanted is there (removal comes first). */
export function compileEdit(
  removes: ReadonlySet<string>,
  wanted: readonly Wanted[],
  { variesByOrigin = false }: { readonly variesByOrigin?: boolean } = {},
): HeadEdit {
  const drops = new Set(removes)
  const fills: Fill[] = []
  let adds = ''
  for (const { name, value, override } of wanted) {
    const lower = name.toLowerCase()
    const line = `${name}: ${value}\r\n`
    if (override || removes.has(lower)) {
      drops.add(lower)
      adds += line
    } else fills.push({ name: lower, line })
  }
  return { drops, adds, fills, variesByOrigin: variesByOrigin && !removes.has('vary') }
}

/** `head` is a status line and header lines, each with its line break; so is what is returned. */
export function editHead(head: string, { drops, adds, fills, variesByOrigin }: HeadEdit): string {
  const first = head.indexOf('\r\n') + 2
  let kept = head.slice(0, first)
  const present = new Set<string>()
  let namesOrigin = false
  for (let at = first; at < head.length; ) {
    const end = head.indexOf('\r\n', at) + 2
    const line = head.slice(at, end)
    const name = line.slice(0, line.indexOf(':')).toLowerCase()
    at = end
    if (drops.has(name)) continue
    present.add(name)
    if (name === 'vary' && VARIES_BY_ORIGIN.test(line)) namesOrigin = true
    kept += line
  }
  kept += adds
  for (const { name, line } of fills) if (!present.has(name)) kept += line
  return variesByOrigin && !namesOrigin ? `${kept}Vary: Origin\r\n` : kept
}

const VARIES_BY_ORIGIN = /[:,]\s*(?:origin|\*)\s*(?:,|$)/i

/** Lower-case names of the lines that the edit may have put in. */
export const namesAdded = ({ adds, fills }: HeadEdit): ReadonlySet<string> =>
  new Set([
    ...adds
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(0, line.indexOf(':')).toLowerCase()),
    ...fills.map(({ name }) => name),
  ])
