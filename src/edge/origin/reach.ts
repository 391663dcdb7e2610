//! A TCP connection to the first of several addresses that takes one: the next is tried when one refuses, or beside one
//! that has not answered for a moment (RFC 8305 5). The guard is asked before a packet is sent, and again about the
//! address that was really reached.
import { connect, type Socket } from 'node:net'
import { OriginFailure, originFailure } from './failure.ts'
import type { AddressGuard } from './guard.ts'

/** Connection Attempt Delay of RFC 8305 5. Milliseconds. */
const NEXT_AFTER_MS = 250
/** Milliseconds of silence after which TCP asks whether the other end is still there. */
const PROBE_AFTER_MS = 60_000

export interface Reached {
  readonly socket: Socket | null
  readonly failure: OriginFailure | null
}

/** Calls `done` once; returns what breaks it off, after which `done` is not called. */
export function reach(
  addresses: readonly string[],
  port: number,
  guard: AddressGuard,
  done: (reached: Reached) => void,
): () => void {
  const trying = new Set<Socket>()
  let failure: OriginFailure | null = null
  let at = 0
  let timer: NodeJS.Timeout | null = null
  let over = false

  const stop = (): void => {
    over = true
    if (timer !== null) clearTimeout(timer)
    for (const socket of trying) socket.destroy()
  }
  const end = (reached: Reached): void => {
    stop()
    done(reached)
  }
  const failed = (why: OriginFailure): void => {
    if (over) return
    // What an address that may be asked did tells more than that another may not.
    if (failure === null || why.kind !== 'forbidden-address') failure = why
    if (at < addresses.length) next()
    else if (trying.size === 0) end({ socket: null, failure })
  }
  const refusal = (address: string): OriginFailure | null => {
    const why = guard.refusal(address, port)
    return why === null ? null : new OriginFailure('forbidden-address', `${address} port ${port}: ${why}`)
  }
  const next = (): void => {
    if (timer !== null) clearTimeout(timer)
    const address = addresses[at++] as string
    const forbidden = refusal(address)
    if (forbidden !== null) {
      failed(forbidden)
      return
    }
    const socket = connect({
      host: address,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER_MS,
    })
    trying.add(socket)
    const onError = (error: Error): void => {
      trying.delete(socket)
      failed(connectFailure(error))
    }
    socket.once('error', onError)
    socket.once('connect', () => {
      trying.delete(socket)
      socket.off('error', onError)
      const wrong = refusal(socket.remoteAddress ?? '')
      if (wrong === null) return end({ socket, failure: null })
      socket.destroy()
      failed(wrong)
    })
    if (at < addresses.length) timer = setTimeout(next, NEXT_AFTER_MS)
  }
  next()
  return stop
}

/** A reset instead of a connection is a refusal. */
function connectFailure(error: Error): OriginFailure {
  const failure = originFailure(error)
  return failure.kind === 'reset' ? new OriginFailure('refused', failure.message) : failure
}
