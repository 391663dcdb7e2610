//! What a drill counts, and what it finds wrong.

export class Findings {
  readonly violations: string[] = []
  readonly counts = new Map<string, number>()

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  /** A promise that was not kept: what was expected and what was seen. The same words are kept once. */
  violation(text: string): void {
    if (!this.violations.includes(text)) this.violations.push(text)
    this.count('violations')
  }
}

/** Fails with `what` when the promise has not settled after `ms`. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${what}: no end after ${ms} ms`)), ms)
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer))
}
