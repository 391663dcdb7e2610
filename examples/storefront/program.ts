//! What the sample's programs have in common: they read their settings from the environment, listen on loopback, tell
//! their port to the program that started them, and end with it.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const LISTEN_HOST = '127.0.0.1'

/** Of the environment. Ends the program with 2 and one line when it is not there. */
export function needed(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') {
    console.error(`storefront: ${name} is not set; the first lines of ${process.argv[1]} show how.`)
    process.exit(2)
  }
  return value
}

/**
 * Listens on `port`; `orAny`: on a free one when it is taken. Returns the port.
 * @throws the system's error when it cannot listen
 */
export async function listen(server: Server, port: number, { orAny }: { orAny: boolean }): Promise<number> {
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
    if (!orAny || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return attempt(0)
  }
}

/** Runs `stop` once, then ends: on a signal, and when the channel to the parent closes (it never outlives its parent). */
export function endWithParent(stop: () => Promise<void>): void {
  let ending = false
  const end = async (): Promise<void> => {
    if (ending) return
    ending = true
    await stop()
    process.exit(0)
  }
  process.on('SIGTERM', () => void end())
  process.on('SIGINT', () => void end())
  process.on('disconnect', () => void end())
  // The channel may have closed before anybody listened for that.
  if (process.connected === false) void end()
}
