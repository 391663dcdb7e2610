//! Characters as the bytes that texts are made of.

/** UTF-8 of a code point, one character a byte; empty for what is none. */
export function utf8Of(point: number): string {
  if (point < 128) return String.fromCharCode(point)
  return point > 0x10_ff_ff ? '' : Buffer.from(String.fromCodePoint(point), 'utf8').toString('latin1')
}

/** One byte below 256, UTF-8 from there on: a character that is written as its number. */
export const byteOrUtf8 = (point: number): string => (point < 256 ? String.fromCharCode(point) : utf8Of(point))

/**
 * The byte that a 16-bit code stands for: a full-width form (FF01 to FF5E) is its ASCII character, of any other code only
 * the lower byte counts.
 */
export const byteOf16 = (code: number): string =>
  String.fromCharCode(code >= 0xff01 && code <= 0xff5e ? code - 0xfee0 : code & 0xff)
