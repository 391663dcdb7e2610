//! Lets a fetch come to its end for the cache when its viewer wants no more of it.
import type { Flight } from './flight.ts'

/** Counts on a fetch that is to be kept until it is over, or not to be kept after all; on another one not at all. */
export function keepOn(flight: Flight): void {
  if (!flight.keeps || flight.over) return
  flight.join()
  const reader = {
    at: 0,
    wake() {
      if (flight.keeps && !flight.over) return
      flight.stopReading(reader)
      flight.leave()
    },
  }
  flight.read(reader)
}
