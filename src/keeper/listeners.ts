//! Who listens where on this host, from /proc/net/tcp: to keep away from networks that are in use, and to name the
//! process that holds an address we need.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Listener {
  /** Dotted IPv4 address; `0.0.0.0` is every address. */
  readonly address: string
  readonly port: number
  /** Inode of the socket, which /proc/PID/fd names. */
  readonly inode: string
}

/** State of a listening socket in /proc/net/tcp. */
const LISTEN = '0A'

/** Parses the text of /proc/net/tcp; its addresses are little-endian hexadecimal. */
export function parseListeners(text: string): readonly Listener[] {
  const found: Listener[] = []
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    const [local, state, inode] = [fields[1], fields[3], fields[9]]
    if (local === undefined || inode === undefined || state !== LISTEN) continue
    const [host = '', port = ''] = local.split(':')
    const bytes = host.match(/../g) ?? []
    const address = bytes
      .map((byte) => Number.parseInt(byte, 16))
      .reverse()
      .join('.')
    found.push({ address, port: Number.parseInt(port, 16), inode })
  }
  return found
}

/** Listening IPv4 sockets of this network namespace; empty where there is no /proc. */
export function listeners(): readonly Listener[] {
  try {
    return parseListeners(readFileSync('/proc/net/tcp', 'utf8'))
  } catch {
    return []
  }
}

/** Who listens on `address:port`, the wildcard included: `process 4711 (redis-server)` for a person; null when nobody. */
export function holderOf(address: string, port: number): { readonly pid: number | null; readonly text: string } | null {
  const held = listeners().find((l) => l.port === port && (l.address === address || l.address === '0.0.0.0'))
  if (held === undefined) return null
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!hasSocket(pid, held.inode)) continue
    return { pid: Number(pid), text: `process ${pid} (${nameOf(pid)})` }
  }
  return { pid: null, text: 'a process of another user' }
}

function hasSocket(pid: string, inode: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`)
  } catch {
    return false
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return 'gone'
  }
}
