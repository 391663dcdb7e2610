//! A connection from its arrival to the point where requests may come: whether it is taken (admission.ts), whom a proxy in
//! front names (proxy-door.ts), the TLS handshake. All of it bounded in number and in time.
import type { Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { isLoopback } from '../../lib/loopback.ts'
import type { Admission, Admitted, DropCause } from './admission.ts'
import { endsOf, proxiedEnds, type ViewerEnds } from './ends.ts'
import type { ListenLimits } from './limits.ts'
import { awaitProxyHeader } from './proxy-door.ts'
import type { TlsAcceptor } from './tls/acceptor.ts'
import type { ViewerTls } from './viewer.ts'

/** The listening address that a connection came to. */
interface Gate {
  readonly host: string
  readonly pop: number
  /** Null for plain HTTP. */
  readonly tls: TlsAcceptor | null
  readonly dedicatedTo?: string
}

export interface ArrivalsOptions {
  readonly clock: Clock
  readonly limits: Pick<ListenLimits, 'handshakeMs' | 'proxyHeaderMs'>
  readonly admission: Admission
  /** Peers that begin each connection with a PROXY header, and are believed. */
  readonly isProxy: (address: string) => boolean
  /** Requests may come. */
  readonly begin: (socket: Socket, pop: number, tls: ViewerTls | null, ends: ViewerEnds, place: Admitted) => void
  /** `address`: the viewer's, as far as it is known. */
  readonly dropped: (cause: DropCause, address: string) => void
}

interface Opening {
  readonly ends: ViewerEnds
  readonly place: Admitted
  /** Clock.monotonic() */
  readonly since: number
  /** Clock.monotonic() at which the TLS handshake must be over; none while a PROXY header is waited for. */
  readonly deadline: number
}

export class Arrivals {
  readonly #options: ArrivalsOptions
  /** Those of which no request may come yet. */
  readonly #opening = new Map<Socket, Opening>()

  constructor(options: ArrivalsOptions) {
    this.#options = options
  }

  accept(socket: Socket, gate: Gate): void {
    const ends = endsOf(socket)
    const { admission, isProxy, dropped } = this.#options
    // One that is gone already has no address any more.
    if (ends.remoteAddress === '') return void socket.destroy()
    const proxied = isProxy(ends.remoteAddress)
    const place = admission.admit(proxied ? null : ends.remoteAddress, proxied || gate.tls !== null)
    if (typeof place === 'string') {
      socket.destroy()
      dropped(place, ends.remoteAddress)
      return
    }
    socket.once('close', () => {
      this.#opening.delete(socket)
      place.left()
    })
    if (proxied) this.#hearProxy(socket, gate, ends, place)
    else this.#open(socket, gate, ends, place)
  }

  /** Those that have come before `before` (Clock.monotonic()), the oldest first; `end` closes one at once. */
  *oldest(before: number): Iterable<{ readonly address: string; end(): void }> {
    for (const [socket, { ends, place, since }] of this.#opening) {
      if (since > before) return
      const end = (): void => {
        this.#opening.delete(socket)
        socket.destroy()
        place.left()
      }
      yield { address: ends.remoteAddress, end }
    }
  }

  /** Ends those that are not through. */
  cut(): void {
    for (const socket of this.#opening.keys()) socket.destroy()
  }

  /** Ends those whose handshake takes too long: one look at all of them costs less than a timer for each. */
  sweep(now: number): void {
    for (const [socket, { ends, deadline }] of this.#opening) {
      if (deadline > now) continue
      this.#opening.delete(socket)
      socket.destroy()
      this.#options.dropped('handshake-timeout', ends.remoteAddress)
    }
  }

  #hearProxy(socket: Socket, gate: Gate, ends: ViewerEnds, place: Admitted): void {
    const { clock, limits, dropped } = this.#options
    this.#opening.set(socket, { ends, place, since: clock.monotonic(), deadline: Number.POSITIVE_INFINITY })
    awaitProxyHeader(socket, limits.proxyHeaderMs, (told) => {
      const named = told === null || typeof told === 'string' ? null : told
      const cause = typeof told === 'string' ? 'proxy-header' : named === null ? null : place.of(named.remoteAddress)
      if (cause !== null) {
        socket.destroy()
        dropped(cause, named?.remoteAddress ?? ends.remoteAddress)
      } else this.#open(socket, gate, proxiedEnds(ends, named), place)
    })
  }

  #open(socket: Socket, gate: Gate, ends: ViewerEnds, place: Admitted): void {
    if (gate.tls === null) this.#begin(socket, socket, gate.pop, null, ends, place)
    else this.#shakeHands(socket, gate, gate.tls, ends, place)
  }

  #shakeHands(
    socket: Socket,
    { host, pop, dedicatedTo }: Gate,
    acceptor: TlsAcceptor,
    ends: ViewerEnds,
    place: Admitted,
  ): void {
    const { clock, limits, dropped } = this.#options
    const since = clock.monotonic()
    this.#opening.set(socket, { ends, place, since, deadline: since + limits.handshakeMs })
    // Viewers behind a proxy are not of this host, wherever it runs.
    const from = { lenient: isLoopback(host) && !ends.proxied, dedicatedTo }
    const begin = (secured: Socket, agreed: ViewerTls): void => this.#begin(socket, secured, pop, agreed, ends, place)
    acceptor.accept(socket, from, begin, () => dropped('client-certificate', ends.remoteAddress))
  }

  #begin(socket: Socket, secured: Socket, pop: number, tls: ViewerTls | null, ends: ViewerEnds, place: Admitted): void {
    this.#opening.delete(socket)
    place.settled()
    this.#options.begin(secured, pop, tls, ends, place)
  }
}
