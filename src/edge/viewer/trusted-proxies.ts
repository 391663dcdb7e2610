//! Who the viewer is behind proxies that the operator trusts (`--trusted-proxies`): the last entry of X-Forwarded-For,
//! read from the right, that is not one of them. A viewer can write what it likes into that field: what it wrote lies to
//! the left of its own address, which the first trusted proxy appended.
import { BlockList, isIP } from 'node:net'
import type { ViewerRequest } from '../listen/viewer.ts'

export interface SeenViewer {
  readonly address: string
  /** 0 when the proxy did not tell it. */
  readonly port: number
  /** What the viewer itself had in the field; empty for nothing. */
  readonly forwardedFor: string
}

export class TrustedProxies {
  readonly #networks = new BlockList()

  /** Of CIDRs. @throws TypeError for something else */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) {
      const [network = '', bits] = cidr.split('/')
      this.#networks.addSubnet(network, Number(bits), isIP(network) === 6 ? 'ipv6' : 'ipv4')
    }
  }

  /** Null when no trusted proxy has sent the request: the viewer is who is connected. Found once for a header block. */
  viewerOf({ connection, headers }: Pick<ViewerRequest, 'connection' | 'headers'>): SeenViewer | null {
    const { remoteAddress, remotePort } = connection
    if (!this.trusts(remoteAddress)) return null
    const known = headers.derived.get(this)
    if (known !== undefined) return known as SeenViewer
    const seen = this.#walk(headers.getAll('x-forwarded-for'), { address: remoteAddress, port: remotePort })
    headers.derived.set(this, seen)
    return seen
  }

  #walk(values: readonly string[], connected: { address: string; port: number }): SeenViewer {
    const entries = values
      .join(',')
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== '')
    let seen = connected
    while (entries.length > 0 && this.trusts(seen.address)) {
      const next = hopIn(entries.at(-1) as string)
      // A proxy that hides whom it speaks for (`unknown`) is the last one that is known.
      if (next === null) break
      entries.pop()
      seen = next
    }
    return { ...seen, forwardedFor: entries.join(', ') }
  }

  /** True for the address of one of them. */
  trusts(address: string): boolean {
    const kind = isIP(address)
    return kind !== 0 && this.#networks.check(address, kind === 6 ? 'ipv6' : 'ipv4')
  }
}

/** `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`; null for anything else. */
function hopIn(text: string): { address: string; port: number } | null {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = bracketed ?? plain ?? text
  if (isIP(address) === 0 || address.includes('%')) return null
  const number = Number(port ?? 0)
  return { address: address.replace(/^::ffff:(?=\d+\.)/i, ''), port: number <= 65_535 ? number : 0 }
}
