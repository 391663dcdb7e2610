//! Starts the API plane: loads the services, checks the options, listens.

import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { KeyPair } from '../aws/sigv4.ts'
import type { Clock } from '../lib/clock.ts'
import type { LocalRoute } from '../services/cachefront/local-route.ts'
import type { ServiceContext } from '../services/service.ts'
import { isLoopback } from './access.ts'
import { createApiServer } from './server.ts'
import { loadServices, type Tables } from './services.ts'

export interface ApiOptions {
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number }
  readonly services: Tables
  readonly context: ServiceContext
  readonly localRoutes: readonly LocalRoute[]
  /** Required when `listen.host` is not loopback. */
  readonly keyPair: KeyPair | null
  /** Host names to answer to besides IP addresses and localhost. */
  readonly allowedHosts: readonly string[]
  readonly clock: Clock
  /** Takes one JSON document a call, without a line end. */
  readonly log: (line: string) => void
}

export interface Api {
  readonly address: { readonly host: string; readonly port: number }
  /** Takes no new call, lets running ones end (up to `CLOSE_GRACE_MS`), then resolves. */
  close(): Promise<void>
}

/** How long calls that run at the end may take. */
const CLOSE_GRACE_MS = 5_000

/**
 * @throws Error with one line for a person: no key pair beyond loopback, a port in use, an address that is not here;
 * and when a table names an operation that is not in the model (a defect)
 */
export async function createApi(options: ApiOptions): Promise<Api> {
  const { host, port } = options.listen
  const listensOnLoopback = await resolvesToLoopback(host)
  if (!listensOnLoopback && options.keyPair === null) {
    throw new Error(
      `The API would be open to the network at ${host}: set CACHEFRONT_ACCESS_KEY_ID and ` +
        'CACHEFRONT_SECRET_ACCESS_KEY, or listen on 127.0.0.1.',
    )
  }
  const server = createApiServer({
    services: await loadServices(options.services),
    context: options.context,
    localRoutes: options.localRoutes,
    keyPair: options.keyPair,
    allowedHosts: new Set(options.allowedHosts.map((name) => name.toLowerCase())),
    listensOnLoopback,
    clock: options.clock,
    log: options.log,
  })
  await listen(server, host, port)
  const bound = server.address() as AddressInfo
  return { address: { host: bound.address, port: bound.port }, close: () => close(server) }
}

/** A name counts as loopback when every address of it is. */
async function resolvesToLoopback(host: string): Promise<boolean> {
  try {
    const addresses = await lookup(host, { all: true })
    return addresses.length > 0 && addresses.every(({ address }) => isLoopback(address))
  } catch {
    return false
  }
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it',
  EACCES: 'this user may not use it',
  EADDRNOTAVAIL: 'no interface of this machine has that address',
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    const why = LISTEN_PROBLEMS[code] ?? code
    const message = `The API cannot listen on ${host} port ${port}: ${why}. Choose another with CACHEFRONT_API_LISTEN.`
    throw new Error(message, { cause: error })
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS)
  await closed
  clearTimeout(cut)
}
