//! Makes a failing case small: leaves out parts of it as long as it still fails.

/** Runs of `fails` for one case. */
const RUNS_MAX = 400

/** Items that are enough for `fails`, in their order; halves first, then smaller pieces, then single items. */
export async function shrink<T>(items: readonly T[], fails: (fewer: readonly T[]) => Promise<boolean>): Promise<T[]> {
  let left = [...items]
  let runs = 0
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < left.length && runs < RUNS_MAX; ) {
      const fewer = [...left.slice(0, at), ...left.slice(at + size)]
      runs++
      if (fewer.length > 0 && (await fails(fewer))) left = fewer
      else at += size
    }
  }
  return left
}
