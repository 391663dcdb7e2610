//! CloudFront's alphabet for what stands in URLs and cookies (spec/cloudfront.md 9.4): that of base64 with `-` for `+`, `_`
//! for `=` and `~` for `/`. It is not base64url, where `_` is a digit. PURE.

const FORM = /^(?:[A-Za-z0-9\-~]{4})*(?:[A-Za-z0-9\-~]{2}__|[A-Za-z0-9\-~]{3}_)?$/
const PLAIN: Readonly<Record<string, string>> = { '-': '+', _: '=', '~': '/' }

/**
 * The bytes; null for text in another alphabet, without its padding, or with bits behind the last byte: the same bytes
 * have one text, so that none can be changed into another that is as good.
 */
export function decodeSigned(text: string): Buffer | null {
  if (text === '' || !FORM.test(text)) return null
  const plain = text.replace(/[-_~]/g, (digit) => PLAIN[digit] as string)
  const bytes = Buffer.from(plain, 'base64')
  return bytes.toString('base64') === plain ? bytes : null
}
