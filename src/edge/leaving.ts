//! Whoever asked leaves while the request waits for a fetch: its share in the fetch ends at once. A fetch that nobody else
//! counts on is broken off by that (cache/flight.ts); one that others joined goes on, and so does the request that leads
//! it, because it owes them a decision.
import type { Flight } from './cache/flight.ts'
import type { Exchange } from './exchange.ts'
import { to } from './stage.ts'

/** From here until `stayed` the request has a share in the flight only as long as whoever asked is there. */
export function shareWhileThere(x: Exchange, flight: Flight): void {
  if (x.reply.gone) leaveAhead(x, flight)
  else x.reply.onAbort = () => leaveAhead(x, flight)
}

/** What was waited for is here. */
export function stayed(x: Exchange): void {
  x.reply.onAbort = null
}

/** As `awaited`; or `left`, at once, when whoever asked leaves before. For those who wait for the fetch of another. */
export function unlessLeft<T>(x: Exchange, flight: Flight, awaited: Promise<T>): Promise<T | 'left'> {
  if (x.reply.gone) {
    leaveAhead(x, flight)
    return Promise.resolve('left' as const)
  }
  return new Promise((resolve, reject) => {
    x.reply.onAbort = () => {
      leaveAhead(x, flight)
      resolve('left')
    }
    awaited.then((value) => {
      if (x.leftAhead === flight) return
      stayed(x)
      resolve(value)
    }, reject)
  })
}

/** Ends the request's share in its flight, if it has one still. */
export function leaveFlight(x: Exchange): void {
  if (x.flight !== null && x.flight !== x.leftAhead) x.flight.leave()
  x.leftAhead = null
}

/** Where a request goes that nobody waits for any more. */
export function left(x: Exchange): typeof to.record {
  x.brokeOff = 'ClientCommError'
  return to.record
}

function leaveAhead(x: Exchange, flight: Flight): void {
  if (x.leftAhead === flight) return
  x.leftAhead = flight
  flight.leave()
}
