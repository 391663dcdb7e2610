//! The texts within a body: the values of a form, of JSON and of multipart, each by itself, because a value in its place says
//! something else than the whole. What a body is, its first characters say: its sender would choose Content-Type so that
//! nothing is found. One character a byte; linear in the body.
import { escapesDecoded } from './variants.ts'

/** @param contentType of the request; its boundary is one of those that are tried */
export function bodyTexts(body: string, contentType: string): string[] {
  const texts: string[] = []
  const boundary = boundaryOf(body, contentType)
  if (/^\s*[[{"]/.test(body)) addJson(body, texts)
  else if (boundary !== null) addParts(body, boundary, texts)
  else if (!FORM.test(body)) texts.push(body)
  if (body.includes('=')) addPairs(body, texts)
  return texts
}

/** The name of a form's first field: then there is nothing that only the whole says. */
const FORM = /^[\w.~$*+%:[\]-]{1,256}=/

/** Names and values of pairs as in a query. */
export function addPairs(text: string, texts: string[]): void {
  for (const pair of text.split('&')) {
    const at = pair.indexOf('=')
    if (at < 0) texts.push(pair)
    else texts.push(pair.slice(0, at), pair.slice(at + 1))
  }
}

/**
 * All strings, names among them, and what stands between them. Not a parser: what one parser refuses another takes, and of
 * two members of one name each takes another.
 */
function addJson(body: string, texts: string[]): void {
  let between = ''
  let from = 0
  for (const found of body.matchAll(/"((?:[^"\\]|\\[\s\S])*)(?:"|\\?$)/g)) {
    const [whole, inner = ''] = found
    texts.push(inner.includes('\\') ? escapesDecoded(inner) : inner)
    between += `${body.slice(from, found.index)} `
    from = found.index + whole.length
  }
  texts.push(between + body.slice(from))
}

/** RFC 2046 5.1.1: of Content-Type, or the line that the body begins with. */
function boundaryOf(body: string, contentType: string): string | null {
  const named = /boundary="?([^";,\s]{1,200})/i.exec(contentType)?.[1]
  if (named !== undefined && body.includes(`--${named}`)) return named
  return /^\s*--([^\r\n]{1,200})\r?\n/.exec(body)?.[1] ?? null
}

/** Heads of the parts, the names in them, and what is in the parts. */
function addParts(body: string, boundary: string, texts: string[]): void {
  for (const part of body.split(`--${boundary}`)) {
    const end = /\r?\n\r?\n/.exec(part)
    const head = end === null ? part : part.slice(0, end.index)
    for (const [, value = ''] of head.matchAll(/=\s*"?((?:[^";\\]|\\[\s\S])*)/g)) texts.push(value)
    if (end !== null) texts.push(part.slice(end.index + end[0].length).replace(/\r?\n$/, ''))
    else texts.push(part.trim())
  }
}
