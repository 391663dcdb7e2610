//! Response heads as header blocks (RFC 7541 6), without a dynamic table: a block means the same on every connection, so
//! that what many answers begin with is encoded once.
import { encodeHuffman, huffmanLength } from './huffman.ts'
import { STATIC_NAMES } from './static-table.ts'

/** Where a block is written: memory with room for it. */
export interface BlockTarget {
  bytes: Buffer
  at: number
}

/** A block never takes more than this for a head of so many characters. */
export const blockBytesMax = (head: number): number => head * 2 + 64

/** Fields of one hop, which HTTP/2 has no place for (RFC 9113 8.2.2). */
const DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** Statuses with an index of their own. */
const STATUS_INDEX: ReadonlyMap<string, number> = new Map([
  ['200', 8],
  ['204', 9],
  ['206', 10],
  ['304', 11],
  ['400', 12],
  ['404', 13],
  ['500', 14],
])

/** How a field begins, up to its value: its name in the static table or spelled out, not to be indexed (6.2.2, 6.2.3). */
type NamePrefix = Uint8Array | 'dropped'

/** Few names occur; a bounded memory, by the name as the head spells it. */
const NAMES_MAX = 1_000
const prefixes = new Map<string, NamePrefix>()

function prefixOf(spelled: string): NamePrefix {
  const known = prefixes.get(spelled)
  if (known !== undefined) return known
  const made = makePrefix(spelled.toLowerCase())
  if (prefixes.size < NAMES_MAX) prefixes.set(spelled, made)
  return made
}

function makePrefix(name: string): NamePrefix {
  if (DROPPED.has(name)) return 'dropped'
  const target = { bytes: Buffer.allocUnsafe(blockBytesMax(name.length)), at: 0 }
  // Whoever passes a cookie on must not put it into a table either (7.1.3).
  const first = name === 'set-cookie' ? 0x10 : 0
  const index = STATIC_NAMES.get(name)
  if (index === undefined) {
    target.bytes[target.at++] = first
    writeHuffman(target, name)
  } else writeInteger(target, index, 0x0f, first)
  return Uint8Array.from(target.bytes.subarray(0, target.at))
}

/** `:status`, from a status line. */
export function writeStatus(target: BlockTarget, statusLine: string): void {
  const status = statusLine.slice(9, 12)
  const index = STATUS_INDEX.get(status)
  if (index !== undefined) target.bytes[target.at++] = 0x80 | index
  else {
    target.bytes[target.at++] = 8
    writeText(target, status)
  }
}

/**
 * The header lines of `head` from `from` on, up to its empty line or its end; true when it ends within a line, behind a
 * name: then the block does, too. `compact` codes values, which costs more than it is worth for one answer.
 */
export function writeLines(target: BlockTarget, head: string, from: number, compact: boolean): boolean {
  let at = from
  while (at < head.length) {
    const colon = head.indexOf(':', at)
    if (colon < 0) return false
    let end = head.indexOf('\r\n', at)
    const isOpen = end < 0
    if (isOpen) end = head.length
    if (colon < end) {
      const prefix = prefixOf(head.slice(at, colon))
      if (prefix !== 'dropped') {
        target.bytes.set(prefix, target.at)
        target.at += prefix.length
        if (isOpen) return true
        writeValue(target, head, colon + 1, end, compact)
      }
    }
    at = end + 2
  }
  return false
}

/** The value in `head` from `from` to `end`, without blanks around it. */
export function writeValue(target: BlockTarget, head: string, from: number, end: number, compact: boolean): void {
  let first = from
  let last = end
  while (first < last && isBlank(head.charCodeAt(first))) first++
  while (last > first && isBlank(head.charCodeAt(last - 1))) last--
  const value = head.slice(first, last)
  if (compact) writeHuffman(target, value)
  else writeText(target, value)
}

/** A whole field. */
export function writeField(target: BlockTarget, name: string, value: string): void {
  const prefix = prefixOf(name)
  if (prefix === 'dropped') return
  target.bytes.set(prefix, target.at)
  target.at += prefix.length
  writeText(target, value)
}

const isBlank = (code: number): boolean => code === 32 || code === 9

/** A string as it is (5.2). */
function writeText(target: BlockTarget, text: string): void {
  writeInteger(target, text.length, 0x7f, 0)
  writeBytes(target, text)
}

/** Below this many characters writing them one by one is quicker than a call that leaves JavaScript. */
const SHORT = 80

/** One byte a character. */
export function writeBytes(target: BlockTarget, text: string): void {
  const { length } = text
  const { bytes, at } = target
  if (length > SHORT) bytes.write(text, at, 'latin1')
  else for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i)
  target.at = at + length
}

/** A string in the shorter of its two forms. */
function writeHuffman(target: BlockTarget, text: string): void {
  const length = huffmanLength(text)
  if (length >= text.length) return void writeText(target, text)
  writeInteger(target, length, 0x7f, 0x80)
  target.at = encodeHuffman(text, target.bytes, target.at)
}

/** An integer (5.1) behind the bits `first` of its first byte. */
function writeInteger(target: BlockTarget, value: number, mask: number, first: number): void {
  if (value < mask) {
    target.bytes[target.at++] = first | value
    return
  }
  target.bytes[target.at++] = first | mask
  let left = value - mask
  for (; left >= 0x80; left >>>= 7) target.bytes[target.at++] = (left & 0x7f) | 0x80
  target.bytes[target.at++] = left
}
