//! How a client command finds the running installation: `up` writes its addresses into the home, 0600.
import { readFileSync } from 'node:fs'
import { type MachineLock, tryMachineLock } from '../lib/machine-lock.ts'
import { CliError, type CliHost } from './host.ts'

/** What `up` writes when it listens. */
export interface InstallationFile {
  /** Process of control; with its start time, as pids are used again. */
  readonly pid: number
  readonly startTime: string
  readonly bootId: string
  readonly version: string
  /** `http://address:port` */
  readonly api: string
  /** `address:port` of the first POP. */
  readonly edge: string
  /** The same over HTTPS; null for none. Absent in a file of an earlier version. */
  readonly edgeHttps?: string | null
  readonly region: string
}

/** Null when nothing was ever started on this home. */
export function readInstallationFile(file: string): InstallationFile | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as InstallationFile
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`)
  }
}

/** The lock of the one writer that a home's state has; null while control, or another command, holds it. */
export const controlLock = (home: string): Promise<MachineLock | null> => tryMachineLock(`control ${home}`)

/** Options that every client command has. */
export interface ClientOptions {
  readonly home?: string
  readonly endpoint?: string
  readonly json?: boolean
}

/** `http://address:port` of the API: --endpoint, then CACHEFRONT_ENDPOINT, then what `up` wrote. */
export function findEndpoint(host: CliHost, options: ClientOptions): string {
  const given = options.endpoint ?? host.endpoint
  if (given !== undefined) return checkEndpoint(given)
  const home = host.home(options.home)
  const found = readInstallationFile(host.files(home).installation)
  if (found === null)
    throw new CliError(`Nothing runs on ${home}: start it with \`cachefront up\`, or name another --home.`)
  return found.api
}

function checkEndpoint(text: string): string {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CliError(`${JSON.stringify(text)} is no endpoint: it must be a URL like http://127.0.0.1:4566.`, 2)
  }
  return url.origin
}
