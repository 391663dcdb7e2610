//! Which addresses control and the workers take. The workers share theirs (SO_REUSEPORT), which would let them share it
//! with another installation of this user, too: so control first takes it alone for a moment. A port that stood for 0 is
//! kept: restarted and further workers need the same one, and workers are told what no origin may be.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer, isIP } from 'node:net'
import type { PopSettings } from '../config-topology.ts'
import { type ListenAddress, showAddress } from '../config-values.ts'
import type { PopListen } from '../edge/listeners.ts'
import { holderOf } from '../keeper/listeners.ts'
import { StartError } from './errors.ts'

export interface Listener {
  /** For the error message: `The API`. */
  readonly who: string
  /** Setting that chooses another, without `CACHEFRONT_`: `API_LISTEN`. */
  readonly variable: 'API_LISTEN' | 'HTTP_LISTEN' | 'HTTPS_LISTEN' | 'DNS_LISTEN'
  readonly wanted: ListenAddress
  /** True for the process of an earlier control's worker that still listens there: the address stays its. */
  readonly isOurs: (pid: number) => boolean
  /** `::` does not stand for IPv4 as well. */
  readonly ipv6Only?: boolean
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'this user may not use it (ports below 1024 need a right: docs/listeners.md, or start as root with --user)',
  EADDRNOTAVAIL: 'no interface of this machine has that address',
}

/** `keptAs` tells apart what one setting chooses several ports for. @throws StartError when another program has the address, or it cannot be had */
export async function chooseAddress(
  listener: Listener,
  ports: KeptPorts,
  keptAs: string = listener.variable,
): Promise<ListenAddress> {
  const { wanted, isOurs } = listener
  const { host } = wanted
  const kept = wanted.port === 0 ? ports.get(keptAs, wanted) : wanted.port
  const holder = kept === null ? null : holderOf(host, kept)
  if (kept !== null && holder?.pid != null && isOurs(holder.pid)) return { host, port: kept }
  if (wanted.port !== 0) return { host, port: await probe(listener, wanted.port) }
  const port = await probe(listener, kept ?? 0).catch(() => probe(listener, 0))
  ports.set(keptAs, wanted, port)
  return { host, port }
}

/**
 * Where the POPs listen: each at its own address, where the settings name one; else POP number N at the edge's address
 * plus N, or, where that cannot be had, at its port plus N (DESIGN 6). With port 0 each has a free port of its own.
 * @throws StartError as chooseAddress
 */
export async function choosePopAddresses(
  pops: readonly PopSettings[],
  { plain, secure }: { readonly plain: Listener; readonly secure: Listener | null },
  ports: KeptPorts,
): Promise<PopListen[]> {
  return Promise.all(
    pops.map(async (pop, at) => {
      const http = await choosePopAddress(pop, at, pop.http, plain, ports)
      const https = secure === null ? null : await choosePopAddress(pop, at, pop.https, secure, ports)
      const six = (listener: Listener, wanted: ListenAddress): Promise<ListenAddress> =>
        chooseAddress({ ...listener, wanted, ipv6Only: true }, ports, `${listener.variable} ${pop.name} IPv6`)
      const ipv6 = pop.ipv6 === null ? null : await six(plain, pop.ipv6)
      const host = pop.ipv6?.host
      const wanted =
        pop.ipv6Https ??
        (host === undefined || https === null ? null : { host, port: secure?.wanted.port === 0 ? 0 : https.port })
      const ipv6Https = secure === null || wanted === null ? null : await six(secure, wanted)
      return { ...pop, http, https, ipv6, ipv6Https }
    }),
  )
}

/** Of POP number `at`; `given` is what the settings name for it. */
async function choosePopAddress(
  { name }: PopSettings,
  at: number,
  given: ListenAddress | null,
  listener: Listener,
  ports: KeptPorts,
): Promise<ListenAddress> {
  const { wanted, variable } = listener
  const choose = (address: ListenAddress, as = `${variable} ${name}`): Promise<ListenAddress> =>
    chooseAddress({ ...listener, wanted: address }, ports, as)
  if (given !== null) return choose(given)
  if (at === 0) return choose(wanted, variable)
  const host = addressPlus(wanted.host, at)
  const own = host === null ? null : await choose({ host, port: wanted.port }).catch(() => null)
  const port = wanted.port === 0 ? 0 : wanted.port + at
  return own ?? choose({ host: wanted.host, port })
}

/** An IPv4 address so many further on; null for one that is all addresses, for IPv6, and past the end. */
export function addressPlus(host: string, more: number): string | null {
  if (isIP(host) !== 4 || host === '0.0.0.0') return null
  const number = host.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + more
  return number > 0xff_ff_ff_fe ? null : [24, 16, 8, 0].map((bits) => (number / 2 ** bits) & 255).join('.')
}

/** Listens alone for a moment and tells the port. */
function probe({ who, variable, wanted, ipv6Only = false }: Listener, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(listenError(who, { host: wanted.host, port }, error, variable)))
    server.listen({ host: wanted.host, port, exclusive: true, ipv6Only }, () => {
      const bound = server.address()
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : port))
    })
  })
}

/** One line: what cannot listen where, who holds the port, how to choose another. */
function listenError(who: string, address: ListenAddress, error: Error, variable: string): StartError {
  const { code = '' } = error as NodeJS.ErrnoException
  const holder = code === 'EADDRINUSE' ? holderOf(address.host, address.port) : null
  const why = code === 'EADDRINUSE' ? `${holder?.text ?? 'another program'} has it` : (WHY[code] ?? error.message)
  const flag = `--${variable.toLowerCase().replaceAll('_', '-')}`
  return new StartError(
    `${who} cannot listen on ${showAddress(address)}: ${why}. Choose another with ${flag} ADDRESS:PORT or ` +
      `CACHEFRONT_${variable} (port 0 takes a free one).`,
    error,
  )
}

/** True when the process is an edge worker of this home. */
export function isWorkerOf(home: string, pid: number): boolean {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return args.includes('worker') && args[args.indexOf('--home') + 1] === home
  } catch {
    return false
  }
}

/** Ports that were taken for port 0, by setting, in a file of the home. */
export class KeptPorts {
  readonly #file: string
  readonly #ports: Record<string, { readonly wanted: string; readonly port: number }>

  constructor(file: string) {
    this.#file = file
    this.#ports = readPorts(file)
  }

  /** Null unless one was taken for the same wish. */
  get(variable: string, wanted: ListenAddress): number | null {
    const kept = this.#ports[variable]
    return kept?.wanted === showAddress(wanted) && Number.isInteger(kept.port) ? kept.port : null
  }

  set(variable: string, wanted: ListenAddress, port: number): void {
    this.#ports[variable] = { wanted: showAddress(wanted), port }
    const next = `${this.#file}.new`
    writeFileSync(next, JSON.stringify(this.#ports), { mode: 0o600 })
    renameSync(next, this.#file)
  }
}

function readPorts(file: string): Record<string, { wanted: string; port: number }> {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return typeof content === 'object' && content !== null ? (content as Record<string, never>) : {}
  } catch {
    return {}
  }
}
