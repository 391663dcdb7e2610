//! HEADERS frames of answers (RFC 9113 6.2), with CONTINUATION where the viewer takes no larger ones.
import type { EncodedPart, HeadPart, HeadParts } from '../viewer.ts'
import { FLAG, FRAME, FRAME_HEAD_BYTES } from './frames.ts'
import { blockBytesMax, writeBytes, writeField, writeLines, writeStatus, writeValue } from './hpack/encoder.ts'
import { type Output, writeFrameHead } from './output.ts'

export class HeadWriter {
  /** SETTINGS_MAX_FRAME_SIZE of the viewer. */
  frameBytes: number
  readonly #output: Output
  /** The viewer has made its table smaller than we might think: the next block says that we use none (RFC 7541 4.2). */
  #resizes = false
  #usesNoTable = false

  constructor(output: Output, frameBytes: number) {
    this.#output = output
    this.frameBytes = frameBytes
  }

  /** The viewer's table is to have no more than so many bytes; ours has none in it. */
  tableBytes(bytes: number): void {
    if (bytes >= 4_096 || this.#usesNoTable) return
    this.#usesNoTable = true
    this.#resizes = true
  }

  /** A head as the pipeline has it: text of HTTP/1.1. Returns the bytes of its frames. */
  write(id: number, head: string, parts: HeadParts | undefined, isLast: boolean): number {
    const begin = parts === undefined ? this.#whole(head) : this.#inParts(parts)
    return this.#end(begin, id, isLast)
  }

  #whole(head: string): number {
    const begin = this.#begin(blockBytesMax(head.length))
    writeStatus(this.#output, head)
    writeLines(this.#output, head, head.indexOf('\r\n') + 2, false)
    return begin
  }

  #inParts({ part, own }: HeadParts): number {
    const { block, open } = part.encoded ?? encodePart(part)
    const begin = this.#begin(block.length + blockBytesMax(own.length))
    const output = this.#output
    output.at += output.bytes.write(block, output.at, 'latin1')
    let from = 0
    if (open) {
      const end = own.indexOf('\r\n')
      writeValue(output, own, 0, end, false)
      from = end + 2
    }
    writeTail(output, from === 0 ? own : own.slice(from))
    return begin
  }

  /** Fields behind a body: name, value, name, value ... */
  trailers(id: number, raw: readonly string[]): number {
    const begin = this.#begin(raw.reduce((sum, text) => sum + blockBytesMax(text.length), 0))
    for (let i = 0; i < raw.length; i += 2) writeField(this.#output, raw[i]!, raw[i + 1]!)
    return this.#end(begin, id, true)
  }

  #begin(blockBytes: number): number {
    const output = this.#output
    output.reserve(FRAME_HEAD_BYTES + 1 + blockBytes)
    const begin = output.at
    output.at += FRAME_HEAD_BYTES
    if (this.#resizes) {
      this.#resizes = false
      output.bytes[output.at++] = 0x20
    }
    return begin
  }

  #end(begin: number, id: number, isLast: boolean): number {
    const output = this.#output
    const length = output.at - begin - FRAME_HEAD_BYTES
    const flags = isLast ? FLAG.endStream : 0
    if (length <= this.frameBytes) {
      writeFrameHead(output.bytes, begin, length, FRAME.headers, flags | FLAG.endHeaders, id)
      return output.at - begin
    }
    const block = Buffer.from(output.bytes.subarray(begin + FRAME_HEAD_BYTES, output.at))
    output.at = begin
    for (let at = 0; at < length; at += this.frameBytes) {
      const piece = block.subarray(at, at + this.frameBytes)
      const isEnd = at + piece.length === length
      output.reserve(FRAME_HEAD_BYTES + piece.length)
      const type = at === 0 ? FRAME.headers : FRAME.continuation
      output.frameHead(piece.length, type, (at === 0 ? flags : 0) | (isEnd ? FLAG.endHeaders : 0), id)
      output.bytes.set(piece, output.at)
      output.at += piece.length
    }
    return output.at - begin
  }
}

/**
 * The lines behind the request's own name are mostly those of the answer before: the age in the same second, and what is
 * not written.
 */
let lastTail = ''
let lastTailBlock = ''

function writeTail(output: Output, tail: string): void {
  if (tail === lastTail) writeBytes(output, lastTailBlock)
  else {
    const begin = output.at
    writeLines(output, tail, 0, false)
    if (output.at - begin > TAIL_BYTES_MAX) return
    lastTail = tail
    lastTailBlock = output.bytes.toString('latin1', begin, output.at)
  }
}

const TAIL_BYTES_MAX = 64

function encodePart(part: HeadPart): EncodedPart {
  const target = { bytes: Buffer.allocUnsafe(blockBytesMax(part.text.length)), at: 0 }
  writeStatus(target, part.text)
  const open = writeLines(target, part.text, part.text.indexOf('\r\n') + 2, true)
  part.encoded = { block: target.bytes.toString('latin1', 0, target.at), open }
  return part.encoded
}
