//! The address of a group that has IAM users: it ends TLS, exchanges their tokens (logins.ts), and leads each connection
//! on to an engine over TLS. Groups without such users have no front of this kind on their path.
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { joinSockets } from '../../lib/forward.ts'
import { dial } from '../dial.ts'
import { connectFirst, FrontListener, type ReaderFront, TLS_HANDSHAKE } from '../front.ts'
import type { Listening } from '../transit.ts'
import { ClientCommands } from './client-commands.ts'
import { exchangeLogin, type LoginsOptions } from './logins.ts'

/** A connection ends this long after its last login by a token (spec 6.5). Milliseconds. */
export const SESSION_MS = 12 * 60 * 60 * 1000
const DIAL_TIMEOUT_MS = 500

export interface IamFrontOptions {
  readonly address: string
  readonly port: number
  readonly targets: () => readonly string[]
  /** Ports of the engines; `plain` 0 where clients without TLS are refused. */
  readonly behind: () => Listening
  /** File of key and chain, PEM; null while there is none. */
  readonly certificateFile: () => string | null
  readonly pins: () => readonly string[]
  readonly logins: LoginsOptions
  /** A connection to the engine at `host` was ended because its login had expired. */
  readonly expired: (host: string) => void
  readonly sessionMs?: number
}

export function iamFront(options: IamFrontOptions): ReaderFront {
  let turn = 0
  const backends = new Map<Socket, string>()
  const order = (): readonly string[] => {
    const now = options.targets()
    const start = turn++
    return now.map((_, at) => now[(start + at) % now.length]!)
  }
  const know = (backend: Socket, host: string): void => {
    backends.set(backend, host)
    backend.once('close', () => backends.delete(backend))
  }
  const secure = (client: Socket): void => {
    const certificate = options.certificateFile()
    if (certificate === null) {
      client.destroy()
      return
    }
    const pem = readFileSync(certificate)
    const secureContext = createSecureContext({ key: pem, cert: pem, minVersion: 'TLSv1.2' })
    const tls = new TLSSocket(client, { isServer: true, secureContext })
    tls.on('error', () => client.destroy())
    void serveSecure(tls, order(), options, know).catch(() => client.destroy())
  }
  const plain = (client: Socket, first: Buffer): void => {
    client.pause()
    connectFirst(order(), options.behind().plain, (backend, host) => {
      if (backend === null || client.destroyed) {
        backend?.destroy()
        client.destroy()
        return
      }
      know(backend, host)
      backend.write(first)
      joinSockets(client, backend)
      client.resume()
    })
  }
  const listener = new FrontListener(options.address, options.port, (client) => {
    client.on('error', () => client.destroy())
    const left = (): void => void client.destroy()
    client.once('end', left)
    client.once('data', (first: Buffer) => {
      client.removeListener('end', left)
      if (first[0] !== TLS_HANDSHAKE) {
        // A token has no place in plain text: these clients have passwords.
        if (options.behind().plain === 0) client.destroy()
        else plain(client, first)
        return
      }
      client.pause()
      client.unshift(first)
      secure(client)
    })
  })
  return {
    open: () => listener.open(),
    close: () => listener.close(),
    keepOnly(kept) {
      for (const [backend, host] of backends) if (!kept.includes(host)) backend.destroy()
    },
  }
}

async function serveSecure(
  client: TLSSocket,
  hosts: readonly string[],
  options: IamFrontOptions,
  know: (backend: Socket, host: string) => void,
): Promise<void> {
  const { backend, host } = await firstOf(hosts, options, know)
  if (backend === null || client.destroyed) {
    backend?.destroy()
    client.destroy()
    return
  }
  let session: NodeJS.Timeout | null = null
  const end = (): void => {
    if (session !== null) clearTimeout(session)
    client.destroy()
    backend.destroy()
  }
  const loggedIn = (mayBeRefused: boolean): void => {
    if (session !== null) {
      // What the engine may have refused makes no session longer; without one, it may have begun one.
      if (mayBeRefused) return
      clearTimeout(session)
    }
    session = setTimeout(() => {
      options.expired(host)
      end()
    }, options.sessionMs ?? SESSION_MS).unref()
  }
  const commands = new ClientCommands((args, inTransaction) =>
    exchangeLogin(args, inTransaction, options.logins, loggedIn),
  )
  for (const stream of [client, backend, commands]) stream.on('error', end).on('close', end)
  client.pipe(commands).pipe(backend)
  backend.pipe(client)
}

async function firstOf(
  hosts: readonly string[],
  options: IamFrontOptions,
  know: (backend: Socket, host: string) => void,
): Promise<{ readonly backend: Socket | null; readonly host: string }> {
  for (const host of hosts) {
    try {
      const door = { address: host, port: options.behind().tls, tls: { pins: options.pins() } }
      const backend = await dial(door, DIAL_TIMEOUT_MS)
      know(backend, host)
      return { backend, host }
    } catch {
      // The next one, as for connections without TLS.
    }
  }
  return { backend: null, host: '' }
}
