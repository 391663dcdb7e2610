//! Checks of single settings, each with the words that tell a person what would be right.
import { accessSync, constants } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'

/** A setting is wrong: one line for a person; the program exits with 2. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConfigError'
  }
}

export interface ListenAddress {
  /** An IP address without brackets. */
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

const PORT_MAX = 65_535

/** `ADDRESS:PORT`, `[IPV6]:PORT`, `localhost:PORT`, or a port alone (on 127.0.0.1). */
export function listenAddress(text: string, name: string): ListenAddress {
  const [, v6, v4, alone] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? []
  const host = v6 ?? (v4 === undefined || v4 === 'localhost' ? '127.0.0.1' : v4)
  const port = Number(alone)
  const right = v6 === undefined ? isIP(host) === 4 : isIP(host) === 6
  if (alone === undefined || !right || port > PORT_MAX) {
    throw new ConfigError(
      `${name} is ${JSON.stringify(text)}: it must be ADDRESS:PORT, like 127.0.0.1:8080 or [::1]:0.`,
    )
  }
  return { host, port }
}

/** The same, or `none`. */
export const listenAddressOrNone = (text: string, name: string): ListenAddress | null =>
  text === 'none' ? null : listenAddress(text, name)

/** The way an address is written in a URL. */
export const showAddress = ({ host, port }: ListenAddress): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`

export const integer =
  (min: number, max: number) =>
  (text: string, name: string): number => {
    const value = Number(text)
    if (!/^\d{1,9}$/.test(text) || value < min || value > max) {
      throw new ConfigError(`${name} is ${JSON.stringify(text)}: it must be a whole number from ${min} to ${max}.`)
    }
    return value
  }

export function anyText(text: string, name: string): string {
  if (text === '') throw new ConfigError(`${name} is empty.`)
  return text
}

export function systemUser(text: string, name: string): string {
  if (!/^[A-Za-z_][\w.-]{0,31}\$?$/.test(text)) {
    throw new ConfigError(`${name} is ${JSON.stringify(text)}: it must be the name of a user of this system.`)
  }
  return text
}

export function accountId(text: string, name: string): string {
  if (!/^\d{12}$/.test(text)) throw new ConfigError(`${name} is ${JSON.stringify(text)}: it must be 12 digits.`)
  return text
}

export function region(text: string, name: string): string {
  if (!/^[a-z]{2,3}(-[a-z]+){1,3}-\d{1,2}$/.test(text)) {
    throw new ConfigError(`${name} is ${JSON.stringify(text)}: it must be a region like us-east-1.`)
  }
  return text
}

/** A DNS name in lower case, two labels or more (RFC 1035 2.3.1); at most 200 bytes, so that a distribution's fits. */
export function domain(text: string, name: string): string {
  const lower = text.toLowerCase()
  if (
    lower.length > 200 ||
    !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/.test(lower)
  ) {
    throw new ConfigError(`${name} is ${JSON.stringify(text)}: it must be a domain like cloudfront.localhost.`)
  }
  return lower
}

/** A Host header's name without a port, in lower case; one label will do (`api`, as in a network of containers). */
export function hostName(text: string, name: string): string {
  const lower = text.toLowerCase()
  if (lower.length > 253 || !/^[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/.test(lower)) {
    throw new ConfigError(`${name} is ${JSON.stringify(text)}: it must be a host name without a port, like aws.test.`)
  }
  return lower
}

/** 127.0.0.0/16 is left to everybody else. */
export function nodeNetwork(text: string, name: string): string {
  const [, n] = /^127\.(\d{1,3})\.0\.0\/16$/.exec(text) ?? []
  if (n === undefined || Number(n) < 1 || Number(n) > 254) {
    throw new ConfigError(`${name} is ${JSON.stringify(text)}: it must be 127.N.0.0/16 with N from 1 to 254.`)
  }
  return text
}

export function cidr(text: string, name: string): string {
  const [, address = '', bits] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? []
  const version = isIP(address)
  if (version === 0 || Number(bits) > (version === 4 ? 32 : 128)) {
    throw new ConfigError(`${name} is ${JSON.stringify(text)}: it must be a network like 10.0.0.0/8.`)
  }
  return text
}

/** `sg-web=10.1.0.0/16,127.0.0.0/8`: an id with that prefix, and IPv4 networks. */
export const namedNetworks =
  (prefix: string) =>
  (text: string, name: string): readonly [id: string, cidrs: readonly string[]] => {
    const [, id = '', networks = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? []
    const cidrs = networks.split(',').map((one) => one.trim())
    const right = new RegExp(`^${prefix}-[0-9a-z-]{1,40}$`).test(id)
    if (!right || cidrs.some((one) => isIP(one.split('/')[0] ?? '') !== 4)) {
      throw new ConfigError(
        `${name} is ${JSON.stringify(text)}: it must be ${prefix}-NAME=CIDR,... with IPv4 networks, like ` +
          `${prefix}-web=10.1.0.0/16,127.0.0.0/8 (cache nodes have IPv4 addresses).`,
      )
    }
    return [id, cidrs.map((one) => cidr(one, name))]
  }

/** Absolute path of a file that can be read. */
export function file(text: string, name: string): string {
  const absolute = resolve(text)
  try {
    accessSync(absolute, constants.R_OK)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : 'it cannot be read'
    throw new ConfigError(`${name} is ${JSON.stringify(text)}: ${why}.`)
  }
  return absolute
}

/** Where S3 buckets are reached: scheme, host and port, and what stands before the name of a bucket. */
export interface EndpointUrl {
  readonly scheme: 'http' | 'https'
  /** Name or address, without brackets. */
  readonly host: string
  readonly port: number
  /** Begins with a slash and does not end with one; empty for none. */
  readonly path: string
}

export function endpointUrl(text: string, name: string): EndpointUrl {
  const url = URL.parse(text)
  const scheme = url?.protocol === 'http:' ? 'http' : url?.protocol === 'https:' ? 'https' : null
  if (url === null || scheme === null || url.username !== '' || url.password !== '' || /[?#]/.test(text)) {
    throw new ConfigError(
      `${name} is ${JSON.stringify(url?.password ? url.origin : text)}: it must be a URL like http://127.0.0.1:9000, without user, query and fragment.`,
    )
  }
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port),
    path: url.pathname.replace(/\/+$/, ''),
  }
}

export const showEndpoint = ({ scheme, host, port, path }: EndpointUrl): string =>
  `${scheme}://${showAddress({ host, port })}${path}`

/** A directory that is an origin, `NAME.folder.cachefront`. */
export interface FolderOption {
  /** One label of a host name, lower case. */
  readonly name: string
  /** Absolute. */
  readonly directory: string
}

export function folder(text: string, name: string): FolderOption {
  const [, label, directory] = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)=(.+)$/s.exec(text) ?? []
  if (label === undefined || directory === undefined) {
    throw new ConfigError(
      `${name} is ${JSON.stringify(text)}: it must be NAME=DIR, like site=./public, with a name of small letters, digits and hyphens.`,
    )
  }
  return { name: label, directory: resolve(directory) }
}

/** Absolute path; `~` is the user's home directory. */
export function path(text: string, name: string, userHome: string, bytesMax: number): string {
  if (text === '') throw new ConfigError(`${name} is empty: it must be a directory.`)
  const absolute = resolve(text === '~' || text.startsWith('~/') ? `${userHome}${text.slice(1)}` : text)
  if (Buffer.byteLength(absolute) > bytesMax) {
    throw new ConfigError(`${name} is too long (${absolute}): Unix sockets below it allow ${bytesMax} bytes.`)
  }
  return absolute
}

/** One of a few words. */
export const oneOf =
  <const T extends string>(words: readonly T[]) =>
  (text: string, name: string): T => {
    const found = words.find((word) => word === text)
    if (found === undefined) throw new ConfigError(`${name} must be ${words.join(' or ')}.`)
    return found
  }
