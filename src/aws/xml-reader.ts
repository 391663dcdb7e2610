//! A strict reader for the XML that AWS clients send: one root, UTF-8, bounded depth, no document type, no entities but
//! the five of XML and character references. The SDK's own parser trusts its server and skips what it does not know
//! (document types, text after the root, unknown entities); a server cannot.

import { WireError } from './wire-error.ts'
import type { WireNode } from './wire-node.ts'
import { UNSPEAKABLE } from './wire-node.ts'

/** Levels of nesting; the deepest shape of the CloudFront model has ten. */
const DEPTH_MAX = 40

export interface XmlRoot extends WireNode {
  /** The default namespace of the root element; empty for none. */
  readonly namespace: string
}

interface Open {
  readonly name: string
  readonly children: WireNode[]
  text: string
}

const SPACE = /[ \t\n]*/y
const START_TAG =
  /<([A-Za-z_][\w.-]*)((?:[ \t\n]+[A-Za-z_][\w.:-]*[ \t\n]*=[ \t\n]*(?:"[^"<]*"|'[^'<]*'))*)[ \t\n]*(\/?)>/y
const END_TAG = /<\/([A-Za-z_][\w.-]*)[ \t\n]*>/y
const ATTRIBUTE = /([A-Za-z_][\w.:-]*)[ \t\n]*=[ \t\n]*(?:"([^"]*)"|'([^']*)')/g
const DECLARATION =
  /<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*["']1\.\d["'](?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*["'](?:utf-8|us-ascii)["'])?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*["'](?:yes|no)["'])?[ \t\n]*\?>/iy
/** Namespaces and schema hints say nothing about a value; any other attribute would be one. */
const HARMLESS_ATTRIBUTE = /^(?:xmlns$|xmlns:|xsi:|xml:)/

/** @throws WireError `malformed` or `unknown` (attributes). */
export function readXml(bytes: Uint8Array): XmlRoot {
  const text = decodeUtf8(bytes).replace(/\r\n?/g, '\n')
  if (UNSPEAKABLE.test(text)) throw malformed('it has a control character')
  return new XmlReader(text).read()
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformed('it is not UTF-8')
  }
}

const malformed = (why: string): WireError => new WireError('malformed', '', `The body is not well-formed XML: ${why}.`)

class XmlReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): XmlRoot {
    this.#match(DECLARATION)
    this.#misc()
    const start = this.#match(START_TAG)
    if (start === null) throw this.#stray()
    const namespace = this.#namespace(start)
    const root = start[3] === '/' ? { name: start[1]!, text: '', children: [] } : this.#content(start[1]!)
    this.#misc()
    if (this.#at < this.#text.length) throw malformed('something follows the root element')
    return { ...root, namespace }
  }

  /** Everything inside the root, without recursion: depth costs an array entry, not a stack frame. */
  #content(rootName: string): WireNode {
    const open: Open[] = [{ name: rootName, children: [], text: '' }]
    for (;;) {
      const top = open.at(-1)!
      const markup = this.#text.indexOf('<', this.#at)
      if (markup < 0) throw malformed(`<${top.name}> is not closed`)
      if (markup > this.#at) top.text += resolveEntities(this.#text.slice(this.#at, markup))
      this.#at = markup
      const end = this.#match(END_TAG)
      if (end !== null) {
        if (end[1] !== top.name) throw malformed(`</${end[1]}> closes <${top.name}>`)
        open.pop()
        if (open.length === 0) return top
        open.at(-1)!.children.push(top)
        continue
      }
      const start = this.#match(START_TAG)
      if (start !== null) {
        this.#namespace(start)
        const node: Open = { name: start[1]!, children: [], text: '' }
        if (start[3] === '/') top.children.push(node)
        else if (open.length >= DEPTH_MAX) throw malformed(`it nests more than ${DEPTH_MAX} elements`)
        else open.push(node)
      } else if (this.#text.startsWith('<![CDATA[', this.#at)) {
        this.#at += 9
        top.text += this.#to(']]>', 'a CDATA section')
      } else if (!this.#comment()) {
        throw this.#stray()
      }
    }
  }

  /** Checks the attributes of a start tag and returns its default namespace. */
  #namespace(start: RegExpExecArray): string {
    let namespace = ''
    const seen = new Set<string>()
    for (const [, name, double, single] of start[2]!.matchAll(ATTRIBUTE)) {
      if (seen.has(name!)) throw malformed(`<${start[1]}> has the attribute ${name} twice`)
      seen.add(name!)
      if (!HARMLESS_ATTRIBUTE.test(name!)) {
        throw new WireError('unknown', start[1]!, `The attribute ${name} of <${start[1]}> is not known.`)
      }
      if (name === 'xmlns') namespace = resolveEntities(double ?? single ?? '')
    }
    return namespace
  }

  /** Skips space and comments, outside the root. */
  #misc(): void {
    do this.#match(SPACE)
    while (this.#comment())
  }

  #comment(): boolean {
    if (!this.#text.startsWith('<!--', this.#at)) return false
    this.#at += 4
    this.#to('-->', 'a comment')
    return true
  }

  #to(stop: string, what: string): string {
    const end = this.#text.indexOf(stop, this.#at)
    if (end < 0) throw malformed(`${what} is not closed`)
    const inside = this.#text.slice(this.#at, end)
    this.#at = end + stop.length
    return inside
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at = pattern.lastIndex
    return found
  }

  #stray(): WireError {
    const rest = this.#text.slice(this.#at, this.#at + 9)
    if (rest.toUpperCase() === '<!DOCTYPE')
      return malformed('it has a document type declaration, which is not accepted')
    if (rest.startsWith('<?')) return malformed('it has a processing instruction, which is not accepted')
    return malformed(
      this.#at >= this.#text.length ? 'it ends too early' : `character ${this.#at + 1} begins no element`,
    )
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Longest name between & and ; that is looked at. */
const REFERENCE_CHARS_MAX = 10

function resolveEntities(text: string): string {
  let resolved = ''
  let from = 0
  // A loop, not one replace: the first bad reference of a million ends it.
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', from)) {
    const end = text.slice(at + 1, at + 2 + REFERENCE_CHARS_MAX).indexOf(';')
    if (end <= 0) throw malformed('a bare & must be written &amp;')
    const name = text.slice(at + 1, at + 1 + end)
    resolved += text.slice(from, at) + referenced(name)
    from = at + name.length + 2
  }
  return resolved + text.slice(from)
}

function referenced(name: string): string {
  if (Object.hasOwn(ENTITIES, name)) return ENTITIES[name]!
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name)
  if (digits === null) throw malformed(`&${name}; is not a reference that is accepted`)
  return characterOf(digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16), `&${name};`)
}

function characterOf(code: number, whole: string): string {
  const surrogate = code >= 0xd800 && code <= 0xdfff
  if (code > 0x10ffff || surrogate) throw malformed(`${whole} is not a character`)
  const character = String.fromCodePoint(code)
  if (UNSPEAKABLE.test(character)) throw malformed(`${whole} is not a character of XML`)
  return character
}
