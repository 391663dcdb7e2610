//! White space, null bytes, letters and command lines.

const WHITE = '[\\t\\n\\v\\f\\r ]'
/** A non-breaking space, as a byte of its own or in UTF-8; not the second byte of another character. */
const NBSP = '\\xc2\\xa0|(?<![\\xc2-\\xf4\\x80-\\xbf])\\xa0'
const RUN = new RegExp(`(?:${WHITE}|${NBSP})+`, 'g')

export const compressWhiteSpace = (text: string): string => text.replace(RUN, ' ')
export const removeWhitespace = (text: string): string => text.replace(RUN, '')
export const trimLeft = (text: string): string => text.replace(/^[\t\n\v\f\r ]+/, '')
export const trim = (text: string): string => trimLeft(trimRight(text))

/** Not by an expression: looking for white space that ends a text takes quadratic time. */
export function trimRight(text: string): string {
  let end = text.length
  while (end > 0 && isWhite(text.charCodeAt(end - 1))) end--
  return text.slice(0, end)
}

const isWhite = (code: number): boolean => code === 32 || (code >= 9 && code <= 13)

const NULL = '\0'
export const removeNulls = (text: string): string => (text.includes(NULL) ? text.replaceAll(NULL, '') : text)
export const replaceNulls = (text: string): string => (text.includes(NULL) ? text.replaceAll(NULL, ' ') : text)

/** ASCII letters alone: a byte of 128 and above is part of a character in UTF-8, not a letter. */
export const lowercase = (text: string): string =>
  /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text
export const uppercase = (text: string): string =>
  /[a-z]/.test(text) ? text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()) : text

/** Without what shells ignore: quotes, backslashes, carets; separators are spaces, one at a time, none before `/` and `(`. */
export const cmdLine = (text: string): string =>
  lowercase(
    text
      .replace(/[\\"'^]/g, '')
      .replace(/[,;\s]+/g, ' ')
      .replace(/ (?=[/(])/g, ''),
  )
