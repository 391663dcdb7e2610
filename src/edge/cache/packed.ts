//! How an object lies in memory: two times, lengths, the key, then status, other times and texts, then the body. A million
//! objects mostly differ in little: header lines that many have are numbers, dates are seconds, and what stands in the
//! head or in the key already (ETag, content type, path) is a place in it.

import type { FreshnessReason } from '../../http/freshness.ts'
import { formatHttpDate } from '../../http/http-date.ts'
import type { ObjectMeta } from './object.ts'
import { SharedTexts } from './shared-texts.ts'

/** `bornAt` and `freshUntil`, eight bytes each; then the lengths of key, texts and body, four bytes each. */
const FRESH_UNTIL_AT = 8
const LENGTHS_AT = 16
/** The key begins here. */
const KEY_AT = LENGTHS_AT + 12

/** What a text is: its own characters, a number of SharedTexts, or a place in the head or key; two bits. */
const LITERAL = 0
const SHARED = 1
const IN_HEAD = 2
const IN_KEY = 3
/** A header line whose value is a date: number of `Name: `, then the seconds. Only in a head, which is no place in itself. */
const DATED = 2

/** In the order they lie in; the head goes before. */
const TEXTS = ['distributionId', 'uri', 'contentType', 'etag', 'lastModified', 'ttlSource', 'tags', 'variant'] as const

const shared = new SharedTexts()

/** Writes texts into memory of its own, from where the store copies them. */
class Writer {
  bytes = Buffer.allocUnsafeSlow(4_096)
  used = 0

  number(value: number): void {
    this.#reserve(8)
    let left = value
    while (left >= 128) {
      this.bytes[this.used++] = (left % 128) + 128
      left = Math.floor(left / 128)
    }
    this.bytes[this.used++] = left
  }

  /** A time or revision that is mostly a little later than `since`. */
  later(value: number, since: number): void {
    const distance = value - since
    const exact =
      Number.isInteger(distance) && distance >= 0 && distance < 2 ** 48 && Object.is(since + distance, value)
    this.number(exact ? distance + 1 : 0)
    if (exact) return
    this.#reserve(8)
    this.used = this.bytes.writeDoubleLE(value, this.used)
  }

  literal(text: string): void {
    this.number(text.length * 4 + LITERAL)
    this.#reserve(text.length)
    this.used += this.bytes.write(text, this.used, 'latin1')
  }

  #reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow((this.used + more) * 2)
    larger.set(this.bytes)
    this.bytes = larger
  }
}

const writer = new Writer()

/**
 * Packs status and texts, to be copied by the next `write`; returns how many bytes key, texts and the rest take without
 * the body. All texts are latin1.
 */
export function pack(key: string, meta: ObjectMeta): number {
  writer.used = 0
  writer.number(meta.status)
  writer.later(meta.staleUntil, meta.bornAt)
  writer.later(meta.swrUntil, meta.bornAt)
  writer.later(meta.asOf, 0)
  packHead(meta.head)
  for (const name of TEXTS) packText(meta[name], meta.head, key)
  return KEY_AT + key.length + writer.used
}

/** Writes what was packed last, and its key, to `to` from `at` on; returns where the body of `bodyBytes` begins. */
export function write(to: Buffer, at: number, key: string, meta: ObjectMeta, bodyBytes: number): number {
  to.writeDoubleLE(meta.bornAt, at)
  writeFreshUntil(to, at, meta.freshUntil)
  to.writeUInt32LE(key.length, at + LENGTHS_AT)
  to.writeUInt32LE(writer.used, at + LENGTHS_AT + 4)
  to.writeUInt32LE(bodyBytes, at + LENGTHS_AT + 8)
  const textsAt = at + KEY_AT + to.write(key, at + KEY_AT, 'latin1')
  to.set(writer.bytes.subarray(0, writer.used), textsAt)
  return textsAt + writer.used
}

/** Changes the end of freshness of the object that begins at `at`. */
export function writeFreshUntil(to: Buffer, at: number, freshUntil: number): void {
  to.writeDoubleLE(freshUntil, at + FRESH_UNTIL_AT)
}

/** True when the object that begins at `at` has this key. */
export function hasKey(from: Buffer, at: number, key: string): boolean {
  if (from.readUInt32LE(at + LENGTHS_AT) !== key.length) return false
  for (let i = 0, to = at + KEY_AT; i < key.length; i++, to++) if (from[to] !== key.charCodeAt(i)) return false
  return true
}

/** The key of the object that begins at `at`. */
export function readKey(from: Buffer, at: number): string {
  return from.toString('latin1', at + KEY_AT, at + KEY_AT + from.readUInt32LE(at + LENGTHS_AT))
}

export interface Unpacked {
  readonly meta: ObjectMeta
  /** Where the body begins and ends. */
  readonly bodyFrom: number
  readonly bodyTo: number
}

/** Reads the object that begins at `at`, whose key is known. Nothing of it refers to the memory it was read from. */
export function unpack(from: Buffer, at: number, key: string): Unpacked {
  const textsFrom = at + KEY_AT + key.length
  const bodyFrom = textsFrom + from.readUInt32LE(at + LENGTHS_AT + 4)
  reader.text = from.toString('latin1', textsFrom, bodyFrom)
  reader.at = 0
  const bornAt = from.readDoubleLE(at)
  const status = reader.number()
  const staleUntil = reader.later(bornAt)
  const swrUntil = reader.later(bornAt)
  const asOf = reader.later(0)
  const head = readHead()
  const meta = {
    status,
    head,
    bornAt,
    freshUntil: from.readDoubleLE(at + FRESH_UNTIL_AT),
    staleUntil,
    swrUntil,
    asOf,
    distributionId: readText(head, key),
    uri: readText(head, key),
    contentType: readText(head, key),
    etag: readText(head, key),
    lastModified: readText(head, key),
    ttlSource: readText(head, key) as FreshnessReason,
    tags: readText(head, key),
    variant: readText(head, key),
  }
  return { meta, bodyFrom, bodyTo: bodyFrom + from.readUInt32LE(at + LENGTHS_AT + 8) }
}

function packHead(head: string): void {
  // Lines are told apart by CRLF; a head that does not end with one has a last line of its own.
  const lines = head.split('\r\n')
  const whole = lines.at(-1) === ''
  if (whole) lines.pop()
  writer.number(lines.length * 2 + (whole ? 1 : 0))
  for (const line of lines) packLine(line)
}

function packLine(line: string): void {
  const number = shared.numberOf(line)
  if (number >= 0) {
    writer.number(number * 4 + SHARED)
    return
  }
  const date = line.length > 31 && line.endsWith(' GMT') ? line.slice(-29) : ''
  const seconds = date === '' ? Number.NaN : Date.parse(date) / 1000
  const name = Number.isNaN(seconds) || seconds < 0 ? -1 : shared.numberOf(line.slice(0, -29))
  if (name < 0 || dateText(seconds) !== date) {
    writer.literal(line)
    return
  }
  writer.number(name * 4 + DATED)
  writer.number(seconds)
}

function readHead(): string {
  const count = reader.number()
  const lines = Math.floor(count / 2)
  let head = ''
  for (let n = 0; n < lines; n++) {
    const what = reader.number()
    const end = n < lines - 1 || count % 2 === 1 ? '\r\n' : ''
    if (what % 4 === DATED) head += shared.textOf(what >>> 2) + dateText(reader.number()) + end
    else head += (what % 4 === SHARED ? shared.textOf(what >>> 2) : reader.literal(what >>> 2)) + end
  }
  return head
}

function packText(text: string, head: string, key: string): void {
  const number = shared.numberOf(text)
  const inHead = number < 0 ? head.indexOf(text) : -1
  const inKey = number < 0 && inHead < 0 ? key.indexOf(text) : -1
  if (number >= 0) writer.number(number * 4 + SHARED)
  else if (inHead >= 0 || inKey >= 0) {
    writer.number(inHead >= 0 ? inHead * 4 + IN_HEAD : inKey * 4 + IN_KEY)
    writer.number(text.length)
  } else writer.literal(text)
}

function readText(head: string, key: string): string {
  const what = reader.number()
  const which = what % 4
  if (which === SHARED) return shared.textOf(what >>> 2)
  if (which === LITERAL) return reader.literal(what >>> 2)
  const from = what >>> 2
  return (which === IN_HEAD ? head : key).slice(from, from + reader.number())
}

/** Reads what Writer wrote, as latin1. */
const reader = {
  text: '',
  at: 0,
  number(): number {
    let byte = this.text.charCodeAt(this.at++)
    if (byte < 128) return byte
    let value = byte - 128
    for (let scale = 128; byte >= 128; scale *= 128) {
      byte = this.text.charCodeAt(this.at++)
      value += (byte % 128) * scale
    }
    return value
  },
  later(since: number): number {
    const distance = this.number()
    if (distance > 0) return since + (distance - 1)
    return Buffer.from(this.literal(8), 'latin1').readDoubleLE(0)
  },
  literal(length: number): string {
    this.at += length
    return this.text.slice(this.at - length, this.at)
  },
}

const DAY_SECONDS = 86_400
const DAYS_MAX = 4_096
/** `Wed, 21 Oct 2015 ` by day since 1970. */
const days = new Map<number, string>()
const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => `${n}`.padStart(2, '0'))

/** An HTTP date (RFC 9110 5.6.7) from seconds since 1970; cheaper than making a new one when its day is known. */
function dateText(seconds: number): string {
  const day = Math.floor(seconds / DAY_SECONDS)
  let text = days.get(day)
  if (text === undefined) {
    text = formatHttpDate(day * DAY_SECONDS * 1000).slice(0, 17)
    if (days.size === DAYS_MAX) days.clear()
    days.set(day, text)
  }
  const second = seconds % DAY_SECONDS
  const two = (n: number) => TWO_DIGITS[Math.floor(n)]
  return `${text}${two(second / 3600)}:${two((second / 60) % 60)}:${two(second % 60)} GMT`
}
