import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HpackDecoder } from './decoder.ts'
import { blockBytesMax, writeLines, writeStatus } from './encoder.ts'
import type { Field } from './field.ts'
import { decodeHuffman, encodeHuffman, huffmanLength } from './huffman.ts'
import { HUFFMAN } from './huffman-code.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const decoder = (bounds = { bytes: 32_768, fields: 256 }): HpackDecoder => new HpackDecoder(bounds)

/** `name: value` lines; null for no header block. */
function decoded(by: HpackDecoder, block: Buffer): string[] | null {
  const list: Field[] = []
  return by.decode(block, 0, block.length, list) ? list.map(({ name, value }) => `${name}: ${value}`) : null
}

const FIRST = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com']
const SECOND = [...FIRST, 'cache-control: no-cache']
const THIRD = [
  ...[':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com'],
  'custom-key: custom-value',
]

test('requests without Huffman coding (RFC 7541 C.3)', () => {
  const one = decoder()
  assert.deepEqual(decoded(one, hex('8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d')), FIRST)
  assert.deepEqual(decoded(one, hex('8286 84be 5808 6e6f 2d63 6163 6865')), SECOND)
  const third = '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65'
  assert.deepEqual(decoded(one, hex(third)), THIRD)
})

test('requests with Huffman coding (RFC 7541 C.4)', () => {
  const one = decoder()
  assert.deepEqual(decoded(one, hex('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff')), FIRST)
  assert.deepEqual(decoded(one, hex('8286 84be 5886 a8eb 1064 9cbf')), SECOND)
  assert.deepEqual(decoded(one, hex('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf')), THIRD)
})

test('literals (RFC 7541 C.2)', () => {
  const one = decoder()
  assert.deepEqual(decoded(one, hex('400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572')), [
    'custom-key: custom-header',
  ])
  assert.deepEqual(decoded(one, hex('040c 2f73 616d 706c 652f 7061 7468')), [':path: /sample/path'])
  assert.deepEqual(decoded(one, hex('1008 7061 7373 776f 7264 0673 6563 7265 74')), ['password: secret'])
  assert.deepEqual(decoded(one, hex('be')), ['custom-key: custom-header'])
})

test('responses that fill a table of 256 bytes and push each other out (RFC 7541 C.6)', () => {
  const one = decoder()
  const date = 'date: Mon, 21 Oct 2013 20:13:21 GMT'
  const location = 'location: https://www.example.com'
  const first = [
    '3fe1 01',
    '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad',
    '1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
  ].join('')
  assert.deepEqual(decoded(one, hex(first)), [':status: 302', 'cache-control: private', date, location])
  assert.deepEqual(decoded(one, hex('4883 640e ffc1 c0bf')), [':status: 307', 'cache-control: private', date, location])
  const third = [
    '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2',
    'e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
  ].join('')
  assert.deepEqual(decoded(one, hex(third)), [
    ':status: 200',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:22 GMT',
    location,
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ])
})

test('what is no header block', () => {
  const rows: readonly (readonly [what: string, block: string])[] = [
    ['index 0', '80'],
    ['an index beyond both tables', 'be'],
    ['a name by an index beyond both tables', '7e 01 61'],
    ['an integer that does not end', 'ff'],
    ['an integer of six bytes', 'ff 80 80 80 80 80 01'],
    ['an integer beyond all bounds', 'ff ff ff ff ff 7f'],
    ['a string longer than the block', '00 05 61 62'],
    ['a name without a value', '00 01 61'],
    ['a table larger than ours', '3f e2 1f'],
    ['a change of the table behind a field', '82 20'],
    ['padding of eight bits', '00 01 61 82 1f ff'],
    ['padding that is not all ones', '00 01 61 81 18'],
    ['EOS in a string', '00 01 61 84 ff ff ff ff'],
  ]
  for (const [what, block] of rows) assert.equal(decoded(decoder(), hex(block)), null, what)
})

test('changes of the table at the beginning of a block, and an entry larger than the table', () => {
  const one = decoder()
  assert.deepEqual(decoded(one, hex('20 3f e1 1f 40 01 61 01 62')), ['a: b'])
  assert.deepEqual(decoded(one, hex('be')), ['a: b'])
  // Its size is 34: a table of 33 cannot have it.
  assert.deepEqual(decoded(one, hex('3f 02 40 01 61 01 62')), ['a: b'])
  assert.equal(decoded(one, hex('be')), null)
})

test('a field that is named again is the same object', () => {
  const one = decoder()
  const list: Field[] = []
  const block = hex('40 01 61 01 62 be be 82 82')
  assert.ok(one.decode(block, 0, block.length, list))
  assert.equal(list[1], list[0])
  assert.equal(list[2], list[1])
  assert.equal(list[4], list[3])
})

test('a list over the bounds is read to its end and not kept', () => {
  const one = decoder({ bytes: 20, fields: 3 })
  // The second field is beyond 20 bytes; the third still goes into the table.
  assert.deepEqual(decoded(one, hex('40 01 61 0a 61616161616161616161 00 01 61 01 62 40 01 63 01 64')), [
    'a: aaaaaaaaaa',
  ])
  assert.equal(one.overBounds, true)
  assert.deepEqual(decoded(one, hex('be')), ['c: d'])
  assert.equal(one.overBounds, false)
  assert.deepEqual(decoded(one, hex('be be be be')), ['c: d', 'c: d', 'c: d'])
  assert.equal(one.overBounds, true)
})

test('the Huffman code is complete, and every byte comes back', () => {
  assert.equal(
    HUFFMAN.bits.reduce((sum, bits) => sum + 2 ** -bits, 0),
    1,
  )
  const all = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code))
  for (const text of [all, '', 'a', all + all]) {
    const bytes = Buffer.alloc(huffmanLength(text))
    assert.equal(encodeHuffman(text, bytes, 0), bytes.length)
    assert.equal(decodeHuffman(bytes, 0, bytes.length), text)
  }
})

test('a response head as a block', () => {
  const head = [
    ...['HTTP/1.1 203 Non-Authoritative Information', 'Content-Type: text/html', 'Connection: keep-alive'],
    ...[
      `X-Long:  ${'v'.repeat(300)}`,
      'Set-Cookie: a=b',
      'Keep-Alive: 5',
      'Transfer-Encoding: chunked',
      'ETag:',
      '',
      '',
    ],
  ].join('\r\n')
  for (const compact of [false, true]) {
    const target = { bytes: Buffer.alloc(blockBytesMax(head.length)), at: 0 }
    writeStatus(target, head)
    assert.equal(writeLines(target, head, head.indexOf('\r\n') + 2, compact), false)
    assert.deepEqual(decoded(decoder(), target.bytes.subarray(0, target.at)), [
      ':status: 203',
      'content-type: text/html',
      `x-long: ${'v'.repeat(300)}`,
      'set-cookie: a=b',
      'etag: ',
    ])
  }
})
