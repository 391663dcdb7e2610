//! Which connections a worker takes: so many in all, and of one address so many that it leaves room for the others.
//! One for all listeners of a worker. Who is refused is closed at once: an answer would cost more than the attack.
import { addressBytes } from '../../lib/ip.ts'
import { isLoopback } from '../../lib/loopback.ts'
import type { ListenLimits } from './limits.ts'
import { RELIEF_AT, Relief } from './relief.ts'

/** Why a connection was closed before its first request. */
export type DropCause =
  /** The worker has all the connections, or all the handshakes, that it takes. */
  | 'connections'
  | 'handshakes'
  /** So has the address. */
  | 'address-connections'
  | 'address-handshakes'
  /** It goes on asking although it was told often that it asks too often. */
  | 'address-requests'
  /** Nothing, or no PROXY header, from a peer that must send one (proxy-protocol.ts). */
  | 'proxy-header'
  /** The TLS handshake was not over in time. */
  | 'handshake-timeout'
  /** The viewer's certificate is missing, or not one that the distribution trusts (tls/client-terms.ts). */
  | 'client-certificate'

type Bounds = Pick<
  ListenLimits,
  | 'connections'
  | 'handshakes'
  | 'connectionsPerAddress'
  | 'handshakesPerAddress'
  | 'connectionsPerLoopbackAddress'
  | 'handshakesPerLoopbackAddress'
  | 'relievedAfterMs'
>

interface Source {
  connections: number
  handshakes: number
  readonly connectionsMax: number
  readonly handshakesMax: number
}

/** One connection's place; it is given back once, and may be given back again. */
export interface Admitted {
  /** It turns out to be of this address (a proxy says so); a cause when that has enough already. */
  of(address: string): DropCause | null
  /** Its handshake is over. */
  settled(): void
  left(): void
}

export interface AdmissionOptions {
  /** Addresses (proxies that bring many viewers) of which there may be any number. */
  readonly isExempt?: (address: string) => boolean
  /** Addresses of which none is taken for now. */
  readonly isShut?: (address: string) => boolean
  readonly relief?: Relief
  /** Clock.monotonic() */
  readonly now?: () => number
}

export class Admission {
  readonly #bounds: Bounds
  readonly #isExempt: (address: string) => boolean
  readonly #isShut: (address: string) => boolean
  readonly #now: () => number
  /** Makes room when there is little left. */
  readonly relief: Relief
  readonly #sources = new Map<string, Source>()
  #connections = 0
  #handshakes = 0

  constructor(bounds: Bounds, options: AdmissionOptions = {}) {
    this.#bounds = bounds
    this.#isExempt = options.isExempt ?? (() => false)
    this.#isShut = options.isShut ?? (() => false)
    this.#now = options.now ?? (() => 0)
    this.relief = options.relief ?? new Relief()
  }

  /** `address` is null while it is not known. `opening`: a handshake, or a PROXY header, is still to come. */
  admit(address: string | null, opening: boolean): Admitted | DropCause {
    const { connections, handshakes, relievedAfterMs } = this.#bounds
    if (this.#connections >= Math.floor(connections * RELIEF_AT)) {
      const now = this.#now()
      this.relief.connections(connections, now - relievedAfterMs, now)
      // A flood so fast that all of it is young: whoever has said nothing yet, the oldest first, makes way all the same.
      if (this.#connections >= connections) this.relief.connections(connections, now, now)
    }
    if (this.#connections >= connections) return 'connections'
    if (opening) {
      if (this.#handshakes >= Math.floor(handshakes * RELIEF_AT))
        this.relief.handshakes(handshakes, this.#now() - relievedAfterMs)
      if (this.#handshakes >= handshakes) this.relief.handshakes(handshakes, this.#now())
      if (this.#handshakes >= handshakes) return 'handshakes'
    }
    const place = new PlaceTaken(this, opening)
    const cause = address === null ? null : place.of(address)
    if (cause !== null) return cause
    this.count(1, opening ? 1 : 0)
    return place
  }

  count(connections: number, handshakes: number): void {
    this.#connections += connections
    this.#handshakes += handshakes
  }

  /** Null for an address without bounds. */
  enter(key: string, address: string, opening: boolean): Source | DropCause | null {
    if (this.#isExempt(address)) return null
    if (this.#isShut(address)) return 'address-requests'
    const source = this.#sources.get(key) ?? this.#sourceOf(address)
    if (source.connections >= source.connectionsMax) return 'address-connections'
    if (opening && source.handshakes >= source.handshakesMax) return 'address-handshakes'
    if (source.connections === 0) this.#sources.set(key, source)
    source.connections++
    if (opening) source.handshakes++
    return source
  }

  leave(key: string, source: Source): void {
    source.connections--
    if (source.connections === 0) this.#sources.delete(key)
  }

  #sourceOf(address: string): Source {
    const own = isLoopback(address)
    const { connectionsPerLoopbackAddress, connectionsPerAddress } = this.#bounds
    const { handshakesPerLoopbackAddress, handshakesPerAddress } = this.#bounds
    return {
      connections: 0,
      handshakes: 0,
      connectionsMax: own ? connectionsPerLoopbackAddress : connectionsPerAddress,
      handshakesMax: own ? handshakesPerLoopbackAddress : handshakesPerAddress,
    }
  }
}

class PlaceTaken implements Admitted {
  readonly #admission: Admission
  #opening: boolean
  #key = ''
  #source: Source | null = null
  #hasLeft = false

  constructor(admission: Admission, opening: boolean) {
    this.#admission = admission
    this.#opening = opening
  }

  of(address: string): DropCause | null {
    const key = sourceKey(address)
    const source = this.#admission.enter(key, address, this.#opening)
    if (typeof source === 'string') return source
    this.#key = key
    this.#source = source
    return null
  }

  settled(): void {
    if (!this.#opening) return
    this.#opening = false
    this.#admission.count(0, -1)
    if (this.#source !== null) this.#source.handshakes--
  }

  left(): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.settled()
    this.#admission.count(-1, 0)
    if (this.#source !== null) this.#admission.leave(this.#key, this.#source)
    this.#source = null
  }
}

/** IPv4: the address. IPv6: its /64, which is what one subscriber has (RFC 6177 2, RFC 4291 2.5.1). */
export function sourceKey(address: string): string {
  if (!address.includes(':') || address === '::1') return address
  const bytes = addressBytes(address)
  return bytes === null ? address : `${Buffer.from(bytes.subarray(0, 8)).toString('hex')}::/64`
}
