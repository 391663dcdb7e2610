//! DNS messages in and out (RFC 1035, 6891): a query to a question, an answer of the zone to bytes. Nothing that comes
//! throws: what is no query gets FORMERR, NOTIMP or nothing. An answer over UDP is never longer than the asker takes, nor
//! than 1,232 bytes; a longer one is cut off, so that the asker comes by TCP.
import * as packet from 'dns-packet'
import type { Coordinates } from '../../domain/distance.ts'
import { addressIn, answeredSubnet, type ClientSubnet, readClientSubnet } from './client-subnet.ts'
import type { Question, Zone, ZoneAnswer, ZoneRecord } from './zone.ts'

/** Bytes of an answer over UDP: without EDNS, and at most (the value of the DNS flag day 2020). */
const UDP_BYTES = 512
const UDP_BYTES_MAX = 1_232
const HEADER_BYTES = 12
const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const
/** Upper bits of the extended code BADVERS (16). */
const BADVERS_UPPER = 1
const CLIENT_SUBNET = 8
const IS_ANSWER = 1 << 15
/** Authoritative, cut off, recursion wanted (is told back). */
const AA = 1 << 10
const TC = 1 << 9
const RD = 1 << 8

export interface Asked {
  readonly bytes: Buffer
  /** The resolver's address. */
  readonly from: string
  readonly overTcp: boolean
}

/** What decides: finds the asker, asks the zone. */
export interface Answering {
  readonly zone: Zone
  /** Where an address is; null when nobody knows. */
  locate(address: string): Coordinates | null
  answer(question: Question, client: Coordinates | null): ZoneAnswer
}

/** The answer's bytes; null for what gets none: a message too short to be answered, or an answer. Never throws. */
export function reply(asked: Asked, answering: Answering): Buffer | null {
  const { bytes } = asked
  if (bytes.length < HEADER_BYTES) return null
  const flags = bytes.readUInt16BE(2)
  // An answer to an answer would go on for ever between two servers.
  if ((flags & IS_ANSWER) !== 0) return null
  if (((flags >> 11) & 15) !== 0) return bare(bytes, 'NOTIMP')
  try {
    const query = packet.decode(bytes)
    return answerTo(query, asked, answering) ?? bare(bytes, 'FORMERR')
  } catch {
    return bare(bytes, 'FORMERR')
  }
}

type Query = ReturnType<typeof packet.decode>

function answerTo(query: Query, { bytes, from, overTcp }: Asked, answering: Answering): Buffer | null {
  const [asked, ...others] = query.questions ?? []
  if (asked === undefined || others.length > 0) return null
  const edns = ednsOf(query)
  if (edns === 'malformed') return null
  const id = bytes.readUInt16BE(0)
  const flags = bytes.readUInt16BE(2) & RD
  const limit = overTcp ? 65_535 : Math.min(UDP_BYTES_MAX, Math.max(UDP_BYTES, edns?.payload ?? UDP_BYTES))
  if (edns !== null && edns.version !== 0) {
    return packet.encode({ type: 'response', id, flags, questions: [asked], additionals: [opt(null, BADVERS_UPPER)] })
  }
  const address = (edns?.subnet ? addressIn(edns.subnet) : null) ?? from
  const type = String(asked.type)
  const found: ZoneAnswer =
    asked.class === 'IN' || asked.class === 'ANY'
      ? answering.answer({ name: asked.name, type }, answering.locate(address))
      : { rcode: 'REFUSED', answers: [], negative: false, ttl: 0, varies: false, pop: '' }
  const { edgeDomain } = answering.zone
  const whole = {
    type: 'response' as const,
    id,
    flags: flags | RCODE[found.rcode] | (found.rcode === 'REFUSED' ? 0 : AA),
    questions: [asked],
    answers: found.answers.map((record) => encoded(record, asked.name, edgeDomain, found.ttl)),
    authorities: found.negative ? [soa(soaName(asked.name, edgeDomain), edgeDomain, found.ttl)] : [],
    additionals: edns === null ? [] : [opt(edns.subnet && answeredSubnet(edns.subnet, found.varies), 0)],
  }
  const message = packet.encode(whole)
  if (message.length <= limit) return message
  return packet.encode({ ...whole, flags: whole.flags | TC, answers: [], authorities: [] })
}

/** Of the zone; of an alias, which is a zone of its own as far as anybody can tell, the alias. */
const soaName = (name: string, edgeDomain: string): string =>
  name.toLowerCase() === edgeDomain || name.toLowerCase().endsWith(`.${edgeDomain}`) ? edgeDomain : name

function encoded(record: ZoneRecord, name: string, edgeDomain: string, ttl: number): packet.Answer {
  switch (record.type) {
    case 'SOA':
      return soa(name, edgeDomain, ttl)
    case 'NS':
      return { type: 'NS', name, ttl, data: `ns.${edgeDomain}` }
    case 'HINFO':
      return { type: 'HINFO', name, ttl, data: { cpu: 'RFC8482', os: '' } }
    default:
      return { type: record.type, name, ttl, data: record.data }
  }
}

/** Nobody transfers the zone: the serial says nothing, `minimum` is how long a name that is not there stays so. */
const soa = (name: string, edgeDomain: string, ttl: number): packet.Answer => ({
  type: 'SOA',
  name,
  ttl,
  data: {
    ...{ mname: `ns.${edgeDomain}`, rname: `hostmaster.${edgeDomain}`, serial: 1 },
    ...{ refresh: 3_600, retry: 600, expire: 86_400, minimum: ttl },
  },
})

interface Edns {
  readonly payload: number
  readonly version: number
  readonly subnet: ClientSubnet | null
}

function ednsOf({ additionals = [] }: Query): Edns | 'malformed' | null {
  const records = additionals.filter((record) => record.type === 'OPT')
  if (records.length === 0) return null
  const [record] = records
  if (records.length > 1 || record?.type !== 'OPT') return 'malformed'
  const option = record.options.find(({ code }) => Number(code) === CLIENT_SUBNET)
  const subnet = option === undefined ? null : readClientSubnet(option.data ?? Buffer.alloc(0))
  if (subnet === 'malformed') return 'malformed'
  return { payload: record.udpPayloadSize, version: record.ednsVersion, subnet }
}

const opt = (subnet: Buffer | null, extendedRcode: number): packet.Answer => ({
  ...{ type: 'OPT', name: '.', udpPayloadSize: UDP_BYTES_MAX, extendedRcode, ednsVersion: 0, flags: 0, flag_do: false },
  options: subnet === null ? [] : [{ code: CLIENT_SUBNET, ip: undefined, data: subnet }],
})

/** A header alone: what could not be read is not told back. */
function bare(bytes: Buffer, rcode: keyof typeof RCODE): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  bytes.copy(header, 0, 0, 2)
  const flags = bytes.readUInt16BE(2) & ((15 << 11) | RD)
  header.writeUInt16BE(IS_ANSWER | flags | RCODE[rcode], 2)
  return header
}
