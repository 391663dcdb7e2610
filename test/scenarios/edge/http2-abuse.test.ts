//! HTTP/2 against those who misuse it: each game ends its connection with the right code, or is bounded, while another
//! viewer is served; the listener never holds more than its limits. Times are those of a clock that the test moves.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HTTP2_RATES, HTTP2_SIZES } from '../../../src/edge/listen/http2/limits.ts'
import { type HandClock, handClock } from '../../support/hand-clock.ts'
import {
  continuation,
  data,
  type ErrorName,
  errorCode,
  FLAG,
  frame,
  goaway,
  headers,
  ping,
  priority,
  reset,
  SETTING,
  type Settings,
  settings,
  settingsAck,
  TYPE,
  windowUpdate,
} from '../../support/http2-frames.ts'
import { block, indexed, literal } from '../../support/http2-hpack.ts'
import { type OurServer, startHttp2Server } from '../../support/http2-server.ts'
import { Http2Wire, post, request, requestFields } from '../../support/http2-wire.ts'

let server: OurServer
let neighbour: Http2Wire
let asked = 1
before(async () => {
  // A clock that stands: budgets do not come back.
  server = await startHttp2Server({}, handClock())
  neighbour = (await Http2Wire.connect(server)).start()
})
after(async () => {
  neighbour.close()
  await server.close()
})

async function neighbourIsServed(): Promise<void> {
  const stream = asked
  asked += 2
  neighbour.send(request(stream, '/size/1000'))
  assert.equal((await neighbour.answered(stream)).body.length, 1_000)
}

const times = (count: number, make: (nth: number) => readonly Buffer[]): Buffer[] => Array.from({ length: count }, (_, at) => make(at)).flat() // biome-ignore format: one line
/** The stream of the nth request. */
const id = (nth: number): number => 2 * nth + 1
const over = (limit: keyof typeof HTTP2_RATES): number => HTTP2_RATES[limit].burst + 20

interface Flood {
  readonly game: string
  readonly limit: keyof typeof HTTP2_RATES | 'continuations' | 'headerBlockBytes'
  readonly settings?: Settings
  readonly sends: () => readonly Buffer[]
}

/** Each is more than its budget, in one write. */
const FLOODS: readonly Flood[] = [
  { game: 'rapid reset (CVE-2023-44487)', limit: 'resets', sends: () => times(over('resets'), (at) => [request(id(at), '/hold'), reset(id(at))]) },
  { game: 'rapid reset of bodies', limit: 'resets', sends: () => times(over('resets'), (at) => [post(id(at), '/hold'), reset(id(at))]) },
  { game: 'CONTINUATION without end (CVE-2024-27983)', limit: 'continuations', sends: () => [headers(1, [], FLAG.END_STREAM), ...times(HTTP2_SIZES.continuations.value + 10, () => [continuation(1, [], 0)])] },
  { game: 'CONTINUATION with much', limit: 'headerBlockBytes', sends: () => [headers(1, block(...requestFields()), FLAG.END_STREAM), ...times(6, () => [continuation(1, literal('x', 'v'.repeat(13_000)), 0)])] },
  { game: 'SETTINGS (CVE-2019-9515)', limit: 'settings', sends: () => times(over('settings'), () => [settings()]) },
  { game: 'SETTINGS with ACK', limit: 'settings', sends: () => times(over('settings'), () => [settingsAck()]) },
  { game: 'windows up and down by SETTINGS', limit: 'settings', sends: () => [request(1, '/size/100000'), ...times(over('settings'), (at) => [settings([[SETTING.INITIAL_WINDOW_SIZE, at % 2]])])] },
  { game: 'PING (CVE-2019-9512)', limit: 'pings', sends: () => times(over('pings'), () => [ping()]) },
  { game: 'PING with ACK', limit: 'pings', sends: () => times(over('pings'), () => [ping('12345678', FLAG.ACK)]) },
  { game: 'WINDOW_UPDATE of the connection', limit: 'controls', sends: () => times(over('controls'), () => [windowUpdate(0, 1)]) },
  { game: 'WINDOW_UPDATE of a stream', limit: 'controls', sends: () => [request(1, '/hold'), ...times(over('controls'), () => [windowUpdate(1, 1)])] },
  { game: 'PRIORITY (CVE-2019-9513)', limit: 'controls', sends: () => times(over('controls'), (at) => [priority(id(at), at === 0 ? 0 : id(at - 1))]) },
  { game: 'PRIORITY_UPDATE of streams to come', limit: 'controls', sends: () => times(over('controls'), (at) => [frame(TYPE.PRIORITY_UPDATE, 0, 0, Buffer.concat([Buffer.from([0, 0, (id(at) >> 8) & 255, id(at) & 255]), Buffer.from('u=0,i')]))]) },
  { game: 'unknown frames', limit: 'controls', sends: () => times(over('controls'), () => [frame(0xaa, 0, 0)]) },
  { game: 'GOAWAY', limit: 'controls', sends: () => times(over('controls'), () => [goaway(0)]) },
  { game: 'RST_STREAM of what is over', limit: 'controls', sends: () => [request(1, '/hold'), reset(1), ...times(over('controls'), () => [reset(1)])] },
  { game: 'DATA without a byte (CVE-2019-9518)', limit: 'empties', sends: () => [post(1, '/hold'), ...times(over('empties'), () => [data(1)])] },
  { game: 'DATA of padding alone', limit: 'empties', sends: () => [post(1, '/hold'), ...times(over('empties'), () => [data(1, [0], FLAG.PADDED)])] },
  { game: 'DATA of a byte', limit: 'empties', sends: () => [post(1, '/hold'), ...times(over('empties'), () => [data(1, 'x')])] },
  { game: 'HEADERS without a field', limit: 'faults', sends: () => times(over('faults'), (at) => [headers(id(at), [])]) },
  { game: 'more streams than are allowed', limit: 'faults', sends: () => times(HTTP2_SIZES.concurrentStreams.value + over('faults'), (at) => [request(id(at), '/hold')]) },
  { game: 'MadeYouReset (CVE-2025-8671) by WINDOW_UPDATE of 0', limit: 'faults', sends: () => times(over('faults'), (at) => [request(id(at), '/hold'), windowUpdate(id(at), 0)]) },
  { game: 'MadeYouReset by a window that is too large', limit: 'faults', sends: () => times(over('faults'), (at) => [request(id(at), '/hold'), windowUpdate(id(at), 0x7f_ff_ff_ff)]) },
  { game: 'MadeYouReset by DATA behind the end', limit: 'faults', sends: () => times(over('faults'), (at) => [request(id(at), '/hold'), data(id(at), 'x')]) },
  { game: 'MadeYouReset by HEADERS behind the end', limit: 'faults', sends: () => times(over('faults'), (at) => [request(id(at), '/hold'), headers(id(at), block(['x', 'y']))]) },
  { game: 'MadeYouReset by PRIORITY of a wrong length', limit: 'faults', sends: () => times(over('faults'), (at) => [request(id(at), '/hold'), frame(TYPE.PRIORITY, 0, id(at), Buffer.alloc(4))]) },
  { game: 'MadeYouReset by more DATA than content-length', limit: 'faults', sends: () => times(over('faults'), (at) => [post(id(at), '/hold', [['content-length', '1']]), data(id(at), 'xx')]) },
  { game: 'MadeYouReset by trailers with a pseudo-header field', limit: 'faults', sends: () => times(over('faults'), (at) => [post(id(at), '/hold'), headers(id(at), block([':path', '/']))]) },
] // biome-ignore format: a table

for (const { game, limit, sends, settings: values } of FLOODS) {
  test(`${game}: the connection ends with ENHANCE_YOUR_CALM, limit ${limit}`, { timeout: 30_000 }, async () => {
    server.limits.length = 0
    const { size } = server.waiting
    const wire = (await Http2Wire.connect(server)).start(values)
    await wire.pong()
    wire.send(...sends())
    await neighbourIsServed()
    await wire.ended()
    assert.equal(wire.goaway?.code, errorCode('ENHANCE_YOUR_CALM'), wire.told())
    assert.equal(server.limits.at(-1), limit)
    assert.deepEqual(wire.observer.breaches, [])
    wire.close()
    // Nothing of it is kept.
    assert.equal(server.waiting.size, size)
  })
}

test('one-byte windows on a large body (CVE-2019-9511) end the connection', { timeout: 30_000 }, async () => {
  server.limits.length = 0
  const wire = (await Http2Wire.connect(server)).start([[SETTING.INITIAL_WINDOW_SIZE, 0]])
  wire.send(request(1, '/size/1000000'))
  // Each is answered before the next, or they would be one.
  const came = (): number => wire.observer.streams.get(1)?.pieces.length ?? 0
  for (let sent = 1; !wire.over && sent <= over('dribbles'); sent++) {
    wire.send(windowUpdate(1, 1))
    await wire.until(() => came() >= sent, 'a byte')
    if (sent % 200 === 0) await neighbourIsServed()
  }
  await wire.ended()
  assert.equal(wire.goaway?.code, errorCode('ENHANCE_YOUR_CALM'))
  assert.equal(server.limits.at(-1), 'dribbles')
  wire.close()
})

test('one-byte windows on many streams end the connection too', { timeout: 30_000 }, async () => {
  server.limits.length = 0
  const wire = (await Http2Wire.connect(server)).start([[SETTING.INITIAL_WINDOW_SIZE, 1]])
  for (let at = 0; at < 40 && !wire.over; at++) {
    wire.send(...times(30, (nth) => [request(id(at * 30 + nth), '/size/100'), reset(id(at * 30 + nth))]))
    if (!(await wire.pong())) break
  }
  await wire.ended()
  assert.equal(wire.goaway?.code, errorCode('ENHANCE_YOUR_CALM'))
  assert.ok(['dribbles', 'resets'].includes(server.limits.at(-1) ?? ''), `${server.limits}`)
  wire.close()
})

test('a header bomb is refused without being unpacked', { timeout: 30_000 }, async () => {
  const wire = (await Http2Wire.connect(server)).start()
  const large = literal('x-large', 'v'.repeat(4_000), { as: 'indexing' })
  const bomb = Buffer.concat([block(...requestFields()), large, Buffer.alloc(12_000, indexed(62))])
  const { length } = server.served
  // 48 MB of fields each.
  for (let nth = 0; nth < 20; nth++) wire.send(headers(id(nth), bomb))
  await neighbourIsServed()
  for (let nth = 0; nth < 20; nth++) assert.equal((await wire.answered(id(nth))).status, 494)
  assert.equal(server.served.slice(length).filter(({ target }) => target === '/').length, 0)
  wire.send(request(id(20)))
  assert.equal((await wire.answered(id(20))).status, 200)
  wire.close()
})

test('a viewer that never reads holds no more than a few pieces of its answers', { timeout: 30_000 }, async () => {
  const [before] = [server.taken]
  server.sockets.clear()
  const wire = (await Http2Wire.connect(server)).start([[SETTING.INITIAL_WINDOW_SIZE, 0x7f_ff_ff_ff]])
  wire.send(windowUpdate(0, 0x7f_00_00_00))
  await wire.pong()
  wire.socket.pause()
  const streams = 20
  wire.send(...times(streams, (nth) => [request(id(nth), nth % 2 === 0 ? '/stream/20000000' : '/size/20000000')]))
  const held = () => Math.max(0, ...[...server.sockets].map((socket) => socket.writableLength))
  while (held() < 100_000) await neighbourIsServed()
  for (let nth = 0; nth < 20; nth++) await neighbourIsServed()
  const most = HTTP2_SIZES.unsentBytes.value + HTTP2_SIZES.outputBytes.value
  assert.ok(held() <= most, `${held()} bytes lie at the socket`)
  // 64 KB wait of each, and what the kernel of both ends holds.
  const taken = server.taken - before
  assert.ok(taken < (streams / 2) * 100_000 + 8_000_000, `${taken} bytes were taken of the pipeline`)
  wire.close()
})

test('bodies that nobody reads stop at the windows', { timeout: 30_000 }, async () => {
  const wire = (await Http2Wire.connect(server)).start()
  await wire.pong()
  const stream = HTTP2_SIZES.streamWindowBytes.value
  wire.send(post(1, '/hold'), ...times(stream / 16_384, () => [data(1, Buffer.alloc(16_384))]))
  wire.send(post(3, '/hold'), ...times(stream / 16_384, () => [data(3, Buffer.alloc(16_384))]))
  await neighbourIsServed()
  await wire.pong()
  assert.equal(wire.frames.filter(({ type, stream: of }) => type === TYPE.WINDOW_UPDATE && of > 0).length, 0)
  wire.send(request(5))
  assert.equal((await wire.answered(5)).status, 200)
  wire.close()
})

interface Slow {
  readonly game: string
  readonly sends: readonly Buffer[]
  /** What goes on while the clock does. */
  readonly onStep?: (wire: Http2Wire) => void
  readonly stepMs: number
  readonly steps: number
  /** GOAWAY with it; null when the connection is to go on. */
  readonly goaway: ErrorName | null
  readonly also?: (wire: Http2Wire, server: OurServer) => void
  readonly settings?: Settings
  readonly acknowledges?: false
}

const was = (stream: number, code: ErrorName) => (wire: Http2Wire) =>
  assert.equal(wire.answer(stream)?.reset, errorCode(code), wire.told())
const SLOW: readonly Slow[] = [
  { game: 'a header block that does not end', sends: [headers(1, block(...requestFields()), 0)], stepMs: 31_000, steps: 1, goaway: 'ENHANCE_YOUR_CALM' },
  { game: 'a header block that goes on now and then', sends: [headers(1, block(...requestFields()), 0)], onStep: (wire) => wire.send(continuation(1, literal('x', 'y'), 0)), stepMs: 10_000, steps: 4, goaway: 'ENHANCE_YOUR_CALM' },
  { game: 'a body that does not come', sends: [post(1, '/echo'), data(1, 'x')], stepMs: 31_000, steps: 1, goaway: null, also: (wire) => assert.equal(wire.answer(1)?.status, 408) },
  { game: 'a body that comes a byte now and then', sends: [post(1, '/echo'), data(1, 'x')], onStep: (wire) => wire.send(data(1, 'x')), stepMs: 8_000, steps: 5, goaway: null, also: (wire) => assert.equal(wire.answer(1)?.status, 408) },
  { game: 'a window that does not open', sends: [request(1, '/size/100'), request(3, '/stream/100000')], settings: [[SETTING.INITIAL_WINDOW_SIZE, 0]], stepMs: 61_000, steps: 1, goaway: null, also: (wire) => [was(1, 'CANCEL')(wire), was(3, 'CANCEL')(wire)] },
  { game: 'a window of the stream that opens a byte now and then', sends: [request(1, '/size/100')], settings: [[SETTING.INITIAL_WINDOW_SIZE, 0]], onStep: (wire) => wire.send(windowUpdate(1, 1)), stepMs: 16_000, steps: 5, goaway: null, also: was(1, 'CANCEL') },
  { game: 'a window of the connection that does not open', sends: [request(1, '/size/100000')], settings: [[SETTING.INITIAL_WINDOW_SIZE, 1_000_000]], stepMs: 61_000, steps: 1, goaway: 'ENHANCE_YOUR_CALM' },
  { game: 'settings that are not acknowledged', sends: [], acknowledges: false, stepMs: 10_001, steps: 1, goaway: 'SETTINGS_TIMEOUT' },
  { game: 'nothing but PING', sends: [], onStep: (wire) => wire.send(ping()), stepMs: 20_000, steps: 4, goaway: 'NO_ERROR' },
  { game: 'a frame that does not end', sends: [frame(TYPE.DATA, 0, 1, 'x', { length: 1_000 })], stepMs: 61_000, steps: 1, goaway: 'NO_ERROR' },
] // biome-ignore format: a table

for (const { game, sends, onStep, stepMs, steps, goaway: code, also, ...options } of SLOW) {
  test(`${game}: ${code === null ? 'that stream ends' : `GOAWAY ${code}`}`, { timeout: 30_000 }, async () => {
    const clock: HandClock = handClock()
    const slow = await startHttp2Server({}, clock)
    try {
      const acknowledges = options.acknowledges ?? true
      const wire = (await Http2Wire.connect({ ...slow, port: slow.port, acknowledges })).start(options.settings)
      await wire.until(() => wire.frames.some(({ type, flags }) => type === TYPE.SETTINGS && flags === FLAG.ACK))
      wire.send(...sends)
      // A PING in a header block or a frame would be an error, or part of it: what was written is read when another is.
      const sees = async () => {
        const other = (await Http2Wire.connect(slow)).start([], request(1))
        await other.answered(1)
        other.close()
      }
      await sees()
      for (let step = 0; step < steps; step++) {
        onStep?.(wire)
        await sees()
        clock.forward(stepMs)
        await sees()
      }
      if (code === null) {
        await wire.until(() =>
          [...wire.observer.streams.values()].every(({ answer }) => answer.ended || answer.reset !== null),
        )
        also?.(wire, slow)
        assert.ok(await wire.pong(), wire.told())
      } else {
        await wire.ended()
        assert.equal(wire.goaway?.code, errorCode(code), wire.told())
      }
      assert.deepEqual(wire.observer.breaches, [])
      wire.close()
    } finally {
      await slow.close()
    }
  })
}

test('a viewer that sends no preface, or half of it, is cut off', { timeout: 30_000 }, async () => {
  const clock = handClock()
  const slow = await startHttp2Server({}, clock)
  try {
    const [none, half] = [await Http2Wire.connect(slow), await Http2Wire.connect(slow)]
    half.send(Buffer.from('PRI * HTTP/2.0'))
    await half.until(() => half.frames.length > 0)
    clock.forward(61_000)
    await Promise.all([none.ended(), half.ended()])
  } finally {
    await slow.close()
  }
})
