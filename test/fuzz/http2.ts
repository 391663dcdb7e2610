//! Differential fuzzing of our HTTP/2 listener against node:http2, frame by frame. What is right is served alike; what Node
//! answers with an error, we do not accept; what both serve is the same; and how the bytes are cut never matters.
//! `npm run fuzz` runs it for as long as wanted (fuzz.ts), `npm test` for a fixed count (http2.test.ts).
import { createHash } from 'node:crypto'
import {
  errorName,
  FLAG,
  FrameReader,
  PREFACE,
  readSettings,
  SETTING,
  settings,
  settingsAck,
  TYPE,
} from '../support/http2-frames.ts'
import { startNodeServer } from '../support/http2-node-server.ts'
import { type Http2Server, startHttp2Server } from '../support/http2-server.ts'
import { Http2Wire } from '../support/http2-wire.ts'
import { type Random, randomOf, seedOf } from '../support/random.ts'
import { makeScript, type Script } from './http2-script.ts'

/** What came of a script at a server. */
export interface Outcome {
  /** Code of the GOAWAY, or `closed`; null when the connection goes on. */
  readonly connection: string | null
  /** By stream: status and body, `RST code`, or `open`. */
  readonly streams: Readonly<Record<number, string>>
  /** Rules of RFC 9113 that the server broke (http2-observer.ts). */
  readonly breaches: readonly string[]
}

export interface Http2Difference {
  readonly seed: number
  readonly mutations: readonly string[]
  readonly frames: readonly string[]
  readonly why: string
  readonly ours: Outcome
  readonly nodes: Outcome
}

export interface Http2Findings {
  readonly differences: readonly Http2Difference[]
  /** Requests that both served alike, connections that both ended, and known differences by their reason. */
  readonly served: number
  readonly refused: number
  readonly known: Readonly<Record<string, number>>
}

/** A server that has not answered a PING by then does not read any more. Milliseconds. */
const PATIENCE_MS = 3_000
/** Turns of PING that an answer may take to come: handlers answer in a later turn of the loop. */
const TURNS = 12

/** Sends the bytes as cut; what is missing of a last frame is made up for, so that a PING behind it is one. */
async function play(server: Http2Server, script: Script, cuts: (bytes: Buffer) => Buffer[]): Promise<Outcome> {
  // An acknowledgment in the middle of a frame that is cut would be part of it.
  const wire = await Http2Wire.connect({
    port: server.port,
    ca: server.ca,
    acknowledges: false,
    patienceMs: PATIENCE_MS,
  })
  try {
    const bytes = Buffer.concat([PREFACE, settings(script.settings), ...script.frames])
    const reader = new FrameReader()
    const whole = new Set<number>()
    const cancelled = new Set<number>()
    for (const { type, flags, stream } of reader.push(bytes.subarray(PREFACE.length))) {
      const ends = (type === TYPE.HEADERS || type === TYPE.DATA) && flags & FLAG.END_STREAM
      if (ends) whole.add(stream)
      if (type === TYPE.RST_STREAM) cancelled.add(stream)
    }
    for (const piece of cuts(Buffer.concat([bytes, Buffer.alloc(missing(bytes.subarray(PREFACE.length)))]))) {
      if (wire.over) break
      wire.send(piece)
      await new Promise(setImmediate)
    }
    if (!wire.over) wire.send(settingsAck())
    const isOpen = () => [...wire.observer.streams].some(([id, { answer }]) => whole.has(id) && !cancelled.has(id) && !answer.ended && answer.reset === null) // biome-ignore format: one line
    try {
      for (let turn = 0; turn < TURNS && (turn < 2 || isOpen()); turn++) if (!(await wire.pong())) break
    } catch {
      return { connection: 'stuck', streams: {}, breaches: [] }
    }
    if (wire.goaway !== null && wire.goaway.code !== 0) await wire.ended()
    const streams: Record<number, string> = {}
    for (const [id, { answer }] of wire.observer.streams) {
      if (cancelled.has(id)) continue
      const digest = createHash('sha1').update(answer.body).digest('hex').slice(0, 8)
      // A reset of NO_ERROR behind the answer is a word about the rest of the request (8.1).
      if (answer.ended) streams[id] = `${answer.status} ${answer.body.length} ${digest} ${answer.trailers?.length ?? 0}`
      else streams[id] = answer.reset === null ? 'open' : `RST ${errorName(answer.reset)}`
    }
    const code = wire.goaway === null || wire.goaway.code === 0 ? null : errorName(wire.goaway.code)
    return { connection: wire.over ? (code ?? 'closed') : code, streams, breaches: wire.observer.breaches }
  } finally {
    wire.close()
  }
}

/** Bytes that the last frame promises and that are not there; none when it promises more than may be sent. */
function missing(bytes: Buffer): number {
  let from = 0
  while (bytes.length - from >= 9 && bytes.length - from >= 9 + bytes.readUIntBE(from, 3))
    from += 9 + bytes.readUIntBE(from, 3)
  const rest = bytes.length - from
  if (rest === 0) return 0
  // What is missing of its head will be zeros.
  const length = Buffer.concat([bytes.subarray(from), Buffer.alloc(3)]).readUIntBE(0, 3)
  return length > 16_384 ? 0 : 9 + length - rest
}

const inOne = (bytes: Buffer): Buffer[] => [bytes]
/** At random places, or at every byte of a short one. */
const cutBy = (random: Random) => (bytes: Buffer): Buffer[] => {
  if (bytes.length < 400 && random.chance(0.5)) return [...bytes].map((byte) => Buffer.from([byte]))
  const places = Array.from({ length: 1 + random.whole(12) }, () => random.whole(bytes.length)).sort((a, b) => a - b)
  return [0, ...places].map((from, at) => bytes.subarray(from, [...places, bytes.length][at]))
} // biome-ignore format: two ways to cut

const isError = (told: string | undefined): boolean => told !== undefined && (/^4\d\d /.test(told) || (told.startsWith('RST ') && told !== 'RST NO_ERROR')) // biome-ignore format: one line
const erred = ({ connection, streams }: Outcome): boolean => connection !== null || Object.values(streams).some(isError)

/** Where Node is stricter than the RFC asks, or wrong: why we need not do as it does. */
const KNOWN: readonly { readonly why: string; readonly is: (nodes: Outcome, script: Script) => boolean }[] = [
  { why: 'Node does not read on, and says nothing', is: (nodes) => nodes.connection === 'stuck' },
  // Of a server, which does not use it, RFC 8441 3 asks nothing; RFC 9113 6.5.2: what is not supported is ignored.
  {
    why: 'Node looks at SETTINGS_ENABLE_CONNECT_PROTOCOL of a client',
    is: (nodes, script) =>
      nodes.connection !== null &&
      script.frames.some(
        (bytes) =>
          bytes[3] === TYPE.SETTINGS &&
          readSettings(bytes.subarray(9)).some(([id, value]) => id === SETTING.ENABLE_CONNECT_PROTOCOL && value > 1),
      ),
  },
  // RFC 9113 6.8: what a client has asked for is answered, whatever it says of the streams of the server, and why.
  {
    why: 'Node ends the connection at a GOAWAY of the client with a code',
    is: (nodes, script) =>
      nodes.connection !== null &&
      script.frames.some((bytes) => bytes[3] === TYPE.GOAWAY && bytes.length >= 17 && bytes.readUInt32BE(13) !== 0),
  },
  // RFC 9113 6.7 asks for nothing; ours has a budget for them.
  {
    why: 'Node ends the connection at a PING ACK or SETTINGS ACK that it has not asked for',
    is: (nodes, script) =>
      nodes.connection !== null &&
      script.frames.some(
        (bytes) => (bytes[3] === TYPE.PING || bytes[3] === TYPE.SETTINGS) && ((bytes[4] ?? 0) & FLAG.ACK) !== 0,
      ),
  },
]

/** Null, or why the two do not go together. */
function difference(script: Script, ours: Outcome, nodes: Outcome): string | null {
  if (ours.connection === 'stuck') return 'we do not read on, and say nothing'
  if (ours.breaches.length > 0) return `we broke a rule: ${ours.breaches[0]}`
  if (script.mutations.length === 0) {
    if (ours.connection !== null) return 'a connection that is right has ended'
    return JSON.stringify(ours.streams) === JSON.stringify(nodes.streams)
      ? null
      : 'what is right was answered in another way'
  }
  if (nodes.connection !== null && !erred(ours)) return 'Node ended the connection and we accept it'
  if (ours.connection !== null) return null
  for (const [id, told] of Object.entries(nodes.streams)) {
    const own = ours.streams[Number(id)]
    if (isError(told) && !isError(own) && nodes.connection === null) return `Node refused stream ${id} and we did not`
    if (/^\d/.test(told) && !isError(told) && own !== told && !isError(own))
      return `stream ${id} was answered in another way`
  }
  return null
}

/** Two runs of the same bytes at our listener. */
function cutsMatter(script: Script, one: Outcome, other: Outcome): boolean {
  if (script.mutations.length === 0) return JSON.stringify(one) !== JSON.stringify(other)
  if (erred(one) !== erred(other)) return true
  if (one.connection !== null || other.connection !== null) return false
  // With a small window it is a matter of time how much of an answer goes out before the window is small.
  const told = (id: string, of: Outcome): string => of.streams[Number(id)] ?? 'open'
  return Object.keys(one.streams).some((id) => {
    const [a, b] = [told(id, one), told(id, other)]
    return a !== b && a !== 'open' && b !== 'open' && !isError(a) && !isError(b)
  })
}

export async function fuzzHttp2(seed: number, cases: number): Promise<Http2Findings> {
  const [ours, nodes] = await Promise.all([
    startHttp2Server(),
    startNodeServer({ maxConcurrentStreams: 128, initialWindowSize: 131_072, maxHeaderListSize: 32_768 }),
  ])
  const differences: Http2Difference[] = []
  const known: Record<string, number> = {}
  let served = 0
  let refused = 0
  try {
    for (let nth = 0; nth < cases && differences.length < 10; nth++) {
      const random = randomOf(seedOf(seed + nth, 2))
      const script = makeScript(random, seed + nth)
      const [own, theirs] = await Promise.all([play(ours, script, inOne), play(nodes, script, inOne)])
      const again = await play(ours, script, cutBy(random))
      const reason = KNOWN.find(({ is }) => is(theirs, script))?.why
      let why = difference(script, own, theirs)
      if (why !== null && reason !== undefined && own.connection !== 'stuck') {
        known[reason] = (known[reason] ?? 0) + 1
        why = null
      }
      if (why === null && cutsMatter(script, own, again)) why = `how it was cut matters: ${JSON.stringify(again)}`
      if (own.connection !== null && theirs.connection !== null) refused++
      else served += Object.entries(own.streams).filter(([id, told]) => told === theirs.streams[Number(id)]).length
      if (why !== null) {
        const frames = script.frames.map((bytes) =>
          bytes
            .subarray(0, 60)
            .toString('hex')
            .replace(/^(.{6})(..)(..)(.{8})/, '$1 $2 $3 $4 '),
        )
        differences.push({ seed: seed + nth, mutations: script.mutations, frames, why, ours: own, nodes: theirs })
      }
    }
  } finally {
    await Promise.all([ours.close(), nodes.close()])
  }
  return { differences, served, refused, known }
}
