import assert from 'node:assert/strict'
import { test } from 'node:test'
import { INDEX } from './object.ts'
import {
  judgeSlice,
  makeIndex,
  type SlicedVersion,
  sliceBytesFor,
  slicedVersion,
  sliceHeaders,
  sliceKey,
  sliceRange,
  versionName,
  versionOf,
} from './slices.ts'

const MIB = 1024 * 1024
const NOW = Date.UTC(2026, 0, 1)
const VERSION: SlicedVersion = {
  key: 'E1 /film',
  length: 2 * MIB + 5,
  sliceBytes: MIB,
  validator: { kind: 'etag', value: '"v1"' },
  tags: '',
}

test('slices are a quarter of what a store keeps whole, from 64 KiB to 1 MiB', () => {
  const rows = [
    [16 * MIB, MIB],
    [4 * MIB, MIB],
    [4 * MIB - 1, MIB / 2],
    [MIB, MIB / 4],
    [MIB / 2, MIB / 8],
    [1, MIB / 16],
  ] as const
  for (const [objectBytesMax, bytes] of rows) assert.equal(sliceBytesFor(objectBytesMax), bytes)
})

test('the last slice is as long as what is left', () => {
  assert.deepEqual(sliceRange({ of: VERSION, at: 0 }), { first: 0, last: MIB - 1 })
  assert.deepEqual(sliceRange({ of: VERSION, at: 2 }), { first: 2 * MIB, last: 2 * MIB + 4 })
})

test('a key names number and version: no two versions share a slice', () => {
  const key = sliceKey({ of: VERSION, at: 1 })
  assert.equal(key, `E1 /film\n#slice 1 ${MIB} ${2 * MIB + 5} "v1"`)
  const others: Partial<SlicedVersion>[] = [
    { length: 2 * MIB + 6 },
    { sliceBytes: MIB / 2 },
    { validator: { kind: 'etag', value: '"v2"' } },
    { key: 'E1 /film2' },
  ]
  for (const other of others) assert.notEqual(sliceKey({ of: { ...VERSION, ...other }, at: 1 }), key)
})

test('kept in slices: a known length, ranges on offer, a strong validator', () => {
  const date = 'Thu, 01 Jan 2026 00:00:00 GMT'
  const rows: readonly [readonly string[], string | null][] = [
    [['Accept-Ranges', 'bytes', 'ETag', '"a"'], '"a"'],
    [['Accept-Ranges', 'none, Bytes', 'ETag', '"a"'], '"a"'],
    [['ETag', '"a"'], null],
    [['Accept-Ranges', 'none', 'ETag', '"a"'], null],
    [['Accept-Ranges', 'bytes', 'ETag', 'W/"a"'], null],
    [['Accept-Ranges', 'bytes', 'ETag', '"a'], null],
    [['Accept-Ranges', 'bytes'], null],
    [
      ['Accept-Ranges', 'bytes', 'ETag', 'W/"a"', 'Last-Modified', 'Wed, 31 Dec 2025 23:59:59 GMT', 'Date', date],
      'Wed, 31 Dec 2025 23:59:59 GMT',
    ],
    // Within the second in which it was changed it may change again.
    [['Accept-Ranges', 'bytes', 'Last-Modified', date, 'Date', date], null],
    [['Accept-Ranges', 'bytes', 'Last-Modified', date], null],
  ]
  for (const [headers, expected] of rows) {
    const version = slicedVersion('k', headers, 100 * MIB, 16 * MIB, NOW)
    assert.equal(version?.validator.value ?? null, expected, headers.join(' '))
  }
  assert.equal(slicedVersion('k', ['Accept-Ranges', 'bytes', 'ETag', '"a"'], null, 16 * MIB, NOW), null)
})

test('the origin is asked for the bytes of this version only', () => {
  assert.deepEqual(sliceHeaders({ of: VERSION, at: 2 }), [
    'Range',
    `bytes=${2 * MIB}-${2 * MIB + 4}`,
    'If-Match',
    '"v1"',
  ])
  const dated: SlicedVersion = { ...VERSION, validator: { kind: 'last-modified', value: 'x' } }
  assert.deepEqual(sliceHeaders({ of: dated, at: 0 }).slice(2), ['If-Unmodified-Since', 'x'])
})

test('what the origin answers for a slice', () => {
  const right = ['ETag', '"v1"', 'Content-Range', `bytes 0-${MIB - 1}/${2 * MIB + 5}`, 'Content-Length', `${MIB}`]
  const but = (name: string, ...value: string[]): string[] => {
    const at = right.indexOf(name)
    return [...right.slice(0, at), ...value.flatMap((one) => [name, one]), ...right.slice(at + 2)]
  }
  const rows: readonly [number, readonly string[], string][] = [
    [206, right, 'right'],
    [206, but('ETag', '"v2"'), 'changed'],
    [206, but('ETag', 'W/"v1"'), 'changed'],
    [206, but('ETag'), 'refused'],
    [206, but('Content-Range', `bytes 0-${MIB - 1}/${2 * MIB + 6}`), 'changed'],
    [206, but('Content-Range', `bytes 0-${MIB - 1}/*`), 'changed'],
    [206, but('Content-Range', `bytes 0-${MIB}/${2 * MIB + 5}`), 'refused'],
    [206, but('Content-Range', `bytes 1-${MIB - 1}/${2 * MIB + 5}`), 'refused'],
    [206, but('Content-Range'), 'refused'],
    [206, but('Content-Range', `bytes 0-${MIB - 1}/${2 * MIB + 5}`, `bytes 0-${MIB - 1}/${2 * MIB + 5}`), 'refused'],
    [206, but('Content-Length', `${MIB + 1}`), 'refused'],
    [206, but('Content-Length'), 'refused'],
    [200, right, 'refused'],
    [200, but('ETag', '"v2"'), 'changed'],
    [412, [], 'changed'],
    [416, [], 'changed'],
    [404, [], 'changed'],
    [304, right, 'changed'],
    [403, [], 'failed'],
    [429, [], 'failed'],
    [500, [], 'failed'],
    [503, right, 'failed'],
  ]
  for (const [status, headers, verdict] of rows) {
    assert.equal(judgeSlice({ of: VERSION, at: 0 }, status, headers), verdict, `${status} ${headers.join(' ')}`)
  }
})

test('an index tells what it leads to', () => {
  const answer = {
    status: 200,
    head: 'HTTP/1.1 200 OK\r\n',
    length: 1,
    contentType: 'video/mp4',
    etag: '"v1"',
    lastModified: '',
    bornAt: 1,
    freshUntil: 2,
    staleUntil: 3,
    swrUntil: 2,
    ttlSource: 'max-age',
    notStored: null,
    asOf: 7,
    tags: 'x-tags,a,',
    variant: '',
  } as const
  const index = makeIndex(VERSION, answer, { distributionId: 'E1', uri: '/film' })
  assert.deepEqual([index.status, index.key, index.asOf], [INDEX.slices, 'E1 /film', 7])
  assert.deepEqual(versionOf(index), { ...VERSION, tags: 'x-tags,a,' })
  assert.equal(versionName(versionOf(index)), versionName(VERSION))
})
