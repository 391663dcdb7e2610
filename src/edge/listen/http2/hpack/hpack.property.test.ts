//! What the encoder writes the decoder reads, whatever is in a head; and bytes that nobody wrote never do more than fail.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HpackDecoder } from './decoder.ts'
import { blockBytesMax, writeField, writeLines, writeStatus } from './encoder.ts'
import type { Field } from './field.ts'
import { decodeHuffman, encodeHuffman, huffmanLength } from './huffman.ts'
import { STATIC_NAMES } from './static-table.ts'

const BOUNDS = { bytes: 1_000_000, fields: 10_000 }
const latin1 = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 400 })
  .map((codes) => String.fromCharCode(...codes))
const name = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/),
  fc.constantFrom(...STATIC_NAMES.keys()).filter((text) => !text.startsWith(':')),
)
const DROPPED = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

test('strings in the Huffman code come back', () => {
  fc.assert(
    fc.property(latin1, (text) => {
      const bytes = Buffer.alloc(huffmanLength(text))
      assert.equal(encodeHuffman(text, bytes, 0), bytes.length)
      assert.equal(decodeHuffman(bytes, 0, bytes.length), text)
    }),
  )
})

test('heads come back, in one encoding and the other, without the fields of one hop', () => {
  const value = latin1.map((text) => text.replaceAll(/[\r\n]/g, '').replaceAll(/^[ \t]+|[ \t]+$/g, ''))
  const lines = fc.array(fc.tuple(name, value), { maxLength: 20 })
  fc.assert(
    fc.property(lines, fc.integer({ min: 100, max: 599 }), fc.boolean(), (fields, status, compact) => {
      const head = `HTTP/1.1 ${status} Text\r\n${fields.map(([key, text]) => `${key}: ${text}\r\n`).join('')}\r\n`
      const target = { bytes: Buffer.alloc(blockBytesMax(head.length)), at: 0 }
      writeStatus(target, head)
      writeLines(target, head, head.indexOf('\r\n') + 2, compact)
      const list: Field[] = []
      assert.ok(new HpackDecoder(BOUNDS).decode(target.bytes, 0, target.at, list))
      assert.deepEqual(
        list.map((field) => [field.name, field.value]),
        [[':status', `${status}`], ...fields.filter(([key]) => !DROPPED.has(key))],
      )
    }),
  )
})

test('a decoder that has read anything still reads what is right or says that it cannot', () => {
  const bytes = fc.uint8Array({ maxLength: 200 })
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder(BOUNDS)
      for (const block of blocks) if (!decoder.decode(Buffer.from(block), 0, block.length, [])) return
      const target = { bytes: Buffer.alloc(blockBytesMax(20)), at: 0 }
      writeField(target, 'x-name', 'value')
      const list: Field[] = []
      assert.ok(decoder.decode(target.bytes, 0, target.at, list))
      assert.deepEqual([list[0]?.name, list[0]?.value], ['x-name', 'value'])
    }),
  )
})
