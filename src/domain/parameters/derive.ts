//! PURE: a family's table told from a neighbour's: what it lacks, what it calls otherwise, what it has besides.
import type { Parameter } from './parameter.ts'

export interface Difference {
  /** Engine version of the rows: the oldest of the family. */
  readonly since: string
  /** Names that the family does not have. */
  readonly without?: readonly string[]
  /** Name here, by the neighbour's name. */
  readonly renamed?: Readonly<Record<string, string>>
  /** Part of a name, replaced wherever it stands: `replica` was `slave`. */
  readonly worded?: readonly [from: string, to: string]
  /** Fields with other values, by the name that the family itself uses. */
  readonly changed?: Readonly<
    Record<string, Partial<Pick<Parameter, 'value' | 'allowed' | 'modifiable' | 'changeType'>>>
  >
  /** Rows that the neighbour does not have. */
  readonly plus?: readonly Parameter[]
}

/** @throws when the difference names a parameter that there is not: a slip of the pen in a table. */
export function derive(neighbour: readonly Parameter[], difference: Difference): Parameter[] {
  const { since, without = [], renamed = {}, worded, changed = {}, plus = [] } = difference
  const kept = neighbour.filter((p) => !without.includes(p.name))
  const rows = kept.map((p) => {
    const name = renamed[p.name] ?? (worded === undefined ? p.name : p.name.replace(...worded))
    return { ...p, since, name, ...changed[name] }
  })
  const known = new Set([...neighbour.map((p) => p.name), ...rows.map((p) => p.name)])
  const unknown = [...without, ...Object.keys(renamed), ...Object.keys(changed)].find((name) => !known.has(name))
  if (unknown !== undefined) throw new Error(`no parameter ${unknown} to tell the family of ${since} from`)
  return [...rows, ...plus]
}
