//! URL_DECODE and URL_DECODE_UNI. What is not well encoded stays as it is; `+` is a space, as in forms and queries.
import { byteOf16 } from './bytes.ts'

const byte = (hex: string): string => String.fromCharCode(Number.parseInt(hex, 16))
const isEncoded = (text: string): boolean => text.includes('%') || text.includes('+')

export const urlDecode = (text: string): string =>
  isEncoded(text)
    ? text.replace(/\+|%([0-9A-Fa-f]{2})/g, (_, hex: string | undefined) => (hex === undefined ? ' ' : byte(hex)))
    : text

/** `%uHHHH`, too, which some servers take. */
export const urlDecodeUni = (text: string): string =>
  isEncoded(text)
    ? text.replace(
        /\+|%(?:[uU]([0-9A-Fa-f]{4})|([0-9A-Fa-f]{2}))/g,
        (_, wide: string | undefined, hex: string | undefined) =>
          wide === undefined ? (hex === undefined ? ' ' : byte(hex)) : byteOf16(Number.parseInt(wide, 16)),
      )
    : text
