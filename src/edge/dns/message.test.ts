import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as packet from 'dns-packet'
import fc from 'fast-check'
import { answeredSubnet, readClientSubnet } from './client-subnet.ts'
import { type Answering, reply } from './message.ts'
import type { ZoneAnswer } from './zone.ts'

const located: string[] = []
const asked: string[] = []
const answering = (answer: Partial<ZoneAnswer> = {}): Answering => ({
  zone: {
    edgeDomain: 'z.test',
    topology: { pops: [], regionals: [] },
    addresses: new Map(),
    server: { v4: [], v6: [] },
  },
  locate: (address) => {
    located.push(address)
    return null
  },
  answer: ({ name, type }) => {
    asked.push(`${name} ${type}`)
    const answers = [{ type: 'A', data: '192.0.2.1' }] as const
    return { rcode: 'NOERROR', answers, negative: false, ttl: 60, varies: true, pop: 'P', ...answer }
  },
})

const query = (changes: object = {}) =>
  packet.encode({
    type: 'query',
    id: 4711,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type: 'A', name: 'D1.z.test', class: 'IN' }],
    ...changes,
  })
const opt = (options: object[] = [], changes: object = {}) => ({
  additionals: [
    {
      ...{
        type: 'OPT',
        name: '.',
        udpPayloadSize: 4_096,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options,
      },
      ...changes,
    },
  ],
})
const subnet = (...bytes: number[]) => ({ code: 8, data: Buffer.from(bytes) })
function answered(bytes: Buffer, overTcp = false, answer: Partial<ZoneAnswer> = {}) {
  const message = reply({ bytes, from: '192.0.2.9', overTcp }, answering(answer))
  assert.ok(message)
  return { message, ...packet.decode(message), flags: message.readUInt16BE(2), rcode: message.readUInt16BE(2) & 15 }
}

test('an answer repeats id and question as they came, and is authoritative', () => {
  const { id, questions, answers, flags, rcode, additionals } = answered(query())
  assert.deepEqual([id, rcode, questions?.[0]?.name], [4711, 0, 'D1.z.test'])
  assert.equal(flags & 0x8500, 0x8500)
  assert.deepEqual(
    answers?.map((record) => [record.type, record.name, 'data' in record && record.data]),
    [['A', 'D1.z.test', '192.0.2.1']],
  )
  assert.deepEqual(additionals, [])
})

test('EDNS: our size is told, the client subnet is looked at and told back with its scope', () => {
  const { additionals } = answered(query(opt([subnet(0, 1, 24, 0, 81, 2, 69)])))
  assert.equal(located.at(-1), '81.2.69.0')
  const [record] = additionals ?? []
  assert.ok(record?.type === 'OPT')
  assert.equal(record.udpPayloadSize, 1_232)
  assert.deepEqual([...(record.options[0]?.data ?? [])], [0, 1, 24, 24, 81, 2, 69])
  answered(query(opt([subnet(0, 2, 32, 0, 0x20, 0x01, 0x0d, 0xb8)])))
  assert.equal(located.at(-1), '2001:0db8:0000:0000:0000:0000:0000:0000')
  // A resolver that hides its client, and one that says nothing.
  answered(query(opt([subnet(0, 1, 0, 0)])))
  assert.equal(located.at(-1), '192.0.2.9')
  answered(query(opt()))
  assert.equal(located.at(-1), '192.0.2.9')
})

test('scope: no longer than what was looked at, nothing where all get the same', () => {
  const of = (bits: number, varies: boolean) => {
    const read = readClientSubnet(Buffer.from([0, 1, bits, 0, 81, 2, 69, 0].slice(0, 4 + Math.ceil(bits / 8))))
    assert.ok(read !== 'malformed')
    return answeredSubnet(read, varies)[3]
  }
  assert.deepEqual([of(16, true), of(32, true), of(24, false)], [16, 24, 0])
})

test('what is no query that can be answered', () => {
  const header = query().subarray(0, 12)
  const two = query()
  two.writeUInt16BE(2, 4)
  const update = query()
  update.writeUInt16BE(5 << 11, 2)
  const rows: [what: string, bytes: Buffer, rcode: number | null][] = [
    ['nothing', Buffer.alloc(0), null],
    ['half a header', header.subarray(0, 11), null],
    ['an answer', packet.encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'd1.z.test' }] }), null],
    ['a header that speaks of a question', header, 1],
    ['no question', packet.encode({ type: 'query', id: 1, questions: [] }), 1],
    ['two questions, one of which is there', two, 1],
    ['an update', update, 4],
    ['a name that points to itself', Buffer.from([...header, 0xc0, 12, 0, 1, 0, 1]), 1],
    ['another class', query({ questions: [{ type: 'A', name: 'd1.z.test', class: 'CH' }] }), 5],
    ['two OPT records', query({ additionals: [...opt().additionals, ...opt().additionals] }), 1],
    ['a subnet of an unknown family', query(opt([subnet(0, 3, 8, 0, 1)])), 1],
    ['a subnet with bits behind its prefix', query(opt([subnet(0, 1, 9, 0, 1, 1)])), 1],
    ['a subnet with too few bytes', query(opt([subnet(0, 1, 24, 0, 1)])), 1],
    ['a subnet with a scope', query(opt([subnet(0, 1, 8, 8, 1)])), 1],
    ['a subnet of 33 bits', query(opt([subnet(0, 1, 33, 0, 1, 1, 1, 1, 0)])), 1],
  ]
  for (const [what, bytes, rcode] of rows) {
    const message = reply({ bytes, from: '192.0.2.9', overTcp: false }, answering())
    assert.equal(message === null ? null : message.readUInt16BE(2) & 15, rcode, what)
    if (message !== null) assert.equal(message.readUInt16BE(0), bytes.readUInt16BE(0))
  }
})

test('another version of EDNS is BADVERS', () => {
  const { additionals, rcode, answers } = answered(query(opt([], { ednsVersion: 1 })))
  const [record] = additionals ?? []
  assert.ok(record?.type === 'OPT')
  assert.deepEqual([rcode, record.extendedRcode, answers], [0, 1, []])
})

test('an answer that the asker does not take is cut off over UDP, and whole over TCP', () => {
  const answers = Array.from({ length: 90 }, (_, at) => ({ type: 'A' as const, data: `192.0.2.${at}` }))
  const small = answered(query(), false, { answers })
  assert.ok(small.message.length <= 512)
  assert.deepEqual([small.flags & 0x200, small.answers], [0x200, []])
  assert.ok(answered(query(opt()), false, { answers }).message.length <= 1_232)
  assert.equal(answered(query(), true, { answers }).answers?.length, 90)
})

test('no name makes an answer much longer than its question', () => {
  const name = `${Array(4).fill('a'.repeat(50)).join('.')}.z.test`
  const bytes = query({ questions: [{ type: 'A', name, class: 'IN' }] })
  const { message, rcode, authorities } = answered(bytes, false, { rcode: 'NXDOMAIN', answers: [], negative: true })
  assert.deepEqual([rcode, authorities?.[0]?.type], [3, 'SOA'])
  assert.ok(message.length < bytes.length + 120)
})

test('bytes of any kind are answered or dropped, never thrown at', () => {
  const mutated = fc
    .tuple(fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 6 }), fc.nat(90))
    .map(([edits, length]) => {
      const bytes = Buffer.from(query(opt([subnet(0, 1, 24, 0, 81, 2, 69)])))
      for (const [at, byte] of edits) if (at < bytes.length) bytes[at] = byte
      return bytes.subarray(0, Math.max(12, length))
    })
  const any = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(mutated, any), fc.boolean(), (bytes, overTcp) => {
      const message = reply({ bytes, from: '192.0.2.9', overTcp }, answering())
      if (message !== null && !overTcp) assert.ok(message.length <= 1_232)
    }),
    { numRuns: 3_000 },
  )
})
