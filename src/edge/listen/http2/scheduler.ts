//! Whose bytes go next (RFC 9218 10): the most urgent first; of equal urgency in the order of the requests, one answer after
//! the other, but those that are of use in parts take turns, with each other and with the one whose turn it is.
import type { Priority } from './priority.ts'

export interface Scheduled {
  /** Stream identifier: a lower one was asked for earlier. */
  readonly id: number
  priority: Priority
}

interface Level<S> {
  /** By their identifiers. */
  readonly sequential: S[]
  /** The first is the next. */
  readonly incremental: S[]
  /** How many incremental ones have had their turn since the sequential ones had theirs. */
  turns: number
}

export class Scheduler<S extends Scheduled> {
  readonly #levels: Level<S>[] = Array.from({ length: 8 }, () => ({ sequential: [], incremental: [], turns: 0 }))
  /** How many want to send and may. */
  size = 0

  add(one: S): void {
    const { sequential, incremental } = this.#levels[one.priority.urgency]!
    this.size++
    if (one.priority.incremental) incremental.push(one)
    else {
      let at = sequential.length
      while (at > 0 && sequential[at - 1]!.id > one.id) at--
      sequential.splice(at, 0, one)
    }
  }

  /** One that was added, under the priority that it had then. */
  remove(one: S): void {
    const { sequential, incremental } = this.#levels[one.priority.urgency]!
    const list = one.priority.incremental ? incremental : sequential
    const at = list.indexOf(one)
    if (at < 0) return
    list.splice(at, 1)
    this.size--
  }

  /** Who may send one frame now; it stays until it is removed. */
  next(): S | null {
    if (this.size === 0) return null
    for (const level of this.#levels) {
      const { sequential, incremental } = level
      if (incremental.length === 0) {
        if (sequential.length > 0) return sequential[0]!
      } else if (sequential.length > 0 && level.turns >= incremental.length) {
        level.turns = 0
        return sequential[0]!
      } else {
        const one = incremental.shift()!
        incremental.push(one)
        level.turns++
        return one
      }
    }
    return null
  }
}
