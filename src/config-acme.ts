//! Options that say where certificates come from: the installation's own authority, or a public one by ACME.
import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from './config-values.ts'

export interface AcmeSettings {
  /** URL of the server's directory (RFC 8555 7.1.1). */
  readonly directory: string
  /** Mail addresses that the authority may write to. */
  readonly contacts: readonly string[]
  /** Files (PEM), absolute: whom the server may have its own certificate from, besides public authorities. */
  readonly authorities: readonly string[]
  /** External account binding (7.3.4); null for none. `key` base64url. */
  readonly external: { readonly kid: string; readonly key: string } | null
  /** Program that puts up TXT records, absolute; null for none. */
  readonly dnsHook: string | null
}

export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'

export function acmeDirectory(text: string, from: string): string {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new ConfigError(`${from} must be the https:// URL of an ACME server's directory, like ${LETS_ENCRYPT}.`)
  }
  return url.href
}

export function mailAddress(text: string, from: string): string {
  if (text.length <= 254 && /^[^\s@,;:?<>"]+@[^\s@,;:?<>"]+\.[^\s@,;:?<>"]+$/.test(text)) return text
  throw new ConfigError(`${from} is ${JSON.stringify(text)}: it must be a mail address, like ops@example.com.`)
}

/** The value itself is a secret. */
export function hmacKey(text: string, from: string): string {
  if (/^[A-Za-z0-9_-]{16,}={0,2}$/.test(text)) return text.replace(/=+$/, '')
  throw new ConfigError(`${from} must be a key in base64url, as the authority gives it out.`)
}

/** Absolute path of a program. */
export function program(text: string, from: string): string {
  const absolute = resolve(text)
  try {
    accessSync(absolute, constants.X_OK)
    if (statSync(absolute).isFile()) return absolute
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new ConfigError(
      `${from} is ${JSON.stringify(text)}: ${missing ? 'there is no such file' : 'it may not be run'}.`,
    )
  }
  throw new ConfigError(`${from} is ${JSON.stringify(text)}: it is no program.`)
}

/** @throws ConfigError for half a binding */
export function externalAccount(kid: string | null, key: string | null): AcmeSettings['external'] {
  if (kid === null && key === null) return null
  if (kid !== null && key !== null) return { kid, key }
  const [has, lacks] = kid === null ? ['EAB_KEY', 'EAB_KID'] : ['EAB_KID', 'EAB_KEY']
  throw new ConfigError(`CACHEFRONT_ACME_${has} is set and CACHEFRONT_ACME_${lacks} is not: set both, or neither.`)
}
