//! Starts the API plane: loads the services, checks the options, listens.

import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../lib/clock.ts'
import type { AuditLog } from '../observe/audit-log.ts'
import { DoorMetrics } from '../services/cachefront/door-metrics.ts'
import type { KeyRing } from '../services/cachefront/key-ring.ts'
import type { LocalRoute } from '../services/cachefront/local-route.ts'
import type { ServiceContext } from '../services/service.ts'
import { isLoopback } from './access.ts'
import { Brake } from './brake.ts'
import { keysNeeded } from './keys-needed.ts'
import { Replays } from './replays.ts'
import { createApiServer } from './server.ts'
import { loadServices, type Tables } from './services.ts'

export interface ApiOptions {
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number }
  readonly services: Tables
  readonly context: ServiceContext
  readonly localRoutes: readonly LocalRoute[]
  /** Who may call; an admin among them is needed when keys are required, or `listen.host` is not loopback. */
  readonly keys: KeyRing
  /** Whether callers on loopback have to sign with a known key, too; they need not without. */
  readonly requireKeys?: boolean
  /** Where changes are written down; absent: nowhere. */
  readonly audit?: AuditLog
  readonly metrics?: DoorMetrics
  /** Host names to answer to besides IP addresses and localhost. */
  readonly allowedHosts: readonly string[]
  readonly clock: Clock
  /** How refusals of wrong keys are held back; a test need not wait. */
  readonly wait?: (ms: number) => Promise<void>
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
  const { requireKeys = false } = options
  if ((requireKeys || !listensOnLoopback) && !(await options.keys.hasAdmin())) {
    throw new Error(keysNeeded(requireKeys ? null : host))
  }
  const server = createApiServer({
    services: await loadServices(options.services),
    context: options.context,
    localRoutes: options.localRoutes,
    keys: options.keys,
    requireKeys,
    brake: new Brake(options.clock, options.wait ?? ((ms) => sleep(ms)), (address, failures) => {
      const time = new Date(options.clock.wall()).toISOString()
      options.log(JSON.stringify({ time, event: 'api-wrong-keys', address, failures }))
    }),
    replays: new Replays(options.clock),
    audit: options.audit ?? null,
    metrics: options.metrics ?? new DoorMetrics(),
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
