//! The lines of the audit log, put together: a change with what came of it. Pure.
import type { AuditChange } from '../observe/audit-log.ts'

export interface AuditEntry extends AuditChange {
  readonly time: string
  /** `done`, the code of an error, or `unknown`: the process died meanwhile. */
  readonly outcome: string
}

interface Line extends AuditChange {
  readonly time: string
  readonly event: 'change' | 'denied' | 'outcome'
  readonly code?: string | null
}

/** In the order of the file. Lines that are no lines of an audit log (a torn one after a full disk) are left out. */
export function entriesOf(text: string): readonly AuditEntry[] {
  const entries = new Map<string, AuditEntry>()
  for (const raw of text.split('\n')) {
    const line = parsed(raw)
    if (line === null) continue
    const { event, code, ...change } = line
    if (event === 'change') entries.set(line.requestId, { ...change, outcome: 'unknown' })
    if (event === 'denied') entries.set(line.requestId, { ...change, outcome: code ?? 'denied' })
    const begun = entries.get(line.requestId)
    if (event !== 'outcome' || begun === undefined) continue
    entries.set(line.requestId, {
      ...begun,
      resources: { ...begun.resources, ...line.resources },
      outcome: code ?? 'done',
    })
  }
  return [...entries.values()]
}

export function matches(entry: AuditEntry, { key, operation }: { key?: string; operation?: string }): boolean {
  const { caller } = entry
  if (key !== undefined && caller.keyId !== key && caller.name !== key) return false
  return (
    operation === undefined || `${entry.service} ${entry.operation}`.toLowerCase().includes(operation.toLowerCase())
  )
}

function parsed(text: string): Line | null {
  try {
    const line = JSON.parse(text) as Partial<Line> | null
    return typeof line?.requestId === 'string' && line.event !== undefined ? (line as Line) : null
  } catch {
    return null
  }
}
