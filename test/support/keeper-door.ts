//! The keeper's own door to an engine, for scenarios that must look behind what clients may see.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import { ADMIN_USER } from '../../src/keeper/door.ts'

/** The admin password of the group in the ledger of the keeper of `home`. */
export function adminPasswordOf(home: string, group: string): string {
  const ledger = new DatabaseSync(join(home, 'keeper.db'), { readOnly: true })
  try {
    const select = ledger.prepare("select body from secret where group_id = ? and name = 'admin'")
    return (select.get(group) as { readonly body: string }).body
  } finally {
    ledger.close()
  }
}

/** The value of a directive in the running engine at `host`. */
export async function settingOf(home: string, group: string, host: string, name: string): Promise<string | undefined> {
  const admin = await adminAt(home, group, host)
  const [, value] = (await admin.config('GET', name)) as string[]
  admin.disconnect()
  return value
}

/** A connection to the engine at `host` as the keeper has it, without retries. */
export async function adminAt(home: string, group: string, host: string, port = 6379): Promise<Redis> {
  const admin = new Redis({
    host,
    port,
    username: ADMIN_USER,
    password: adminPasswordOf(home, group),
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  })
  admin.on('error', () => {})
  await admin.connect()
  return admin
}
