//! What a viewer says of the order of its answers (RFC 9218 4): `u=0` to `u=7`, and `i`.

export interface Priority {
  /** 0 is the most urgent. */
  readonly urgency: number
  /** Of use to the viewer before it is whole. */
  readonly incremental: boolean
}

export const DEFAULT_PRIORITY: Priority = { urgency: 3, incremental: false }

/** A member of a dictionary (RFC 8941 3.2) with its parameters, as far as it matters here. */
const MEMBER = /^([a-z*][a-z0-9_\-.*]*)(?:=([^;]*))?(?:;.*)?$/

/** Members that are none, or are out of range, are as good as absent (RFC 9218 4). */
export function priorityOf(text: string): Priority {
  let { urgency, incremental } = DEFAULT_PRIORITY
  for (const part of text.split(',')) {
    const [, key, value] = MEMBER.exec(part.trim()) ?? []
    if (key === 'u' && value !== undefined && /^[0-7]$/.test(value)) urgency = Number(value)
    else if (key === 'i' && (value === undefined || value === '?1')) incremental = true
    else if (key === 'i' && value === '?0') incremental = false
  }
  return { urgency, incremental }
}
