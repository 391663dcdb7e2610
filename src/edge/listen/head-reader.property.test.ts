import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ChunkedReader } from './chunked.ts'
import { HeadReader } from './head-reader.ts'
import { ParsedHeaders, parseHeaders } from './header-block.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { parseRequestLine } from './request-line.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
})
const part = fc.oneof(
  latin1,
  fc.constantFrom(
    'GET ', 'POST ', '/', '/a?b', ' HTTP/1.1', ' HTTP/1.0', '\r\n', '\r\n\r\n', '\n', '\r', 'Host: a', 'Host:', 'Content-Length: 3',
    'Transfer-Encoding: chunked', 'Expect: 100-continue', 'Connection: close', ': ', ' ', '\t', 'X: y', '0', '3', '\0',
  ),
) // biome-ignore format: a list
const stream = fc.array(part, { maxLength: 20 }).map((parts) => parts.join(''))

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/)
const text = fc.stringMatching(/^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?$/)
const isFraming = (name: string): boolean => /^(host|expect|connection|content-length|transfer-encoding)$/i.test(name)
const fields = fc.array(
  fc.tuple(
    token.filter((name) => !isFraming(name)),
    fc.oneof(text, fc.constant('')),
  ),
  { maxLength: 8 },
)
const target = fc.stringMatching(/^\/[!"$-~]{0,30}$/)

test('any bytes have an outcome; what is whole ends within them, and no proper beginning of it is whole', () => {
  fc.assert(
    fc.property(stream, (input) => {
      const bytes = bytesOf(input)
      const reader = new HeadReader(DEFAULT_LIMITS)
      const outcome = reader.read(bytes, input, 0)
      if (outcome !== 'whole') return
      assert.ok(reader.end > 0 && reader.end <= bytes.length)
      const shorter = input.slice(0, reader.end - 1)
      assert.equal(new HeadReader(DEFAULT_LIMITS).read(bytesOf(shorter), shorter, 0), 'incomplete')
    }),
    { numRuns: 3_000 },
  )
})

test('a refusal is for good: no further bytes make a head whole that was refused', () => {
  fc.assert(
    fc.property(stream, stream, (input, more) => {
      const outcome = new HeadReader(DEFAULT_LIMITS).read(bytesOf(input), input, 0)
      if (outcome === 'whole' || outcome === 'incomplete') return
      const longer = input + more
      const later = new HeadReader(DEFAULT_LIMITS).read(bytesOf(longer), longer, 0)
      assert.ok(later !== 'whole' && later !== 'incomplete', `${outcome}, then ${later}`)
    }),
    { numRuns: 3_000 },
  )
})

test('a well-formed head is read as it was written, whatever the reader read before', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(target, fields), { minLength: 1, maxLength: 3 }), (heads) => {
      const reader = new HeadReader(DEFAULT_LIMITS)
      let input = ''
      for (const [url, names] of heads) {
        input += `GET ${url} HTTP/1.1\r\nHost: h\r\n${names.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
      }
      const bytes = bytesOf(input)
      let at = 0
      for (const [url, names] of heads) {
        assert.equal(reader.read(bytes, input, at), 'whole')
        const { path, query } = reader.line ?? { path: '', query: null }
        assert.equal(query === null ? path : `${path}?${query}`, url)
        assert.deepEqual(reader.headers?.raw, ['Host', 'h', ...names.flat()])
        at = reader.end
      }
      assert.equal(at, bytes.length)
    }),
  )
})

test('a header block: any bytes are read or refused; what is read holds no line break, no NUL, no edge of spaces', () => {
  fc.assert(
    fc.property(stream, (input) => {
      const parsed = parseHeaders(bytesOf(input), input, DEFAULT_LIMITS.headers)
      if (!(parsed instanceof ParsedHeaders)) return
      for (const [at, piece] of parsed.raw.entries()) {
        assert.doesNotMatch(piece, /[\r\n\0]|^[ \t]|[ \t]$/)
        if (at % 2 === 0) assert.match(piece, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/)
      }
      const { contentLength, chunked } = parsed.facts
      assert.ok(contentLength >= -1 && Number.isSafeInteger(contentLength) && !(chunked && contentLength >= 0))
    }),
    { numRuns: 3_000 },
  )
})

test('a request line: any text is read or refused; what is read goes to the origin without a space or a control byte', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        stream,
        target.map((url) => `GET ${url} HTTP/1.1`),
      ),
      (line) => {
        const parsed = parseRequestLine(line, DEFAULT_LIMITS.urlBytes)
        if (typeof parsed === 'string') return
        assert.match(parsed.path, /^\/[\x21\x22\x24-\x7e]*$/)
        assert.ok(parsed.query === null || /^[\x21\x22\x24-\x7e]*$/.test(parsed.query))
        assert.ok(!parsed.path.includes('?'))
      },
    ),
    { numRuns: 3_000 },
  )
})

/** Reads a chunked body that comes in pieces of these sizes. */
function readChunked(input: string, sizes: readonly number[]) {
  const bytes = bytesOf(input)
  const reader = new ChunkedReader()
  let data = ''
  let at = 0
  for (let n = 0; at < bytes.length; n++) {
    const piece = bytes.subarray(at, at + (sizes[n % sizes.length] as number))
    const { outcome, used } = reader.read(piece, 0, (chunk) => {
      data += chunk.toString('latin1')
    })
    if (outcome !== 'more') return { outcome, data, end: outcome === 'end' ? at + used : -1 }
    at += piece.length
  }
  return { outcome: 'more' as const, data, end: -1 }
}

const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 })
const chunkPart = fc.oneof(
  fc.constantFrom('0', '3', '1a', '\r\n', '\n', '\r', 'abc', ';', '=', '"', 'T: u', '0\r\n\r\n', '3\r\nabc\r\n', ' ', '-', 'fffffffffffff'),
  latin1,
) // biome-ignore format: a list

test('chunks: how the bytes are cut decides nothing, and the end is never past them', () => {
  fc.assert(
    fc.property(
      fc.array(chunkPart, { maxLength: 12 }).map((parts) => parts.join('')),
      sizes,
      (input, by) => {
        const whole = readChunked(input, [input.length || 1])
        const pieces = readChunked(input, by)
        assert.deepEqual([pieces.outcome, pieces.end], [whole.outcome, whole.end])
        if (whole.outcome === 'end') assert.equal(pieces.data, whole.data)
        assert.ok(whole.end <= input.length)
      },
    ),
    { numRuns: 3_000 },
  )
})

test('chunks: well-formed ones are their data, in any cut, and what follows them is left', () => {
  // Without escapes in quotes: they are refused, for not everybody reads them alike.
  const extension = fc.constantFrom('', ';a', ';a=b', ';a="b;=c"', ';a;b=c')
  const chunk = fc.tuple(
    latin1.filter((data) => data !== ''),
    extension,
    fc.boolean(),
  )
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 6 }), sizes, latin1, (chunks, by, rest) => {
      const body = chunks
        .map(([data, ext, zeros]) => `${zeros ? '00' : ''}${data.length.toString(16)}${ext}\r\n${data}\r\n`)
        .join('')
      const input = `${body}0\r\nT: u\r\n\r\n`
      const read = readChunked(input + rest, by)
      assert.deepEqual(read, { outcome: 'end', data: chunks.map(([data]) => data).join(''), end: input.length })
    }),
  )
})
