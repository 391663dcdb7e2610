//! Backslash escapes: ESCAPE_SEQ_DECODE (ANSI C), CSS_DECODE, JS_DECODE.
import { byteOf16 } from './bytes.ts'

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const byte = (digits: string, base: number): string => String.fromCharCode(Number.parseInt(digits, base) & 0xff)

/** What is no valid sequence stays. */
export function escapeSeqDecode(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(
    /\\(?:x([0-9A-Fa-f]{2})|0?([0-7]{1,3})|([abfnrtv])|([\\?'"]))/g,
    (_, hex?: string, octal?: string, letter?: string, mark?: string) => {
      if (hex !== undefined) return byte(hex, 16)
      if (octal !== undefined) return byte(octal, 8)
      return letter === undefined ? (mark as string) : (SIMPLE[letter] as string)
    },
  )
}

/** The last two bytes of an escape count; a backslash before anything else goes (`ja\vascript`), one before a line end too. */
export function cssDecode(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(
    /\\(?:([0-9A-Fa-f]{1,6})(?:\r\n|[ \t\r\n\f])?|(\r\n|\n)|([\s\S]?))/g,
    (_, hex?: string, lineEnd?: string, other?: string) => {
      if (hex !== undefined) return byteOf16(Number.parseInt(hex, 16) & 0xffff)
      return lineEnd === undefined ? (other ?? '') : ''
    },
  )
}

/** `\uHHHH`, `\u{H}`, `\xHH`, octal, letters; a backslash before anything else goes, as JavaScript has it. */
export function jsDecode(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(
    /\\(?:u\{0*([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-3]?[0-7]{1,2})|([abfnrtv])|(\r\n|[\s\S]?))/g,
    (_, point?: string, wide?: string, hex?: string, octal?: string, letter?: string, other?: string) => {
      if (point !== undefined || wide !== undefined) return byteOf16(Number.parseInt((point ?? wide) as string, 16))
      if (hex !== undefined) return byte(hex, 16)
      if (octal !== undefined) return byte(octal, 8)
      if (letter !== undefined) return SIMPLE[letter] as string
      // A line goes on.
      return other === '\n' || other === '\r\n' ? '' : (other ?? '')
    },
  )
}
