import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  contentRange,
  multipart,
  parseContentRange,
  parseRange,
  RANGES_MAX,
  rangeLength,
  resolveRange,
  unsatisfiedRange,
} from './range.ts'

/** `206 0-1,4-5`, `416` or `200` for an object of 10 bytes. */
function outcome(values: readonly string[], length = 10): string {
  const specs = parseRange(values)
  if (specs === null) return '200'
  const resolved = resolveRange(specs, length)
  if (resolved.kind !== 'parts') return resolved.kind === 'whole' ? '200' : '416'
  return `206 ${resolved.ranges.map(({ first, last }) => `${first}-${last}`).join()}`
}

const ROWS: readonly (readonly [value: string, expected: string])[] = [
  ['bytes=0-0', '206 0-0'],
  ['bytes=0-', '206 0-9'],
  ['bytes=9-', '206 9-9'],
  ['bytes=2-4', '206 2-4'],
  ['bytes=2-400', '206 2-9'],
  ['bytes=-3', '206 7-9'],
  ['bytes=-30', '206 0-9'],
  ['BYTES=1-2', '206 1-2'],
  ['bytes= 1-2 ', '206 1-2'],
  ['bytes=0-1,3-4', '206 0-1,3-4'],
  ['bytes=,0-1,\t ,3-4 , -2,', '206 0-1,3-4,8-9'],
  ['bytes=0-1,2-', '206 0-1,2-9'],
  ['bytes=5-99999999999999999999999999', '206 5-9'],
  ['bytes=00000000000000000000005-6', '206 5-6'],
  // Beyond the object.
  ['bytes=10-', '416'],
  ['bytes=99999999999999999999999999-', '416'],
  ['bytes=-0', '416'],
  ['bytes=10-11,20-', '416'],
  // CloudFront's rule for several parts.
  ['bytes=3-4,0-1', '200'],
  ['bytes=0-4,4-6', '200'],
  ['bytes=0-,2-3', '200'],
  ['bytes=0-1,20-30', '200'],
  ['bytes=-2,0-1', '200'],
  // Not the grammar.
  ['bytes=4-3', '200'],
  ['bytes=0-1,4-3', '200'],
  ['bytes', '200'],
  ['bytes=', '200'],
  ['bytes=,', '200'],
  ['bytes=-', '200'],
  ['bytes=1', '200'],
  ['bytes=a-b', '200'],
  ['bytes=+1-2', '200'],
  ['bytes=1.0-2', '200'],
  ['bytes=1 -2', '200'],
  ['bytes=1-2;3-4', '200'],
  ['bytes =1-2', '200'],
  [' bytes=1-2', '200'],
  ['bytes:1-2', '200'],
  ['bytes=0x1-2', '200'],
  ['bytes=1-2-3', '200'],
  ['items=0-1', '200'],
  ['', '200'],
]

for (const [value, expected] of ROWS) {
  test(`Range: ${value} of 10 bytes: ${expected}`, () => assert.equal(outcome([value]), expected))
}

test('two Range lines are obeyed as little as none', () => {
  assert.equal(outcome(['bytes=0-1', 'bytes=0-1']), '200')
  assert.equal(outcome([]), '200')
})

test('an empty object has no part, and its last bytes are all of it', () => {
  assert.equal(outcome(['bytes=0-'], 0), '416')
  assert.equal(outcome(['bytes=-5'], 0), '200')
  assert.equal(outcome(['bytes=-0'], 0), '416')
})

test('the number of parts has a limit', () => {
  const list = (count: number) => `bytes=${Array.from({ length: count }, (_, at) => `${at * 2}-${at * 2}`).join()}`
  assert.equal(parseRange([list(RANGES_MAX)])?.length, RANGES_MAX)
  assert.equal(parseRange([list(RANGES_MAX + 1)]), null)
})

test('Content-Range, written and read', () => {
  assert.equal(contentRange({ first: 0, last: 4 }, 10), 'bytes 0-4/10')
  assert.equal(unsatisfiedRange(10), 'bytes */10')
  assert.deepEqual(parseContentRange('bytes 0-4/10'), { first: 0, last: 4, length: 10 })
  assert.deepEqual(parseContentRange('bytes 0-4/*'), { first: 0, last: 4, length: null })
  for (const bad of ['bytes */10', 'bytes 4-0/10', 'bytes 0-10/10', 'items 0-4/10', 'bytes 0-4', '']) {
    assert.equal(parseContentRange(bad), null, bad)
  }
})

test('a multipart body, byte for byte', () => {
  const made = multipart([{ first: 0, last: 1 }, { first: 3, last: 3 }], 5, 'text/plain', 'B') // biome-ignore format: one line
  assert.equal(made.contentType, 'multipart/byteranges; boundary=B')
  const text = bodyOf(made.pieces, Buffer.from('abcde')).toString('latin1')
  assert.equal(
    text,
    '--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/5\r\n\r\nab' +
      '\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 3-3/5\r\n\r\nd\r\n--B--\r\n',
  )
  assert.equal(made.length, text.length)
  const [head] = multipart([{ first: 0, last: 1 }], 5, '', 'B').pieces
  assert.equal(head, '--B\r\nContent-Range: bytes 0-1/5\r\n\r\n')
})

const bodyOf = (pieces: ReturnType<typeof multipart>['pieces'], body: Buffer): Buffer =>
  Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : slice(body, piece))))
const slice = (body: Buffer, { first, last }: { first: number; last: number }) => body.subarray(first, last + 1)

/** Texts that are nearly ranges, and any text at all. */
const rangeText = fc.oneof(
  fc.string(),
  fc
    .array(
      fc.oneof(
        fc.tuple(fc.nat(60), fc.nat(60)).map(([a, b]) => `${a}-${b}`),
        fc.nat(60).map((a) => `${a}-`),
        fc.nat(60).map((a) => `-${a}`),
        fc.bigInt({ min: 0n, max: 10n ** 40n }).map((a) => `0-${a}`),
        fc.string({ maxLength: 4 }),
      ),
      { maxLength: 5 },
    )
    .map((parts) => `bytes=${parts.join(', ')}`),
)

test('whatever is asked, an accepted range lies within the object, ascending and without overlap', () => {
  fc.assert(
    fc.property(rangeText, fc.nat(50), (text, length) => {
      const specs = parseRange([text])
      if (specs === null) return
      const resolved = resolveRange(specs, length)
      if (resolved.kind !== 'parts') return
      assert.equal(resolved.ranges.length, specs.length)
      let before = -1
      for (const range of resolved.ranges) {
        assert.ok(range.first > before && range.first <= range.last && range.last < length, text)
        before = range.last
      }
    }),
    { numRuns: 2_000 },
  )
})

test('the parts of a multipart body are the slices of the object, and its length is as told', () => {
  const cuts = fc.uniqueArray(fc.nat(199), { minLength: 2, maxLength: 20 })
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 200, maxLength: 200 }), cuts, (bytes, points) => {
      const object = Buffer.from(bytes)
      const sorted = points.toSorted((a, b) => a - b)
      const ranges = sorted.flatMap((first, at) => {
        const last = sorted[at + 1]
        return at % 2 === 0 && last !== undefined ? [{ first, last }] : []
      })
      const header = `bytes=${ranges.map(({ first, last }) => `${first}-${last}`).join()}`
      const specs = parseRange([header])
      assert.ok(specs !== null)
      const resolved = resolveRange(specs, 200)
      assert.ok(resolved.kind === 'parts')
      assert.deepEqual(resolved.ranges, ranges)
      const made = multipart(resolved.ranges, 200, 'a/b', 'boundary')
      assert.equal(bodyOf(made.pieces, object).length, made.length)
      const parts = made.pieces.filter((piece) => typeof piece !== 'string')
      assert.deepEqual(
        Buffer.concat(parts.map((part) => slice(object, part))),
        Buffer.concat(ranges.map((range) => slice(object, range))),
      )
      assert.deepEqual(parts.map(rangeLength), ranges.map(rangeLength))
    }),
    { numRuns: 300 },
  )
})
