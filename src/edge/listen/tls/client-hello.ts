//! Reads a viewer's ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2) as far as it decides who answers: which certificate,
//! which security policy, which protocol. PURE. OpenSSL reads it again and has the last word on everything else.

/** Bytes of the message, its header included. Browsers send 500 to 2,000, post-quantum key shares among them. */
export const HELLO_BYTES_MAX = 16_384
/** The same with the headers of records around it, however small a viewer cuts them. */
export const HELLO_WIRE_BYTES_MAX = 2 * HELLO_BYTES_MAX

export interface ClientHello {
  /** Host name (RFC 6066 3) in lower case; null for none. */
  readonly serverName: string | null
  /** What ALPN offers (RFC 7301), in the viewer's order. */
  readonly protocols: readonly string[]
  /** Newest version that is offered: 0x0304 for TLS 1.3. */
  readonly newest: number
  readonly cipherSuites: Codes
  /** Null where the viewer does not say. */
  readonly signatureSchemes: Codes | null
  readonly groups: Codes | null
  /** The first 16 bytes of the session ticket, or of the first PSK, that is to be resumed: the name of its key. */
  readonly ticketKeyName: Buffer | null
}

/** A list of IANA numbers as it came, two bytes each: of the dozens that browsers send hardly any is ever asked for. */
export class Codes {
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  includes(code: number): boolean {
    const bytes = this.#bytes
    for (let at = 0; at < bytes.length; at += 2) if (((bytes[at]! << 8) | bytes[at + 1]!) === code) return true
    return false
  }

  /** Whether any of these is in the list. */
  has(codes: ReadonlySet<number>): boolean {
    const bytes = this.#bytes
    for (let at = 0; at < bytes.length; at += 2) if (codes.has((bytes[at]! << 8) | bytes[at + 1]!)) return true
    return false
  }
}

export type HelloFault =
  /** What came is no TLS handshake: plain HTTP, SSL 2, noise. */
  'not-tls' | 'too-long' | 'malformed'

export type HelloOutcome =
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  /** Nothing can be said before there are so many bytes in all. */
  | { readonly kind: 'incomplete'; readonly needed: number }
  | { readonly kind: 'refused'; readonly fault: HelloFault }

const HANDSHAKE = 22
const CLIENT_HELLO = 1
const RECORD_HEADER = 5
const MESSAGE_HEADER = 4
const RECORD_BYTES_MAX = 16_384
const TICKET_NAME_BYTES = 16

const refused = (fault: HelloFault): HelloOutcome => ({ kind: 'refused', fault })

/** `bytes`: all that a connection has sent so far. */
export function readClientHello(bytes: Buffer): HelloOutcome {
  const parts: Buffer[] = []
  let gathered = 0
  /** Of the message, its header included; known from the first four bytes on. */
  let wanted = MESSAGE_HEADER
  for (let at = 0; ; ) {
    if (at > HELLO_WIRE_BYTES_MAX) return refused('too-long')
    // What is here of a record's header is judged at once: plain HTTP is no reason to wait.
    if (at < bytes.length && bytes[at] !== HANDSHAKE) return refused('not-tls')
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return refused('not-tls')
    if (bytes.length < at + RECORD_HEADER) return { kind: 'incomplete', needed: at + RECORD_HEADER }
    const length = bytes.readUInt16BE(at + 3)
    // RFC 8446 5.1: no fragment of a handshake is empty.
    if (length === 0 || length > RECORD_BYTES_MAX) return refused('malformed')
    const begin = at + RECORD_HEADER
    const part = bytes.subarray(begin, begin + length)
    parts.push(part)
    gathered += part.length
    if (wanted === MESSAGE_HEADER && gathered >= MESSAGE_HEADER) {
      const head = parts.length === 1 ? part : Buffer.concat(parts)
      if (head[0] !== CLIENT_HELLO) return refused('malformed')
      wanted = MESSAGE_HEADER + head.readUIntBE(1, 3)
      if (wanted > HELLO_BYTES_MAX) return refused('too-long')
      if (wanted === MESSAGE_HEADER) return refused('malformed')
    }
    if (wanted > MESSAGE_HEADER && gathered >= wanted) {
      const message = parts.length === 1 ? part : Buffer.concat(parts)
      const hello = parseHello(message.subarray(MESSAGE_HEADER, wanted))
      return hello === null ? refused('malformed') : { kind: 'hello', hello }
    }
    if (bytes.length < begin + length) {
      return { kind: 'incomplete', needed: Math.min(begin + length, begin + part.length + (wanted - gathered)) }
    }
    at = begin + length
  }
}

/** Null for a message that breaks the syntax; of extensions only those are looked into that are read here. */
function parseHello(body: Buffer): ClientHello | null {
  const legacyVersion = body.length < 34 ? 0 : body.readUInt16BE(0)
  // legacy_version, random
  let at = 34
  const sessionId = vector8(body, at)
  if (legacyVersion < 0x0300 || sessionId === null || sessionId.length > 32) return null
  at += 1 + sessionId.length
  const suites = vector16(body, at)
  if (suites === null || suites.length < 2 || suites.length % 2 !== 0) return null
  at += 2 + suites.length
  const compressions = vector8(body, at)
  if (compressions === null || compressions.length === 0) return null
  at += 1 + compressions.length
  const extensions = at === body.length ? NOTHING : vector16(body, at)
  if (extensions === null || (at < body.length && at + 2 + extensions.length !== body.length)) return null
  return withExtensions(legacyVersion, new Codes(suites), extensions)
}

function withExtensions(legacyVersion: number, cipherSuites: Codes, extensions: Buffer): ClientHello | null {
  const hello = {
    serverName: null as string | null,
    protocols: NONE as readonly string[],
    newest: Math.min(legacyVersion, 0x0303),
    cipherSuites,
    signatureSchemes: null as Codes | null,
    groups: null as Codes | null,
    ticketKeyName: null as Buffer | null,
  }
  let seen = 0
  for (let at = 0; at < extensions.length; ) {
    if (at + 4 > extensions.length) return null
    const type = extensions.readUInt16BE(at)
    const data = vector16(extensions, at + 2)
    if (data === null) return null
    at += 4 + data.length
    const reader = READERS.get(type)
    if (reader === undefined) continue
    // RFC 8446 4.2: one of each type.
    if ((seen & reader.bit) !== 0 || !reader.read(hello, data)) return null
    seen |= reader.bit
  }
  return hello
}

type Mutable = { -readonly [Key in keyof ClientHello]: ClientHello[Key] }

/** Takes the data of an extension; false when they break its syntax. */
type Read = (hello: Mutable, data: Buffer) => boolean

/** The extensions that are looked into, by their IANA numbers. */
const EXTENSIONS: readonly (readonly [type: number, read: Read])[] = [
  [0, readServerName],
  [10, readGroups],
  [13, readSignatureSchemes],
  [16, readProtocols],
  [35, readTicket],
  [41, readPreSharedKey],
  [43, readVersions],
]
const READERS = new Map(EXTENSIONS.map(([type, read], at) => [type, { bit: 1 << at, read }]))

/** RFC 6066 3: one host name; lists of other kinds of names nobody has ever defined. */
function readServerName(hello: Mutable, data: Buffer): boolean {
  const list = vector16(data, 0)
  if (list === null || list.length + 2 !== data.length || list.length < 4 || list[0] !== 0) return false
  const name = vector16(list, 1)
  if (name === null || name.length + 3 !== list.length || name.length > 255) return false
  // ASCII without controls: whatever else it is, no certificate and no alias is called so.
  for (let at = 0; at < name.length; at++) if (name[at]! <= 32 || name[at]! >= 127) return false
  hello.serverName = name.toString('latin1').toLowerCase()
  return true
}

function readGroups(hello: Mutable, data: Buffer): boolean {
  hello.groups = codeList(vector16(data, 0), data.length - 2)
  return hello.groups !== null
}

function readSignatureSchemes(hello: Mutable, data: Buffer): boolean {
  hello.signatureSchemes = codeList(vector16(data, 0), data.length - 2)
  return hello.signatureSchemes !== null
}

function readProtocols(hello: Mutable, data: Buffer): boolean {
  const list = vector16(data, 0)
  if (list === null || list.length + 2 !== data.length || list.length < 2) return false
  const protocols: string[] = []
  for (let at = 0; at < list.length; ) {
    const protocol = vector8(list, at)
    if (protocol === null || protocol.length === 0) return false
    protocols.push(protocol.toString('latin1'))
    at += 1 + protocol.length
  }
  hello.protocols = protocols
  return true
}

/** RFC 5077 3.2: the extension is the ticket, or empty. */
function readTicket(hello: Mutable, ticket: Buffer): boolean {
  if (ticket.length >= TICKET_NAME_BYTES) hello.ticketKeyName ??= ticket.subarray(0, TICKET_NAME_BYTES)
  return true
}

/** RFC 8446 4.2.11: what TLS 1.3 resumes; of several the first. */
function readPreSharedKey(hello: Mutable, data: Buffer): boolean {
  const identities = vector16(data, 0)
  const first = identities === null ? null : vector16(identities, 0)
  if (first === null || first.length === 0) return false
  hello.ticketKeyName = null
  return readTicket(hello, first)
}

function readVersions(hello: Mutable, data: Buffer): boolean {
  const list = vector8(data, 0)
  if (list === null || list.length !== data.length - 1 || list.length === 0 || list.length % 2 !== 0) return false
  let newest = 0
  for (let at = 0; at < list.length; at += 2) {
    // Others are GREASE (RFC 8701), drafts, or of a time to come.
    if (list[at] === 3 && list[at + 1]! <= 4) newest = Math.max(newest, 0x0300 | list[at + 1]!)
  }
  hello.newest = newest
  return true
}

const NOTHING = Buffer.alloc(0)
const NONE: readonly string[] = []

/** A list of 16-bit numbers that fills its extension and is not empty; null otherwise. */
const codeList = (list: Buffer | null, length: number): Codes | null =>
  list === null || list.length !== length || list.length === 0 || list.length % 2 !== 0 ? null : new Codes(list)

/** The bytes behind a length of one byte (two bytes) at `at`; null when they are not all there. */
function vector8(bytes: Buffer, at: number): Buffer | null {
  const length = bytes[at]
  return length === undefined || at + 1 + length > bytes.length ? null : bytes.subarray(at + 1, at + 1 + length)
}

function vector16(bytes: Buffer, at: number): Buffer | null {
  if (at + 2 > bytes.length) return null
  const end = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!)
  return end > bytes.length ? null : bytes.subarray(at + 2, end)
}
