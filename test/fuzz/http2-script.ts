//! What the HTTP/2 fuzz sends: a connection's worth of frames that are right, and then perhaps not quite.
import {
  continuation,
  data,
  FLAG,
  frame,
  headers,
  padded,
  ping,
  priority,
  SETTING,
  type Settings,
  settings,
  WHOLE,
  windowUpdate,
} from '../support/http2-frames.ts'
import { block, type Field, indexed, literal, sizeUpdate } from '../support/http2-hpack.ts'
import { requestFields } from '../support/http2-wire.ts'
import type { Random } from '../support/random.ts'

export interface Script {
  readonly seed: number
  readonly settings: Settings
  readonly frames: readonly Buffer[]
  /** What was done to it; empty for one that is right. */
  readonly mutations: readonly string[]
}

const PATHS = ['/', '/heard', '/heard?a=b&c', '/size/0', '/size/1', '/size/20000', '/stream/15000', '/status/204', '/status/304', '/status/404', '/trailers', '/hints', '/early'] // biome-ignore format: a list
const FIELDS: readonly Field[] = [['accept', '*/*'], ['accept-encoding', 'gzip, deflate'], ['user-agent', 'fuzz/1'], ['cookie', 'a=1'], ['x-long', 'v'.repeat(500)], ['te', 'trailers'], ['x-empty', ''], ['priority', 'u=1, i'], ['cache-control', 'no-cache']] // biome-ignore format: a list

/** A header block in every way that HPACK has; `kept` is how many fields the table has by now. */
class Encoder {
  #kept: Field[] = []
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  block(fields: readonly Field[]): Buffer {
    const { chance, pick } = this.#random
    const parts: Buffer[] = []
    if (chance(0.03)) {
      parts.push(sizeUpdate(0), sizeUpdate(4_096))
      this.#kept = []
    }
    for (const field of fields) {
      const at = this.#kept.findIndex(([name, value]) => name === field[0] && value === field[1])
      const coded = chance(0.5)
      if (at >= 0 && chance(0.8)) parts.push(indexed(62 + at))
      else if (chance(0.4) && this.#bytes() + field[0].length + field[1].length + 32 <= 4_096) {
        parts.push(literal(field[0], field[1], { as: 'indexing', coded }))
        this.#kept.unshift(field)
      } else parts.push(literal(field[0], field[1], { as: pick(['without', 'never']), coded }))
    }
    return Buffer.concat(parts)
  }

  #bytes(): number {
    return this.#kept.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0)
  }
}

/** HEADERS of a block, with padding, priority and CONTINUATION now and then. */
function headFrames(random: Random, stream: number, bytes: Buffer, ends: boolean): Buffer[] {
  const { chance, whole } = random
  const cuts = chance(0.3) ? [whole(bytes.length + 1), whole(bytes.length + 1)].sort((a, b) => a - b) : []
  const parts = [0, ...cuts].map((from, at) => bytes.subarray(from, [...cuts, bytes.length][at]))
  const last = (at: number) => (at === parts.length - 1 ? FLAG.END_HEADERS : 0)
  const end = ends ? FLAG.END_STREAM : 0
  let first = parts[0]!
  let flags = last(0) | end
  if (chance(0.15)) {
    first = Buffer.concat([Buffer.from([0, 0, 0, 0, whole(256)]), first])
    flags |= FLAG.PRIORITY
  }
  if (chance(0.15)) {
    first = padded(first, whole(50))
    flags |= FLAG.PADDED
  }
  return parts.map((part, at) => (at === 0 ? headers(stream, first, flags) : continuation(stream, part, last(at))))
}

function bodyFrames(random: Random, stream: number, body: Buffer, ends: boolean): Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const piece = body.subarray(at, at + 1 + random.whole(random.pick([40, 2_000, 16_000])))
    at += piece.length
    const flag = ends && at >= body.length ? FLAG.END_STREAM : 0
    if (random.chance(0.2)) frames.push(data(stream, padded(piece, random.whole(100)), flag | FLAG.PADDED))
    else frames.push(data(stream, piece, flag))
  }
  if (body.length === 0) frames.push(data(stream, '', ends ? FLAG.END_STREAM : 0))
  return frames
}

/** The frames of one request, in their order. */
function requestFrames(random: Random, encoder: Encoder, stream: number): Buffer[] {
  const { chance, pick, whole } = random
  const extra = FIELDS.filter(() => chance(0.3))
  if (chance(0.7)) {
    const method = chance(0.1) ? 'HEAD' : 'GET'
    return headFrames(random, stream, encoder.block(requestFields(pick(PATHS), method, extra)), true)
  }
  const body = Buffer.alloc(pick([0, 1, 10, 300, 5_000, 20_000]), String.fromCharCode(97 + whole(26)))
  const length: Field[] = chance(0.5) ? [['content-length', String(body.length)]] : []
  const head = encoder.block(requestFields(pick(['/echo', '/echo', '/heard']), 'POST', [...length, ...extra]))
  const trailers = chance(0.2)
  const frames = [...headFrames(random, stream, head, false), ...bodyFrames(random, stream, body, !trailers)]
  if (trailers) frames.push(...headFrames(random, stream, block(['x-checksum', '1']), true))
  return frames
}

/** What may stand between the frames of requests. */
function noise(random: Random, last: number): Buffer {
  return random.pick([
    () => ping(`noise${100 + random.whole(900)}`),
    () => windowUpdate(0, 1 + random.whole(10_000)),
    () => priority(last + 2 * random.whole(5)),
    () => settings([[SETTING.ENABLE_PUSH, 0]]),
    () => settings([[SETTING.INITIAL_WINDOW_SIZE, 30_000 + random.whole(50_000)]]),
    () => frame(0x80 + random.whole(100), random.whole(256), random.pick([0, last]), Buffer.alloc(random.whole(20))),
  ])()
}

/** Frames that are right: all of them are answered. */
export function validFrames(random: Random): Buffer[] {
  const encoder = new Encoder(random)
  const frames: Buffer[] = []
  const count = 1 + random.whole(5)
  for (let nth = 0, stream = 1; nth < count; nth++, stream += random.chance(0.9) ? 2 : 4) {
    frames.push(...requestFrames(random, encoder, stream))
    if (random.chance(0.3)) frames.push(noise(random, stream))
  }
  return frames
}

type Mutation = (random: Random, frames: Buffer[]) => void
const at = (random: Random, frames: readonly Buffer[]): number => random.whole(frames.length)
const changed = (frames: Buffer[], which: number, change: (bytes: Buffer) => void): void => {
  const bytes = Buffer.from(frames[which]!)
  change(bytes)
  frames[which] = bytes
}
const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flip: (random, frames) => changed(frames, at(random, frames), (bytes) => { bytes[random.whole(bytes.length)]! ^= 1 << random.whole(8) }),
  payload: (random, frames) => changed(frames, at(random, frames), (bytes) => { if (bytes.length > 9) bytes[9 + random.whole(bytes.length - 9)] = random.whole(256) }),
  drop: (random, frames) => { if (frames.length > 1) frames.splice(at(random, frames), 1) },
  double: (random, frames) => { const which = at(random, frames); frames.splice(which, 0, frames[which]!) },
  swap: (random, frames) => { const [a, b] = [at(random, frames), at(random, frames)]; [frames[a], frames[b]] = [frames[b]!, frames[a]!] },
  flags: (random, frames) => changed(frames, at(random, frames), (bytes) => { bytes[4] = random.whole(256) }),
  stream: (random, frames) => changed(frames, at(random, frames), (bytes) => { bytes.writeUInt32BE(random.pick([0, 1, 2, 3, 5, 99, 0x7f_ff_ff_ff]), 5) }),
  type: (random, frames) => changed(frames, at(random, frames), (bytes) => { bytes[3] = random.whole(12) }),
  length: (random, frames) => changed(frames, at(random, frames), (bytes) => { bytes.writeUIntBE(random.pick([0, 1, 4, 5, 6, 8, 16_384, 16_385, bytes.readUIntBE(0, 3) + 1, 0xff_ff_ff]), 0, 3) }),
  shorten: (random, frames) => { const which = at(random, frames); const bytes = Buffer.from(frames[which]!.subarray(0, 9 + random.whole(frames[which]!.length - 8))); bytes.writeUIntBE(bytes.length - 9, 0, 3); frames[which] = bytes },
  insert: (random, frames) => { frames.splice(at(random, frames), 0, frame(random.whole(12), random.pick([0, 1, 4, 5, 8, 0x20, 0x2d]), random.pick([0, 1, 2, 3, 5, 7]), Buffer.from(Array.from({ length: random.pick([0, 1, 4, 5, 6, 8, 12]) }, () => random.whole(random.pick([4, 256])))))) },
  setting: (random, frames) => { frames.splice(at(random, frames), 0, settings([[1 + random.whole(9), random.pick([0, 1, 2, 16_383, 16_384, 0x7f_ff_ff_ff, 0x80_00_00_00, 0xff_ff_ff_ff])]])) },
  field: (random, frames) => { frames.push(headers(1_001, block(...requestFields('/', 'GET', [[random.pick(['x', 'X', 'connection', 'te', ':path', ':status', 'host', 'content-length', 'x y', 'upgrade', 'transfer-encoding']), random.pick(['', 'x', '5', ' x', 'a\nb', 'a\0', 'localhost', 'trailers', '0'])]])), WHOLE)) },
  pseudo: (random, frames) => { const fields = [...requestFields()]; const which = random.whole(4); random.pick([() => fields.splice(which, 1), () => fields.push(fields[which]!), () => fields.reverse(), () => { fields[which] = [fields[which]![0], random.pick(['', '/', '*', 'x', 'http', 'GET', 'a b', '[', ':'])] }])(); frames.push(headers(1_003, block(...fields), WHOLE)) },
} // biome-ignore format: a table

export function makeScript(random: Random, seed: number): Script {
  const frames = validFrames(random)
  const mutations: string[] = []
  if (random.chance(0.75)) {
    for (let left = 1 + random.whole(2); left > 0; left--) {
      const name = random.pick(Object.keys(MUTATIONS))
      MUTATIONS[name]!(random, frames)
      mutations.push(name)
    }
  }
  const chosen: Settings = random.chance(0.5) ? [] : [[SETTING.HEADER_TABLE_SIZE, random.pick([0, 100, 4_096, 65_536])], [SETTING.MAX_FRAME_SIZE, random.pick([16_384, 100_000])]] // biome-ignore format: one line
  return { seed, settings: chosen, frames, mutations }
}
