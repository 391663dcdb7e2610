//! Bodies in application/x-www-form-urlencoded (WHATWG URL 5): split at `&`, names and values decoded from `+` and `%xx`.
//! Text is one character a byte throughout: what is not encoded goes on byte for byte. PURE.
import { FIELD_LIMITS, type FieldStatus } from '../../domain/field-encryption.ts'

/** A field whose value is to be encrypted. */
export interface FormField<Entity> {
  /** Decoded. */
  readonly name: string
  readonly value: Buffer
  readonly entity: Entity
}

/** A body in pieces, in order: text that goes on as it is, and values in between that are to be replaced. */
export interface FormPlan<Entity> {
  readonly pieces: readonly (string | FormField<Entity>)[]
  readonly fields: readonly FormField<Entity>[]
}

/** A percent sign that begins no encoded byte. */
const BAD_PERCENT = /%(?![0-9A-Fa-f]{2})/
/** No serializer leaves control characters as they are (WHATWG URL 5.2). */
const BAD_CHARACTER = /[\x00-\x1f\x7f]/

/**
 * Finds the fields of `body` that `entityOf` has a key for. A name is compared as it is decoded, so that no encoding of it
 * goes past its pattern; a repeated name is encrypted each time, and a field without `=` has an empty value.
 */
export function planForm<Entity>(
  body: string,
  entityOf: (name: string) => Entity | null,
): FormPlan<Entity> | Extract<FieldStatus, 'MalformedInputClientError' | `Field${string}LimitClientError`> {
  if (BAD_CHARACTER.test(body) || BAD_PERCENT.test(body)) return 'MalformedInputClientError'
  const pieces: (string | FormField<Entity>)[] = []
  const fields: FormField<Entity>[] = []
  /** From where on the body goes on as it is. */
  let from = 0
  /** The next `=` at or behind where we are: looked for once, or a body of ampersands alone takes seconds. */
  let equals = -1
  for (let at = 0; at < body.length; ) {
    const end = nextOf(body, '&', at)
    if (equals < at) equals = nextOf(body, '=', at)
    const nameEnd = Math.min(equals, end)
    const name = nameEnd === at ? '' : decoded(body.slice(at, nameEnd))
    const entity = name === '' ? null : entityOf(name)
    if (entity !== null) {
      const value = Buffer.from(decoded(body.slice(nameEnd + 1, Math.max(nameEnd + 1, end))), 'latin1')
      if (value.length > FIELD_LIMITS.valueBytes) return 'FieldLengthLimitClientError'
      if (fields.length === FIELD_LIMITS.fields) return 'FieldNumberLimitClientError'
      const field = { name, value, entity }
      fields.push(field)
      pieces.push(`${body.slice(from, nameEnd)}=`, field)
      from = end
    }
    at = end + 1
  }
  if (from < body.length) pieces.push(body.slice(from))
  return { pieces, fields }
}

/** Length of the text when there is none. */
function nextOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at < 0 ? text.length : at
}

/** One part of a form or of a query string; null when a percent sign in it begins no encoded byte. */
export const formDecoded = (text: string): string | null => (BAD_PERCENT.test(text) ? null : decoded(text))

const decoded = (text: string): string =>
  !/[+%]/.test(text)
    ? text
    : text
        .replaceAll('+', ' ')
        .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))

/** Base64 as a value of a form: its three characters that mean something there are encoded. */
export const base64Value = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('base64')
    .replaceAll('+', '%2B')
    .replaceAll('/', '%2F')
    .replaceAll('=', '%3D')
