//! Request traces for caches, the same at every run: popularity by Zipf's law, scans of what is never asked for again,
//! popularity that moves. A trace is numbers of objects.
import { randomOf } from './random.ts'

export interface TraceOptions {
  readonly objects: number
  readonly requests: number
  /** Exponent of Zipf's law: the n-th most popular object is asked for 1/n^zipf as often as the first. */
  readonly zipf: number
  /** After so many requests comes a scan; 0 for none. */
  readonly scanEvery: number
  /** Objects of one scan, each asked for once and never again. */
  readonly scanObjects: number
  /** After so many requests a tenth of the popularity ranks goes to other objects; 0 for never. */
  readonly shiftEvery: number
  readonly seed: number
}

/** The trace as numbers of objects; those of scans lie above `objects`. */
export function makeTrace(options: TraceOptions): Uint32Array {
  const { objects, requests, scanEvery, scanObjects, shiftEvery } = options
  const { fraction: random } = randomOf(options.seed)
  const share = new Float64Array(objects)
  let sum = 0
  for (let rank = 0; rank < objects; rank++) {
    sum += 1 / (rank + 1) ** options.zipf
    share[rank] = sum
  }
  const at = Uint32Array.from({ length: objects }, (_, n) => n)
  const swap = (a: number, b: number) => {
    const kept = at[a] as number
    at[a] = at[b] as number
    at[b] = kept
  }
  for (let rank = objects - 1; rank > 0; rank--) swap(rank, Math.floor(random() * (rank + 1)))
  const rankOf = (point: number): number => {
    let low = 0
    let high = objects - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((share[middle] as number) < point) low = middle + 1
      else high = middle
    }
    return low
  }
  const trace = new Uint32Array(requests)
  let scanned = objects
  let popular = 0
  for (let n = 0; n < requests; ) {
    trace[n++] = at[rankOf(random() * sum)] as number
    popular++
    if (shiftEvery > 0 && popular % shiftEvery === 0) {
      for (let rank = 0; rank < objects; rank += 10) swap(rank, Math.floor(random() * objects))
    }
    if (scanEvery === 0 || popular % scanEvery !== 0) continue
    for (let k = 0; k < scanObjects && n < requests; k++) trace[n++] = scanned++
  }
  return trace
}
