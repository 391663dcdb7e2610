//! Encodings of bytes as text, and digests (raw bytes, as AWS has them).
import { createHash } from 'node:crypto'

/** As far as it is base64; either alphabet. */
export const base64Decode = (text: string): string => fromBase64(/^[A-Za-z0-9+/_-]*/.exec(text)?.[0] ?? '')

/** Whatever is no base64 in between is left out. */
export const base64DecodeExt = (text: string): string => fromBase64(text.replace(/[^A-Za-z0-9+/_-]+/g, ''))

const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString('latin1')

/** As far as it is pairs of digits. */
export const hexDecode = (text: string): string => fromHex(/^(?:[0-9A-Fa-f]{2})*/.exec(text)?.[0] ?? '')

const fromHex = (digits: string): string => Buffer.from(digits, 'hex').toString('latin1')

/** `0x414243` */
export const sqlHexDecode = (text: string): string =>
  /0x/i.test(text) ? text.replace(/0x((?:[0-9A-Fa-f]{2})+)/gi, (_, digits: string) => fromHex(digits)) : text

export const md5 = (text: string): string => digest('md5', text)
export const sha256 = (text: string): string => digest('sha256', text)
const digest = (name: string, text: string): string => createHash(name).update(text, 'latin1').digest('latin1')

/** Characters of several bytes as `%uHHHH`; bytes that are no UTF-8 stay. */
export function utf8ToUnicode(text: string): string {
  if (!/[\x80-\xff]/.test(text)) return text
  return text.replace(SEQUENCE, (sequence) => {
    const decoded = Buffer.from(sequence, 'latin1').toString('utf8')
    // Overlong forms, surrogates: nothing that a decoder takes.
    if (decoded.includes('\ufffd')) return sequence
    return `%u${(decoded.codePointAt(0) as number).toString(16).padStart(4, '0')}`
  })
}

const SEQUENCE = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g
