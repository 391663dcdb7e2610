//! The program of the shop. It runs twice, as the two origins of a group: the shop, and the standby that the edge asks
//! when the shop fails. Both read the same database and the same cache.
//!
//!   STOREFRONT_DATABASE=shop.db STOREFRONT_PRIMARY=127.16.0.1:6379 STOREFRONT_READER=127.16.0.2:6379 \
//!     node examples/storefront/server.ts
//!
//! STOREFRONT_PORT chooses the port (on 127.0.0.1; a free one by default, and when the chosen one is taken), STOREFRONT_NAME
//! the name that answers have in `X-Server`. The first line on standard output is JSON: {"port": PORT}. Started with an IPC
//! channel, it ends when the channel closes: a shop does not outlive the program that started it.
import { buildDatabase } from './database.ts'
import { DatabaseClient } from './database-client.ts'
import { ProductCache } from './product-cache.ts'
import { endWithParent, listen, needed } from './program.ts'
import type { Endpoint } from './replication-group.ts'
import { createShop } from './shop.ts'

const REDIS_PORT = 6379
/** Longer than the edge keeps an idle connection (5 s by default), so that the edge is the one that closes it. */
const KEEP_ALIVE_MS = 65_000

function endpoint(name: string): Endpoint {
  const [host = '', port = String(REDIS_PORT)] = needed(name).split(':')
  return { host, port: Number(port) }
}

const file = needed('STOREFRONT_DATABASE')
const [primary, reader] = [endpoint('STOREFRONT_PRIMARY'), endpoint('STOREFRONT_READER')]
buildDatabase(file)
const database = new DatabaseClient(file)
const cache = new ProductCache(database, primary, reader)
const shop = createShop({ cache, database, name: process.env.STOREFRONT_NAME ?? 'shop' })
shop.keepAliveTimeout = KEEP_ALIVE_MS

endWithParent(async () => {
  shop.close()
  shop.closeAllConnections()
  await cache.close()
  await database.close()
})

const port = await listen(shop, Number(process.env.STOREFRONT_PORT ?? 0), { orAny: true })
console.log(JSON.stringify({ port }))
process.send?.({ port })
