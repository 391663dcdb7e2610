//! The end of an exchange that is for the cache alone.
import type { ViewerReply } from './listen/viewer.ts'

/** The viewer of an exchange that has none; it leaves when nothing of the answer can be kept. */
export class NobodyReads implements ViewerReply {
  readonly #wanted: () => boolean
  readonly closes = false
  readonly bytesSent = 0
  onDrain: (() => void) | null = null
  onAbort: (() => void) | null = null

  constructor(wanted: () => boolean) {
    this.#wanted = wanted
  }

  get gone(): boolean {
    return !this.#wanted()
  }

  whole(_head: string, _body: Uint8Array | null, onSent: (() => void) | null): void {
    onSent?.()
  }

  head(): void {}

  write(): boolean {
    return true
  }

  end(): void {}

  abort(): void {}
}
