//! The program of the shop: both origins in one process.
//!
//!   STOREFRONT_DATABASE=shop.db STOREFRONT_PRIMARY=127.16.0.1:6379 STOREFRONT_READER=127.16.0.2:6379 \
//!     node examples/storefront/server.ts
//!
//! STOREFRONT_SHOP_PORT and STOREFRONT_ASSETS_PORT choose the ports (on 127.0.0.1; a free one by default, and when the
//! chosen one is taken). The first line on standard output is JSON: {"shop": PORT, "assets": PORT}. Started with an
//! IPC channel, it ends when the channel closes: a shop does not outlive the program that started it.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAssets } from './assets.ts'
import { buildDatabase } from './database.ts'
import { DatabaseClient } from './database-client.ts'
import { ProductCache } from './product-cache.ts'
import type { Endpoint } from './replication-group.ts'
import { createShop } from './shop.ts'

const LISTEN_HOST = '127.0.0.1'
const REDIS_PORT = 6379
/** Longer than the edge keeps an idle connection (5 s by default), so that the edge is the one that closes it. */
const KEEP_ALIVE_MS = 65_000

function needed(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') {
    console.error(`storefront: ${name} is not set; the first lines of server.ts show how.`)
    process.exit(2)
  }
  return value
}

function endpoint(name: string): Endpoint {
  const [host = '', port = String(REDIS_PORT)] = needed(name).split(':')
  return { host, port: Number(port) }
}

/** Listens on `port`, or on a free one when it is taken; returns the port. */
async function listen(server: Server, port: number): Promise<number> {
  const attempt = (wanted: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(wanted, LISTEN_HOST, () => {
        server.off('error', reject)
        resolve((server.address() as AddressInfo).port)
      })
    })
  try {
    return await attempt(port)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return attempt(0)
  }
}

const file = needed('STOREFRONT_DATABASE')
const [primary, reader] = [endpoint('STOREFRONT_PRIMARY'), endpoint('STOREFRONT_READER')]
buildDatabase(file)
const database = new DatabaseClient(file)
const cache = new ProductCache(database, primary, reader)
const [shop, assets] = [createShop({ cache, database }), createAssets()]
for (const server of [shop, assets]) server.keepAliveTimeout = KEEP_ALIVE_MS

async function stop(): Promise<void> {
  shop.close()
  assets.close()
  shop.closeAllConnections()
  assets.closeAllConnections()
  await cache.close()
  await database.close()
  process.exit(0)
}

process.on('SIGTERM', () => void stop())
process.on('SIGINT', () => void stop())
process.on('disconnect', () => void stop())

const ports = {
  shop: await listen(shop, Number(process.env.STOREFRONT_SHOP_PORT ?? 0)),
  assets: await listen(assets, Number(process.env.STOREFRONT_ASSETS_PORT ?? 0)),
}
console.log(JSON.stringify(ports))
process.send?.(ports)
// The channel may have closed before anybody listened for that.
if (process.connected === false) void stop()
