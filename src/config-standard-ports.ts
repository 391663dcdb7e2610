//! `--standard-ports`: HTTP on port 80 and HTTPS on port 443, at one address unless the settings name two.
import { isIP } from 'node:net'
import { ConfigError, type ListenAddress, listenAddress } from './config-values.ts'

/** What an option was given, and where. */
interface Said {
  readonly values: readonly string[]
  readonly from: string
}

const HTTP_PORT = 80
const HTTPS_PORT = 443

/** @throws ConfigError for an address with another port */
export function standardPorts(
  http: Said | undefined,
  https: Said | undefined,
): { readonly httpListen: ListenAddress; readonly httpsListen: ListenAddress | null } {
  const httpListen = http === undefined ? { host: '127.0.0.1', port: HTTP_PORT } : addressAt(http, HTTP_PORT)
  if (https === undefined) return { httpListen, httpsListen: { host: httpListen.host, port: HTTPS_PORT } }
  return { httpListen, httpsListen: https.values.at(-1) === 'none' ? null : addressAt(https, HTTPS_PORT) }
}

/** An address alone, or with that port. */
function addressAt({ values, from }: Said, port: number): ListenAddress {
  const text = values.at(-1) ?? ''
  const alone = text.replace(/^\[(.*)\]$/, '$1')
  if (isIP(alone) !== 0) return { host: alone, port }
  const address = listenAddress(text === 'localhost' ? `localhost:${port}` : text, from)
  if (address.port === port) return address
  throw new ConfigError(
    `${from} is ${JSON.stringify(text)}, and --standard-ports puts it on port ${port}: give the address alone, or leave ` +
      '--standard-ports out.',
  )
}
