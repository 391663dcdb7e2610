//! Runs one row against a server and judges what came of it. Nothing waits on time: a PING that is answered says that all
//! before it was read, and a request that is answered says that the connection goes on.
import assert from 'node:assert/strict'
import { errorName } from '../../../support/http2-frames.ts'
import type { OurServer } from '../../../support/http2-server.ts'
import { Http2Wire, request } from '../../../support/http2-wire.ts'
import type { Expected, Row } from './row.ts'

/** Later than any stream of a row, and answered without DATA: windows do not matter. */
const PROBE_STREAM = 0x7f_ff_ff_f1
const PROBE = '/status/204?probe'

export async function judge(row: Row, server: OurServer): Promise<Http2Wire> {
  const wire = await Http2Wire.connect(server)
  try {
    const before = server.served.length
    if (!row.bare) wire.start(row.settings)
    await play(row, wire)
    const why = await firstThatHolds(row.expect, wire, () => handedOn(server, before))
    assert.equal(why, null, `${why}; got ${wire.told()}`)
    await row.also?.(wire, server)
    if (!wire.over && wire.goaway === null) await goesOn(wire)
    assert.deepEqual(wire.observer.breaches, [])
    return wire
  } finally {
    wire.close()
  }
}

async function play({ send }: Row, wire: Http2Wire): Promise<void> {
  let frames: Buffer[] = []
  const flush = (): void => {
    if (frames.length > 0 && !wire.over) wire.send(...frames)
    frames = []
  }
  for (const step of send) {
    if (typeof step !== 'function') frames.push(step)
    else {
      flush()
      await step(wire)
    }
  }
  flush()
}

const handedOn = (server: OurServer, before: number): number =>
  server.served.slice(before).filter(({ target }) => target !== PROBE).length

/** Null when one of them holds, otherwise why the last does not. */
async function firstThatHolds(
  expect: readonly Expected[],
  wire: Http2Wire,
  handed: () => number,
): Promise<string | null> {
  // Twice: a PING may be answered before what was read in front of it.
  if (await wire.pong()) await wire.pong()
  let why: string | null = 'nothing is expected'
  for (const expected of expect) {
    why = await holds(expected, wire, handed)
    if (why === null) return null
  }
  return why
}

async function holds(expected: Expected, wire: Http2Wire, handed: () => number): Promise<string | null> {
  const told = () => (wire.goaway === null ? 'no GOAWAY' : errorName(wire.goaway.code))
  switch (expected.kind) {
    case 'ended':
      return wire.over ? null : 'the connection goes on'
    case 'connection-error': {
      const code = wire.goaway === null ? null : errorName(wire.goaway.code)
      if (code === null || !expected.codes.some((wanted) => wanted === code)) return `${told()}, not ${expected.codes}`
      await wire.ended()
      return null
    }
    case 'ignored': {
      if (wire.over || wire.goaway !== null) return `the connection ended: ${told()}`
      const resets = [...wire.observer.streams].filter(([, { answer }]) => answer.reset !== null)
      return resets.length === 0 ? null : `stream ${resets[0]![0]} was reset`
    }
    case 'stream-error':
    case 'refused':
    case 'malformed': {
      const { stream } = expected
      const { reset, status } = wire.answer(stream) ?? { reset: null, status: 0 }
      if (expected.kind === 'refused' && (reset === null || reset === 0) && status >= 400)
        return handed() === 0 ? null : 'it was handed on'
      if (reset === null) return wire.over ? `the connection ended: ${told()}` : `no RST_STREAM, status ${status}`
      if (expected.kind === 'stream-error')
        return expected.codes.some((code) => code === errorName(reset)) ? null : `RST_STREAM(${errorName(reset)})`
      if (errorName(reset) !== 'PROTOCOL_ERROR') return `RST_STREAM(${errorName(reset)})`
      if (status !== 0 && (status < 400 || status > 499)) return `status ${status}`
      return handed() === 0 ? null : 'it was handed on'
    }
    case 'answered': {
      const answer = await wire.answered(expected.stream).catch(() => null)
      if (answer === null || !answer.ended) return `no answer: ${answer?.reset}, ${told()}`
      if (answer.status !== expected.status) return `status ${answer.status}`
      const body = answer.body.toString('latin1')
      return expected.body === null || body === expected.body ? null : `body ${body.slice(0, 200)}`
    }
  }
}

async function goesOn(wire: Http2Wire): Promise<void> {
  if (Math.max(...wire.observer.streams.keys()) >= PROBE_STREAM) {
    assert.ok(await wire.pong(), `the connection does not go on: ${wire.told()}`)
    return
  }
  wire.send(request(PROBE_STREAM, PROBE))
  const { status, reset } = await wire.answered(PROBE_STREAM)
  assert.deepEqual([status, reset], [204, null], `the connection does not go on: ${wire.told()}`)
}
