//! The compressions of a worker. zlib's own asynchronous streams do the work on the threads of libuv's pool: the event
//! loop only hands pieces over, and no piece is copied from thread to thread as worker_threads would have it. Pieces of
//! all bodies take turns, so that a small page waits for a piece of a large one, never for the whole of it; and they
//! take half of the pool's threads, so that name look-ups and files find one free. Best effort, as CloudFront's: when
//! too much is under way, a body goes out and into the cache as it came, and is compressed there later (owed.ts).
import { type BrotliCompress, constants, createBrotliCompress, createGzip, type Gzip } from 'node:zlib'
import type { ContentCoding } from '../../http/compressible.ts'
import type { BodyFilter, FilteredBody } from '../cache/flight.ts'
import type { StoredObject } from '../cache/object.ts'
import type { Store } from '../cache/store.ts'
import { OwedCompressions } from './owed.ts'

/** Threads of libuv's pool (4 by default) that compress at one time. */
const THREADS_MAX = 2
/** Bodies under way. */
const BODIES_MAX = 64
/** Bytes of these bodies, by their declared lengths: a bound for what waits in memory to be compressed. */
const BYTES_MAX = 64 * 1024 * 1024

/** zlib's default. On JavaScript and TypeScript sources of 90-300 KB level 9 takes twice the time to save under 1%. */
const GZIP_LEVEL = 6
/** The time of gzip 6 for 3-15% fewer bytes; 7 takes 1.3-2.8 times as long for 3-5% less, 11 a hundred times. */
const BROTLI_QUALITY = 5
/** A window as large as the body is enough; it decides the memory of a stream (RFC 7932 9.1: 10-24 bits). */
const WINDOW_BITS = { min: 10, max: 22 } as const

export interface CompressionLimits {
  readonly threads: number
  readonly bodies: number
  readonly bytes: number
}

export class Compressions {
  readonly #limits: CompressionLimits
  readonly #waiting: Compression[] = []
  #working = 0
  #bodies = 0
  #bytes = 0
  readonly #owed = new OwedCompressions((coding, length) => this.begin(coding, length))

  constructor(limits: CompressionLimits = { threads: THREADS_MAX, bodies: BODIES_MAX, bytes: BYTES_MAX }) {
    this.#limits = limits
  }

  /** For a body of `length` bytes; null when too much is under way. */
  begin(coding: ContentCoding, length: number): BodyFilter | null {
    if (this.#bodies >= this.#limits.bodies || this.#bytes + length > this.#limits.bytes) return null
    this.#bodies++
    this.#bytes += length
    return new Compression(coding === 'br' ? brotli(length) : createGzip({ level: GZIP_LEVEL }), {
      ready: (compression) => {
        this.#waiting.push(compression)
        this.#work()
      },
      over: () => {
        this.#bodies--
        this.#bytes -= length
        // Only while there is little else to do: who waits for a body goes before.
        if (this.#owed.size > 0 && this.#bodies <= this.#limits.bodies / 2) this.#owed.next()
      },
    })
  }

  /** An object for which there was no room: it is compressed in the store when there is. */
  owe(store: Store, object: StoredObject, coding: ContentCoding): void {
    this.#owed.add(store, object, coding)
    if (this.#bodies === 0) this.#owed.next()
  }

  /** Bodies under way. */
  get count(): number {
    return this.#bodies
  }

  #work(): void {
    while (this.#working < this.#limits.threads) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#working++
      next.work(() => {
        this.#working--
        this.#work()
      })
    }
  }
}

function brotli(length: number): BrotliCompress {
  const bits = Math.min(WINDOW_BITS.max, Math.max(WINDOW_BITS.min, Math.ceil(Math.log2(length + 16))))
  return createBrotliCompress({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: bits,
      [constants.BROTLI_PARAM_SIZE_HINT]: length,
    },
  })
}

interface Owner {
  /** There is a piece of work; called again only after that was done. */
  ready(compression: Compression): void
  over(): void
}

class Compression implements BodyFilter {
  readonly #stream: BrotliCompress | Gzip
  readonly #owner: Owner
  #body: FilteredBody | null = null
  #pieces: Uint8Array[] = []
  #sourceEnded = false
  /** In the owner's queue or at work. */
  #queued = false
  #worked: (() => void) | null = null

  constructor(stream: BrotliCompress | Gzip, owner: Owner) {
    this.#stream = stream
    this.#owner = owner
    stream.on('data', (piece: Buffer) => this.#body?.onFiltered(piece))
    stream.on('end', () => this.#body?.onFilteredEnd())
    stream.on('error', (error) => this.#body?.onFilterFailure(error))
    stream.once('close', () => {
      this.#stepDone()
      owner.over()
    })
  }

  attach(body: FilteredBody): void {
    this.#body = body
  }

  write(piece: Uint8Array): void {
    if (piece.length === 0) return
    this.#pieces.push(piece)
    this.#queue()
  }

  end(): void {
    this.#sourceEnded = true
    this.#queue()
  }

  abort(): void {
    this.#body = null
    this.#pieces = []
    this.#stream.destroy()
  }

  #queue(): void {
    if (this.#queued || this.#stream.destroyed || (this.#pieces.length === 0 && !this.#sourceEnded)) return
    this.#queued = true
    this.#owner.ready(this)
  }

  /** One turn: a piece, or the end. */
  work(done: () => void): void {
    if (this.#stream.destroyed) {
      done()
      return
    }
    this.#worked = done
    const piece = this.#pieces.shift()
    // A stream that has ended closes itself; that is the end of its last turn.
    if (piece === undefined) this.#stream.end()
    else this.#stream.write(piece, () => this.#stepDone())
  }

  #stepDone(): void {
    const done = this.#worked
    if (done === null) return
    this.#worked = null
    this.#queued = this.#stream.writableEnded
    this.#queue()
    done()
  }
}
