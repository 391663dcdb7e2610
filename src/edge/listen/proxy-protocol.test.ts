import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PROXY_HEADER_BYTES_MAX, readProxyHeader } from './proxy-protocol.ts'

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

function v2(versionCommand: number, family: number, rest: Buffer, length = rest.length): Buffer {
  const fixed = Buffer.from([versionCommand, family, length >> 8, length & 255])
  return Buffer.concat([SIGNATURE, fixed, rest])
}

const FOUR = Buffer.from([203, 0, 113, 7, 192, 0, 2, 1, 0xdc, 0x04, 0x01, 0xbb])
const SIX = Buffer.concat([
  Buffer.from('20010db8000000000000000000000007', 'hex'),
  Buffer.from('00000000000000000000ffffc0000201', 'hex'),
  Buffer.from([0xdc, 0x04, 0x01, 0xbb]),
])
const tlv = (type: number, value: string): Buffer =>
  Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), Buffer.from(value)])
const four = { remoteAddress: '203.0.113.7', remotePort: 56_324, localAddress: '192.0.2.1', localPort: 443 }
const six = { ...four, remoteAddress: '2001:db8::7' }

const WHOLE: readonly (readonly [what: string, bytes: Buffer | string, ends: typeof four | null])[] = [
  ['TCP4', 'PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n', four],
  ['TCP6', 'PROXY TCP6 2001:DB8:0::7 ::ffff:192.0.2.1 56324 443\r\n', six],
  [
    'the longest line',
    'PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n',
    {
      ...{ remoteAddress: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', remotePort: 65_535 },
      ...{ localAddress: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', localPort: 65_535 },
    },
  ],
  ['UNKNOWN', 'PROXY UNKNOWN\r\n', null],
  ['UNKNOWN with anything', 'PROXY UNKNOWN ffff::1 x 65535 99999\r\n', null],
  ['v2 IPv4', v2(0x21, 0x11, FOUR), four],
  ['v2 IPv6', v2(0x21, 0x21, SIX), six],
  [
    'v2 with authority, ALPN, SSL and a checksum',
    v2(0x21, 0x11, Buffer.concat([FOUR, tlv(2, 'a.test'), tlv(1, 'h2'), tlv(0x20, '\x01\0\0\0\0'), tlv(3, 'abcd')])),
    four,
  ],
  ['v2 LOCAL', v2(0x20, 0x00, Buffer.alloc(0)), null],
  ['v2 LOCAL with addresses', v2(0x20, 0x11, FOUR), null],
  ['v2 UNSPEC', v2(0x21, 0x00, Buffer.from('whatever')), null],
  ['v2 over UDP', v2(0x21, 0x12, FOUR), null],
  ['v2 of a Unix socket', v2(0x21, 0x31, Buffer.alloc(216)), null],
  ['the longest v2', v2(0x21, 0x11, Buffer.concat([FOUR, tlv(4, ' '.repeat(PROXY_HEADER_BYTES_MAX - 31))])), four],
]

const MALFORMED: readonly (readonly [what: string, bytes: Buffer | string])[] = [
  ['a request', 'GET / HTTP/1.1\r\n'],
  ['a ClientHello', Buffer.from([0x16, 3, 1, 2, 0])],
  ['lower case', 'proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n'],
  ['another family', 'PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n'],
  ['an address of the other family', 'PROXY TCP4 ::1 ::1 1 2\r\n'],
  ['an octet too large', 'PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n'],
  ['two spaces', 'PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n'],
  ['no ports', 'PROXY TCP4 1.1.1.1 2.2.2.2\r\n'],
  ['a port too large', 'PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n'],
  ['a port with a zero before', 'PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n'],
  ['something behind', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n'],
  ['a line feed alone', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\nGET / HTTP/1.1\r\n'],
  ['a line over 107 bytes', `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`],
  ['a line without an end', `PROXY ${'x'.repeat(101)}`],
  ['v2 of version 1', v2(0x11, 0x11, FOUR)],
  ['v2 with an unknown command', v2(0x22, 0x11, FOUR)],
  ['v2 with an unknown family', v2(0x21, 0x41, FOUR)],
  ['v2 with an unknown transport', v2(0x21, 0x13, FOUR)],
  ['v2 shorter than its addresses', v2(0x21, 0x11, FOUR.subarray(0, 11))],
  ['v2 with an extension past its end', v2(0x21, 0x11, Buffer.concat([FOUR, Buffer.from([2, 0, 9, 1])]))],
  ['v2 with half of an extension', v2(0x21, 0x11, Buffer.concat([FOUR, Buffer.from([2, 0])]))],
  ['v2 over the limit', v2(0x21, 0x11, FOUR, PROXY_HEADER_BYTES_MAX - 15)],
]

const bytesOf = (bytes: Buffer | string): Buffer => (typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)

test('who a PROXY header names, and where it ends', () => {
  for (const [what, text, ends] of WHOLE) {
    const header = bytesOf(text)
    const whole = { kind: 'whole', length: header.length, ends }
    assert.deepEqual(readProxyHeader(header), whole, what)
    assert.deepEqual(readProxyHeader(Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\n')])), whole, what)
    for (let length = 0; length < header.length; length += header.length > 300 ? 97 : 1)
      assert.equal(readProxyHeader(header.subarray(0, length)).kind, 'incomplete', `${what}: ${length} bytes`)
  }
})

test('what is no PROXY header', () => {
  for (const [what, text] of MALFORMED) assert.deepEqual(readProxyHeader(bytesOf(text)), { kind: 'malformed' }, what)
})

test('whatever comes, the end of a header is within its bytes, and what was malformed stays so', () => {
  const headers = WHOLE.map(([, text]) => bytesOf(text)).filter(({ length }) => length < 300)
  const changed = fc
    .tuple(fc.constantFrom(...headers), fc.nat(299), fc.nat(255))
    .map(([header, at, byte]) => Buffer.from(header.map((old, n) => (n === at % header.length ? byte : old))))
  fc.assert(
    fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 120 }).map(Buffer.from)), fc.nat(299), (bytes, cut) => {
      const all = readProxyHeader(bytes)
      const some = readProxyHeader(bytes.subarray(0, cut))
      if (some.kind !== 'incomplete') assert.deepEqual(all.kind, some.kind)
      if (all.kind === 'whole') assert.ok(all.length <= bytes.length)
    }),
  )
})
