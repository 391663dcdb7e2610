import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bytesOfPart,
  holds,
  isOneVersion,
  isWhole,
  join,
  packPart,
  placeIn,
  placeOf,
  placeOfPart,
  wholeHead,
} from './parts.ts'

const place = (first: number, last: number, length: number) => ({ first, last, length })

test('a 206 of one part with a whole length has a place', () => {
  const rows: readonly [number, readonly string[], ReturnType<typeof place> | null][] = [
    [206, ['Content-Range', 'bytes 2-5/10'], place(2, 5, 10)],
    [200, ['Content-Range', 'bytes 2-5/10'], null],
    [206, ['Content-Range', 'bytes 2-5/*'], null],
    [206, ['Content-Range', 'bytes 5-2/10'], null],
    [206, ['Content-Range', 'bytes 2-10/10'], null],
    [206, ['Content-Range', 'bytes 0-1/10', 'Content-Range', 'bytes 2-3/10'], null],
    [206, ['Content-Type', 'multipart/byteranges; boundary=x'], null],
  ]
  for (const [status, headers, expected] of rows) assert.deepEqual(placeIn(status, headers), expected)
})

test('what has come is what there is', () => {
  assert.deepEqual(placeOf(place(2, 5, 10), 4), { place: place(2, 5, 10), sure: true })
  assert.deepEqual(placeOf(place(4, 9, 10), 5), { place: place(4, 8, 9), sure: false })
  assert.deepEqual(placeOf(place(2, 5, 10), 3), { place: place(2, 4, 10), sure: false })
  assert.deepEqual(placeOf(place(2, 5, 10), 6), { place: place(2, 7, 10), sure: false })
  assert.equal(placeOf(place(2, 5, 10), 9), null)
  assert.equal(placeOf(place(2, 5, 10), 0), null)
})

test('a stored part tells its place and its bytes', () => {
  const body = Buffer.concat(packPart(place(2 ** 40, 2 ** 40 + 3, 2 ** 41), [Buffer.from('ab'), Buffer.from('cd')]))
  assert.deepEqual(placeOfPart({ body }), place(2 ** 40, 2 ** 40 + 3, 2 ** 41))
  assert.equal(bytesOfPart({ body }).toString(), 'abcd')
})

test('a part holds what lies within it', () => {
  assert.ok(
    holds(place(2, 5, 10), [
      { first: 2, last: 2 },
      { first: 4, last: 5 },
    ]),
  )
  assert.ok(!holds(place(2, 5, 10), [{ first: 1, last: 3 }]))
  assert.ok(
    !holds(place(2, 5, 10), [
      { first: 3, last: 3 },
      { first: 5, last: 6 },
    ]),
  )
})

test('one version: equal strong validators, and nothing less', () => {
  const of = (etag: string, lastModified = '', date?: string) => ({ etag, lastModified, date })
  const [older, later] = ['Wed, 21 Oct 2015 07:28:00 GMT', 'Wed, 21 Oct 2015 07:28:05 GMT']
  const now = Date.UTC(2026, 0, 1)
  assert.ok(isOneVersion(of('"a"'), of('"a"', older), now))
  assert.ok(isOneVersion(of('', older, later), of('', older, later), now))
  const others = [
    [of('"a"'), of('"b"')],
    [of('W/"a"'), of('W/"a"')],
    [of(''), of('')],
    [of('', older, older), of('', older, older)],
    [of('"a"', older, later), of('', older, later)],
  ] as const
  for (const [x, y] of others) assert.ok(!isOneVersion(x, y, now))
})

test('any two parts of one object that touch make the same bytes as one', () => {
  const cut = fc.tuple(fc.nat(99), fc.nat(99)).map(([x, y]) => [Math.min(x, y), Math.max(x, y)] as const)
  const whole = Buffer.from(Array.from({ length: 100 }, (_, at) => at))
  fc.assert(
    fc.property(cut, cut, ([a, b], [c, d]) => {
      const part = (first: number, last: number) => ({
        place: place(first, last, 100),
        bytes: whole.subarray(first, last + 1),
      })
      const joined = join(part(a, b), part(c, d))
      if (joined === null) {
        assert.ok(c > b + 1 || a > d + 1)
        return
      }
      const { first, last } = joined.place
      assert.deepEqual([first, last], [Math.min(a, c), Math.max(b, d)])
      assert.ok(Buffer.concat(joined.chunks).equals(whole.subarray(first, last + 1)))
      assert.equal(isWhole(joined.place), first === 0 && last === 99)
    }),
  )
  const x = { place: place(0, 4, 10), bytes: whole.subarray(0, 5) }
  assert.equal(join(x, { place: place(5, 9, 11), bytes: whole.subarray(5, 10) }), null, 'objects of two lengths')
})

test('the head of the whole is that of the part without what describes the part', () => {
  const head = 'HTTP/1.1 206 Partial Content\r\nA: 1\r\nContent-Range: bytes 0-1/5\r\nETag: "a"\r\n'
  assert.equal(wholeHead(head), 'HTTP/1.1 200 OK\r\nA: 1\r\nETag: "a"\r\n')
})
