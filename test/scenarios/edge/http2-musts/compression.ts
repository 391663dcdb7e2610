//! RFC 7541: HPACK, as a decoder meets it. What our own encoder writes is decoded by a strict decoder in every row.
import assert from 'node:assert/strict'
import { continuation, FLAG, headers, SETTING } from '../../../support/http2-frames.ts'
import {
  block,
  bytesOfBits,
  CODES,
  huffman,
  indexed,
  integer,
  literal,
  STATIC_TABLE,
  sizeUpdate,
  text,
} from '../../../support/http2-hpack.ts'
import { type Http2Wire, requestFields } from '../../../support/http2-wire.ts'
import { type AnyRow, answered, connectionError, other, type Row, row, watched, whole } from './row.ts'

const head = block(...requestFields('/seen'))
/** A request with these bytes behind its pseudo-header fields. */
const behind = (stream: number, ...bytes: readonly Buffer[]): Buffer => headers(stream, Buffer.concat([head, ...bytes]))
/** A request with these bytes in front. */
const before = (stream: number, ...bytes: readonly Buffer[]): Buffer => headers(stream, Buffer.concat([...bytes, head]))
const broken = connectionError('COMPRESSION_ERROR')
const seenOn = (wire: Http2Wire, stream: number, name: string): string[] => {
  const { fields } = JSON.parse(wire.answer(stream)!.body.toString()) as { fields: string[] }
  return fields.filter((_, at) => at % 2 === 1 && fields[at - 1] === name)
}
const sees =
  (stream: number, name: string, ...values: readonly string[]): Row['also'] =>
  (wire) =>
    assert.deepEqual(seenOn(wire, stream, name), values)
const seenRow = (
  section: string,
  must: string,
  stream: number,
  name: string,
  values: readonly string[],
  ...send: Row['send']
): AnyRow => ({
  ...row(section, must, send, answered(stream, 200, null)),
  also: sees(stream, name, ...values),
})
const keep = (name: string, value: string): Buffer => literal(name, value, { as: 'indexing' })
/** As large in the table as is said: 32 bytes and those of name and value (4.1). */
const entry = (name: string, bytes: number): Buffer => keep(name, 'v'.repeat(bytes - 32 - name.length))
/** Fields of the static table that a request may have behind its pseudo-header fields, by their index. */
const REGULAR = STATIC_TABLE.flatMap(([name], at) =>
  name.startsWith(':') || ['content-length', 'host', 'transfer-encoding', 'expect', 'te'].includes(name)
    ? []
    : [at + 1],
)

const TABLES: readonly AnyRow[] = [
  row('2.3.1', 'indices 1 to 61 are the static table: pseudo-header fields', [headers(1, Buffer.concat([indexed(2), indexed(7), literal(1, 'localhost'), indexed(4)]))], answered()),
  row('2.3.1', 'the other entries of a request: POST', [headers(1, Buffer.concat([indexed(3), indexed(7), literal(1, 'localhost'), literal(4, '/echo')]))], answered(1, 200, '')),
  row('2.3.1', 'the other entries of a request: /index.html and http', [headers(1, Buffer.concat([indexed(2), indexed(6), literal(1, 'localhost'), indexed(5)]))], answered()),
  { ...row('2.3.1', 'every name of the static table has its place', [behind(1, ...REGULAR.map((index) => literal(index, `v${index}`)))], answered(1, 200, null)), also: (wire) => {
    for (const index of REGULAR) assert.deepEqual(seenOn(wire, 1, STATIC_TABLE[index - 1]![0]), [`v${index}`])
  } },
  seenRow('2.3.1', 'an entry with a value', 1, 'accept-encoding', ['gzip, deflate'], behind(1, indexed(16))),
  seenRow('2.3.2', 'the dynamic table is first in, first out, the newest first', 3, 'x-b', ['2', '2'], behind(1, keep('x-a', '1'), keep('x-b', '2')), behind(3, indexed(62), indexed(62), indexed(63))),
  seenRow('2.3.2', 'an entry may be there twice', 3, 'x-a', ['1', '1'], behind(1, keep('x-a', '1'), keep('x-a', '1')), behind(3, indexed(62), indexed(63))),
  row('2.3.3', 'index 0 is a decoding error', [behind(1, indexed(0))], broken),
  row('2.3.3', 'an index beyond both tables is one: 62 of an empty table', [behind(1, indexed(62))], broken),
  row('2.3.3', 'an index beyond both tables is one: 64 of two entries', [behind(1, keep('x-a', '1'), keep('x-b', '2')), behind(3, indexed(64))], broken),
  row('2.3.3', 'as the name of a literal too, with indexing', [behind(1, literal(62, 'v', { as: 'indexing' }))], broken),
  row('2.3.3', 'as the name of a literal too, without', [behind(1, literal(62, 'v'))], broken),
  row('2.3.3', 'as the name of a literal too, never indexed', [behind(1, literal(80, 'v', { as: 'never' }))], broken),
  row('2.3.3', 'a very large index is one', [behind(1, indexed(0x7f_ff_ff_ff))], broken),
  seenRow('2.2', 'the table lasts from block to block, in the order of the blocks', 5, 'x-a', ['3', '1'], behind(1, keep('x-a', '1')), behind(3, keep('x-b', '2')), behind(5, keep('x-a', '3'), indexed(64))),
  seenRow('3.1', 'fields are kept in their order', 1, 'x', ['1', '2', '3'], behind(1, literal('x', '1'), literal('y', '0'), literal('x', '2'), literal('x', '3'))),
  seenRow('3.2', 'an entry can be used in the block that adds it', 1, 'x-a', ['1', '1'], behind(1, keep('x-a', '1'), indexed(62))),
  seenRow('3.2', 'and in the CONTINUATION of it', 1, 'x-a', ['1', '1'], headers(1, Buffer.concat([head, keep('x-a', '1')]), FLAG.END_STREAM), continuation(1, indexed(62))),
] // biome-ignore format: a table

const SIZES: readonly AnyRow[] = [
  seenRow('4.1', 'an entry is as large as name, value and 32: two of 2,048 bytes fit 4,096', 3, 'x-a', ['v'.repeat(2_048 - 35)], behind(1, entry('x-a', 2_048), entry('x-b', 2_048)), behind(3, indexed(63))),
  row('4.1', 'one byte more and the first is gone', [behind(1, entry('x-a', 2_048), entry('x-b', 2_049)), whole(1), behind(3, indexed(63))], broken),
  seenRow('4.1', 'the size counts bytes without their code', 3, 'x-b', ['v'.repeat(2_048 - 35)], behind(1, literal('x-a', '~'.repeat(2_048 - 35), { as: 'indexing', coded: true }), entry('x-b', 2_048)), behind(3, indexed(62))),
  row('4.2', 'an update to the limit itself is right', [before(1, sizeUpdate(4_096))], answered(1, 200, null)),
  row('4.2', 'an update over the limit is a decoding error', [before(1, sizeUpdate(4_097))], broken),
  row('4.2', 'one far over it', [before(1, sizeUpdate(0x7f_ff_ff_ff))], broken),
  row('4.2', 'an update behind a field is a decoding error', [behind(1, sizeUpdate(100))], broken),
  row('4.2', 'two updates in front of a block are right: the smallest and the last', [before(1, sizeUpdate(0), sizeUpdate(4_096))], answered(1, 200, null)),
  watched('4.2', 'the encoder follows the table size of the client', 'table-size'),
  row('4.3', 'an update to 0 empties the table', [behind(1, keep('x-a', '1')), before(3, sizeUpdate(0), sizeUpdate(4_096), Buffer.alloc(0)), whole(3), behind(5, indexed(62))], broken),
  seenRow('4.3', 'a smaller size drops the oldest alone', 3, 'x-b', ['v'.repeat(65)], behind(1, entry('x-a', 100), entry('x-b', 100)), headers(3, Buffer.concat([sizeUpdate(100), head, indexed(62)]))),
  row('4.3', 'and what it dropped is gone', [behind(1, entry('x-a', 100), entry('x-b', 100)), headers(3, Buffer.concat([sizeUpdate(100), head, indexed(63)]))], broken),
  seenRow('4.4', 'entries are dropped before a new one is added', 3, 'x-new', ['v'.repeat(3_000 - 37)], behind(1, entry('x-a', 3_000), entry('x-new', 3_000)), behind(3, indexed(62))),
  row('4.4', 'an entry larger than the table empties it, and is no error', [behind(1, keep('x-a', '1'), entry('x-big', 5_000))], answered(1, 200, null)),
  row('4.4', 'and nothing is left of it or of the others', [behind(1, keep('x-a', '1'), entry('x-big', 5_000)), whole(1), behind(3, indexed(62))], broken),
  seenRow('4.4', 'a new entry may take its name from one that it drops', 3, 'x-a', ['w'.repeat(3_000)], behind(1, entry('x-a', 3_000)), behind(3, literal(62, 'w'.repeat(3_000), { as: 'indexing' }))),
  seenRow('4.4', 'with a table of size 0 fields are taken and none is kept', 3, 'x-a', ['1'], before(1, sizeUpdate(0)), behind(3, keep('x-a', '1'))),
  row('4.4', 'none is kept', [headers(1, Buffer.concat([sizeUpdate(0), head, keep('x-a', '1')])), whole(1), behind(3, indexed(62))], broken),
] // biome-ignore format: a table

const alphabet = Array.from({ length: 224 }, (_, at) => String.fromCharCode(at + 32))
  .filter((char) => char !== '\x7f')
  .join('')
  .trim()
const codedName = Buffer.concat([Buffer.from([0]), text('x-a', true)])
const codedValue = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0]), text('x-a'), integer(bytes.length, 7, 0x80), bytes])
const bitsOf = (value: string): string => [...value].map((char) => CODES[char.charCodeAt(0)]).join('')
const PRIMITIVES: readonly AnyRow[] = [
  seenRow('5.1', 'integers that fill their prefix go on in more bytes: 126, 127, 128 and 255 bytes of value', 1, 'x', [126, 127, 128, 255].map((size) => 'v'.repeat(size)), behind(1, ...[126, 127, 128, 255].map((size) => literal('x', 'v'.repeat(size))))),
  seenRow('5.1', 'an integer may have zeros behind it', 1, 'x', ['v'.repeat(200)], behind(1, Buffer.concat([Buffer.from([0]), text('x'), integer(200, 7, 0, 1), Buffer.from('v'.repeat(200))]))),
  row('5.1', 'integers beyond what is supported are decoding errors: of a length', [behind(1, Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])]))], broken),
  row('5.1', 'integers beyond what is supported are decoding errors: of an index', [behind(1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]))], broken),
  row('5.1', 'integers beyond what is supported are decoding errors: 2^32 and more do not wrap around', [behind(1, integer(2 ** 32 + 2, 7, 0x80))], broken),
  row('5.1', 'integers beyond what is supported are decoding errors: a size update that wraps around', [before(1, integer(2 ** 32, 5, 0x20))], broken),
  row('5.1', 'an integer without an end, all zeros', [behind(1, Buffer.concat([Buffer.from([0xff]), Buffer.alloc(100, 0x80), Buffer.from([0])]))], broken),
  row('5.1', 'an integer that the block cuts', [behind(1, Buffer.from([0xff, 0x80]))], broken),
  row('5.2', 'a string longer than its block is a decoding error', [behind(1, Buffer.concat([Buffer.from([0]), text('x'), integer(50, 7), Buffer.from('short')]))], broken),
  row('5.2', 'a name longer than its block too', [behind(1, Buffer.concat([Buffer.from([0]), integer(1_000, 7), Buffer.from('x')]))], broken),
  row('5.2', 'a literal without a value too', [behind(1, Buffer.concat([Buffer.from([0]), text('x')]))], broken),
  seenRow('5.2', 'strings with a Huffman code: every character', 1, 'x-a', [alphabet], behind(1, literal('x-a', alphabet, { coded: true }))),
  seenRow('5.2', 'a name with a Huffman code and a value without', 1, 'x-a', ['v'], behind(1, Buffer.concat([codedName, text('v')]))),
  seenRow('5.2', 'an empty string with the Huffman bit', 1, 'x-a', [''], behind(1, codedValue(Buffer.alloc(0)))),
  ...[1, 2, 3, 4, 5, 6, 7].map((left) => {
    // Symbols of 5 and 6 bits make every length of padding.
    const value = ['a', '%', 'aa', 'a%', '%%', 'aaa', 'aa%', 'a%%', '%%%', 'aaaa'].find((of) => (8 - (bitsOf(of).length % 8)) % 8 === left)!
    return seenRow('5.2', `padding of ${left} bits of EOS`, 1, 'x-a', [value], behind(1, codedValue(huffman(value))))
  }),
  row('5.2', 'padding of more than 7 bits is a decoding error', [behind(1, codedValue(Buffer.concat([huffman('a'), Buffer.from([0xff])])))], broken),
  row('5.2', 'padding alone, of 8 bits, too', [behind(1, codedValue(Buffer.from([0xff])))], broken),
  row('5.2', 'padding that is not the beginning of EOS is a decoding error: zeros', [behind(1, codedValue(bytesOfBits(bitsOf('a'), '0')))], broken),
  row('5.2', 'padding that is not the beginning of EOS is a decoding error: one bit', [behind(1, codedValue(bytesOfBits(`${bitsOf('a')}110`)))], broken),
  row('5.2', 'EOS in a string is a decoding error', [behind(1, codedValue(bytesOfBits(`${bitsOf('a')}${CODES[256]}`)))], broken),
  row('5.2', 'EOS alone too', [behind(1, codedValue(bytesOfBits(CODES[256]!)))], broken),
  row('5.2', 'EOS in the middle too', [behind(1, codedValue(bytesOfBits(`${bitsOf('a')}${CODES[256]}${bitsOf('aaa')}`)))], broken),
  row('5.2', 'a code that is cut is padding of zeros, a decoding error', [behind(1, codedValue(huffman('{{{{').subarray(0, -1)))], broken),
  row('5.2', 'in a name too', [behind(1, Buffer.concat([Buffer.from([0, 0x81, 0x00]), text('v')]))], broken),
  row('5.2', 'a NUL in a Huffman string is decoded, and malformed', [behind(1, literal('x-a', 'a\0b', { coded: true }))], { kind: 'malformed', stream: 1 }),
] // biome-ignore format: a table

const REPRESENTATIONS: readonly AnyRow[] = [
  row('6.1', 'an indexed field with index 0 is a decoding error', [headers(1, [0x80])], broken),
  ...(['indexing', 'without', 'never'] as const).flatMap((as) => [true, false].flatMap((coded) => [
    seenRow('6.2', `a literal ${as}, name ${coded ? 'coded' : 'plain'}`, 1, 'x-new', ['value'], behind(1, literal('x-new', 'value', { as, coded }))),
    seenRow('6.2', `a literal ${as}, name of the static table, value ${coded ? 'coded' : 'plain'}`, 1, 'user-agent', ['value'], behind(1, literal(58, 'value', { as, coded }))),
    seenRow('6.2', `a literal ${as}, name of the dynamic table, value ${coded ? 'coded' : 'plain'}`, 1, 'x-new', ['1', 'value'], behind(1, keep('x-new', '1'), literal(62, 'value', { as, coded }))),
  ])),
  seenRow('6.2.1', 'with indexing it is in the table', 3, 'x-a', ['1'], behind(1, literal('x-a', '1', { as: 'indexing' })), behind(3, indexed(62))),
  row('6.2.2', 'without indexing it is not', [behind(1, literal('x-a', '1', { as: 'without' })), whole(1), behind(3, indexed(62))], broken),
  row('6.2.3', 'never indexed it is not', [behind(1, literal('x-a', '1', { as: 'never' })), whole(1), behind(3, indexed(62))], broken),
  other('6.2.3', 'a field that is never to be indexed is forwarded in the same representation', 'origins are asked over HTTP/1.1, which has none; over HTTP/2 (gRPC) the client encodes without knowing'),
  row('6.3', 'a size update stands in front of a block', [before(1, sizeUpdate(0))], answered(1, 200, null)),
  row('6.3', 'behind a field it is a decoding error, of any size', [behind(1, sizeUpdate(4_096))], broken),
  row('6.3', 'between fields it is one', [headers(1, Buffer.concat([head, sizeUpdate(10), literal('x', 'y')]))], broken),
  row('6.3', 'a block may be a size update alone: then the request has no fields', [headers(1, sizeUpdate(10))], { kind: 'malformed', stream: 1 }),
  row('6.3', 'one in trailers', [headers(1, block(...requestFields('/echo', 'POST')), FLAG.END_HEADERS), headers(1, Buffer.concat([sizeUpdate(10), block(['x', 'y'])]))], answered(1, 200, '')),
  row('6.3', 'many updates in front of one block are a game, and answered or ended', [before(1, ...Array.from({ length: 300 }, () => sizeUpdate(0)))], answered(1, 200, null), broken, connectionError('ENHANCE_YOUR_CALM')),
] // biome-ignore format: a table

const REST: readonly AnyRow[] = [
  other('7.1.1', 'probing of the table by others', 'each connection has a table of its own'),
  other('7.1.2', 'of different origins on one connection', 'the encoder keeps no field of an answer in its table that a viewer could probe: http2.md says what it indexes'),
  other('7.1.3', 'never-indexed literals', 'of encoders and of proxies towards HTTP/2'),
  other('7.2', 'static Huffman code', 'no requirement'),
  { ...row('7.3', 'the memory of a table is bounded by SETTINGS_HEADER_TABLE_SIZE, whatever the client says of its own', [before(1, sizeUpdate(65_536))], broken), settings: [[SETTING.HEADER_TABLE_SIZE, 65_536]] },
  row('7.4', 'limits of strings and integers are kept by errors, not by memory', [behind(1, Buffer.concat([Buffer.from([0]), text('x'), integer(2 ** 27, 7)]))], broken),
  watched('2.2', 'every block that is sent can be decoded', 'block-decodes'),
] // biome-ignore format: a table

export const COMPRESSION: readonly AnyRow[] = [...TABLES, ...SIZES, ...PRIMITIVES, ...REPRESENTATIONS, ...REST]
