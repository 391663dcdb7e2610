//! Which priority an answer has (RFC 9218 5, 7): of PRIORITY_UPDATE, which may come before the request, or of the header.
import type { HeaderBlock } from '../viewer.ts'
import { DEFAULT_PRIORITY, type Priority, priorityOf } from './priority.ts'

/** Updates for requests that have not come yet; the oldest is forgotten. */
const EARLY_MAX = 128

/** Key of our priority in `HeaderBlock.derived`. */
const PRIORITY = {}

export class Priorities {
  readonly #early = new Map<number, Priority>()

  /** PRIORITY_UPDATE: the priority that the stream has from now on, when it is not one that is still to come. */
  update(id: number, text: string, isEarly: boolean): Priority | null {
    const priority = priorityOf(text)
    if (!isEarly) return priority
    this.#early.delete(id)
    this.#early.set(id, priority)
    if (this.#early.size > EARLY_MAX) this.#early.delete(this.#early.keys().next().value as number)
    return null
  }

  of(id: number, headers: HeaderBlock): Priority {
    if (this.#early.size > 0) {
      const early = this.#early.get(id)
      if (early !== undefined) {
        this.#early.delete(id)
        return early
      }
    }
    const known = headers.derived.get(PRIORITY) as Priority | undefined
    if (known !== undefined) return known
    const text = headers.get('priority')
    const priority = text === undefined ? DEFAULT_PRIORITY : priorityOf(text)
    headers.derived.set(PRIORITY, priority)
    return priority
  }
}
