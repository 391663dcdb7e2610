//! Structures of the SDK to what JSON holds of them, and back. SearchString is the one member of bytes in what is stored;
//! a contract test asks the SDK's schemas whether that is still so.
import type { Stored } from '../../domain/waf/web-acl.ts'

const BYTES = 'SearchString'

/** Bytes become base64; what is undefined is left out. */
export function stored<T>(value: T): Stored<T> {
  return toStored(value) as Stored<T>
}

function toStored(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(toStored)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, toStored(member)]),
  )
}

/** The structure as the SDK's schemas take it. */
export function shown<T>(value: Stored<T>): T {
  return toShown(value, '') as T
}

function toShown(value: unknown, name: string): unknown {
  if (name === BYTES) return Buffer.from(String(value), 'base64')
  if (Array.isArray(value)) return value.map((item) => toShown(item, ''))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([inner, member]) => [inner, toShown(member, inner)]))
}
