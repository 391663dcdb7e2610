//! Random bodies both ways through small windows: every byte arrives, in its place, and no window is ever overdrawn (the
//! observer of http2-wire.ts keeps the accounts).

import { patterned } from '../support/http2-answers.ts'
import { data, FLAG, padded, readSettings, SETTING, settings, TYPE, windowUpdate } from '../support/http2-frames.ts'
import { startHttp2Server } from '../support/http2-server.ts'
import { Http2Wire, post, request } from '../support/http2-wire.ts'
import { type Random, randomOf, seedOf } from '../support/random.ts'

interface Exchange {
  readonly stream: number
  /** What is to come back. */
  readonly expected: Buffer
  /** What is left to be sent. */
  left: Buffer
  ended: boolean
}

export interface BodyFinding {
  readonly seed: number
  readonly why: string
}

/** What the server lets us send: what it has added to a window, less what we have sent. */
class Credit {
  readonly #wire: Http2Wire
  readonly #sent = new Map<number, number>()
  readonly #initial: number

  constructor(wire: Http2Wire) {
    this.#wire = wire
    const first = wire.frames.find(({ type, flags }) => type === TYPE.SETTINGS && flags === 0)
    this.#initial = readSettings(first!.payload).find(([id]) => id === SETTING.INITIAL_WINDOW_SIZE)?.[1] ?? 65_535
  }

  left(stream: number): number {
    const added = this.#wire.frames
      .filter((of) => of.type === TYPE.WINDOW_UPDATE && of.stream === stream)
      .reduce((sum, { payload }) => sum + payload.readUInt32BE(), stream === 0 ? 65_535 : this.#initial)
    return added - (this.#sent.get(stream) ?? 0)
  }

  take(stream: number, bytes: number): void {
    for (const window of [0, stream]) this.#sent.set(window, (this.#sent.get(window) ?? 0) + bytes)
  }
}

function beginAll(random: Random, wire: Http2Wire): Exchange[] {
  return Array.from({ length: 1 + random.whole(4) }, (_, nth) => {
    const stream = 2 * nth + 1
    const size = random.pick([0, 1, 100, 5_000, 40_000, 150_000, 300_000])
    const body = patterned(size)
    if (random.chance(0.5)) {
      wire.send(request(stream, `/${random.pick(['size', 'stream'])}/${size}`))
      return { stream, expected: body, left: Buffer.alloc(0), ended: true }
    }
    wire.send(post(stream, '/echo', random.chance(0.5) ? [['content-length', String(size)]] : []))
    return { stream, expected: body, left: body, ended: false }
  })
}

/** Sends as much of a body as is wanted and allowed. */
function sendSome(random: Random, wire: Http2Wire, credit: Credit, exchange: Exchange): void {
  const padding = random.chance(0.2) ? random.whole(200) : -1
  const more = padding < 0 ? 0 : padding + 1
  const most = Math.min(credit.left(0), credit.left(exchange.stream), 16_384) - more
  const size = Math.min(most, exchange.left.length, 300 + random.whole(20_000))
  if (size < 0 || (size === 0 && exchange.left.length > 0)) return
  const piece = exchange.left.subarray(0, size)
  exchange.left = exchange.left.subarray(size)
  exchange.ended = exchange.left.length === 0 && random.chance(0.8)
  if (size === 0 && !exchange.ended) return
  credit.take(exchange.stream, size + more)
  const end = exchange.ended ? FLAG.END_STREAM : 0
  wire.send(
    padding < 0 ? data(exchange.stream, piece, end) : data(exchange.stream, padded(piece, padding), end | FLAG.PADDED),
  )
}

async function one(random: Random, wire: Http2Wire): Promise<string | null> {
  wire.start([[SETTING.INITIAL_WINDOW_SIZE, random.pick([0, 300, 5_000, 65_535])]])
  await wire.pong()
  const credit = new Credit(wire)
  const exchanges = beginAll(random, wire)
  const open = () =>
    exchanges.filter(({ stream }) => wire.answer(stream)?.ended !== true && wire.answer(stream)?.reset == null)
  for (let turn = 0; open().length > 0; turn++) {
    if (wire.over || turn > 5_000) return `${wire.over ? 'the connection ended' : 'no end'}: ${wire.told()}`
    const exchange = random.pick(open())
    if (!exchange.ended) sendSome(random, wire, credit, exchange)
    if (random.chance(0.7)) wire.send(windowUpdate(exchange.stream, 300 + random.whole(30_000)))
    if (random.chance(0.5)) wire.send(windowUpdate(0, 300 + random.whole(60_000)))
    if (turn < 50 && random.chance(0.05)) wire.send(settings([[SETTING.INITIAL_WINDOW_SIZE, random.whole(70_000)]]))
    if (!(await wire.pong())) return `the connection ended: ${wire.told()}`
  }
  for (const { stream, expected } of exchanges) {
    const answer = wire.answer(stream)!
    if (!answer.ended || !answer.body.equals(expected))
      return `stream ${stream}: ${answer.body.length} of ${expected.length} bytes, ${answer.reset}`
  }
  return wire.observer.breaches[0] ?? null
}

export async function fuzzBodies(seed: number, cases: number): Promise<BodyFinding[]> {
  const server = await startHttp2Server()
  const findings: BodyFinding[] = []
  try {
    for (let nth = 0; nth < cases && findings.length < 10; nth++) {
      const wire = await Http2Wire.connect(server)
      const why = await one(randomOf(seedOf(seed + nth, 3)), wire).catch((error: Error) => error.message)
      if (why !== null) findings.push({ seed: seed + nth, why })
      wire.close()
    }
  } finally {
    await server.close()
  }
  return findings
}
