//! Reads the beginning of a viewer's body for the rules that look at it, and gives the origin all of it afterwards. Only
//! as much is held as rules look at; the rest comes when the origin takes it. How slowly a body may come is the listener's
//! to say (listen/limits.ts).
import { Readable } from 'node:stream'
import type { HeaderBlock, ViewerBody } from '../listen/viewer.ts'
import type { InspectedBody } from './inspected.ts'
import { unpacked } from './unpacked.ts'

export interface ReadBody {
  /** In the place of the one that was read. */
  readonly body: ViewerBody
  readonly inspected: InspectedBody
}

/** Null when the body broke off or is malformed. */
export async function readBody(body: ViewerBody, limit: number, headers: HeaderBlock): Promise<ReadBody | null> {
  const stream = body.stream()
  const begun = await beginningOf(stream, limit)
  if (begun === null) return null
  const { bytes, ended } = begun
  const beginning = bytes.subarray(0, limit)
  const raw = beginning.toString('latin1')
  const inner = await unpacked(beginning, bytes.length <= limit, headers, limit)
  const inspected: InspectedBody = {
    texts: inner === null ? [raw] : [raw, inner.bytes.toString('latin1')],
    bytes: body.length ?? bytes.length,
    oversize: bytes.length > limit || (inner !== null && !inner.whole),
  }
  if (!ended) stream.unshift(bytes)
  const again = ended ? Readable.from([bytes], { objectMode: false }) : stream
  return { body: new BegunBody(body, again), inspected }
}

/** More than `limit` bytes, or all that there are. */
function beginningOf(stream: Readable, limit: number): Promise<{ bytes: Buffer; ended: boolean } | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    const done = (ended: boolean | null): void => {
      stream.off('readable', take).off('end', end).off('error', fail).off('close', fail)
      resolve(ended === null ? null : { bytes: Buffer.concat(chunks), ended })
    }
    const end = (): void => done(true)
    const fail = (): void => done(null)
    function take(): void {
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read()) {
        chunks.push(chunk)
        length += chunk.length
        if (length <= limit) continue
        done(false)
        return
      }
    }
    stream.on('readable', take).on('end', end).on('error', fail).on('close', fail)
    if (stream.destroyed) fail()
  })
}

/** A body whose stream somebody has begun to read. */
class BegunBody implements ViewerBody {
  readonly length: number | null
  readonly #body: ViewerBody
  readonly #stream: Readable

  constructor(body: ViewerBody, stream: Readable) {
    this.length = body.length
    this.#body = body
    this.#stream = stream
  }

  get complete(): boolean {
    return this.#body.complete
  }

  get trailers(): readonly string[] {
    return this.#body.trailers
  }

  stream(): Readable {
    return this.#stream
  }

  unhurried(): void {
    this.#body.unhurried?.()
  }
}
