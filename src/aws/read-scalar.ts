//! Texts of the wire to values of the model's simple types, strictly.
import type { NormalizedSchema } from '@smithy/core/schema'
import { WireError } from './wire-error.ts'
import { UNSPEAKABLE } from './wire-node.ts'

export type Scalar = string | number | boolean | Date | Uint8Array

/** @throws WireError `type`; the text itself is not repeated, it may be a secret. */
export function readScalar(text: string, schema: NormalizedSchema, path: string): Scalar {
  for (const reader of READERS) if (reader.reads(schema)) return reader.read(text, path)
  throw new Error(`no reader for ${schema.getName(true)} at ${path}`)
}

interface ScalarReader {
  reads(schema: NormalizedSchema): boolean
  read(text: string, path: string): Scalar
}

const READERS: readonly ScalarReader[] = [
  { reads: (schema) => schema.isStringSchema(), read: readString },
  { reads: (schema) => schema.isBooleanSchema(), read: readBoolean },
  { reads: (schema) => schema.isNumericSchema(), read: readNumber },
  { reads: (schema) => schema.isTimestampSchema(), read: readTimestamp },
  { reads: (schema) => schema.isBlobSchema(), read: readBlob },
]

const mistyped = (path: string, wanted: string): WireError => new WireError('type', path, `${path} must be ${wanted}.`)

function readString(text: string, path: string): string {
  if (UNSPEAKABLE.test(text)) throw mistyped(path, 'text without control characters')
  return text
}

/** XML Schema's booleans; clients in Python also write `True` and `False`. */
function readBoolean(text: string, path: string): boolean {
  const word = text.trim().toLowerCase()
  if (word !== 'true' && word !== 'false') throw mistyped(path, 'true or false')
  return word === 'true'
}

/** The SDK's schemas have one kind of number; check-shape.ts knows which must be whole. */
function readNumber(text: string, path: string): number {
  const digits = text.trim()
  if (!/^[+-]?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?$/.test(digits)) throw mistyped(path, 'a number')
  const value = Number(digits)
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw mistyped(path, 'a number below 2^53')
  }
  return value
}

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/** RFC 3339, as both services write and read it (spec/cloudfront.md 1.1, spec/elasticache.md 1.1). */
function readTimestamp(text: string, path: string): Date {
  const found = RFC_3339.exec(text.trim())
  if (found === null || !isDay(Number(found[1]), Number(found[2]), Number(found[3]))) {
    throw mistyped(path, 'a time such as 2026-01-31T12:34:56Z')
  }
  return new Date(found[0].toUpperCase())
}

/** `Date` itself takes 30 February for 2 March. */
function isDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function readBlob(text: string, path: string): Uint8Array {
  const packed = text.replace(/[ \t\r\n]+/g, '')
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) throw mistyped(path, 'base64')
  return Buffer.from(packed, 'base64')
}
