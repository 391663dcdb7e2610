//! The OCSP response that a server staples to its certificate. Control has fetched and verified it; here it is taken from
//! memory, or from its file when that has a newer one. No viewer waits for more than a file of this host.
import { X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { responderOf } from '../../../lib/ca/ocsp-subject.ts'
import { type KeptStaple, readStaple, stapleFile, stapleName } from '../../../lib/ca/staple-file.ts'

export interface StapleOptions {
  /** lib/ca/staple-file.ts */
  readonly directory: string
  /** Milliseconds of the wall clock: responses are good by that of viewers. */
  readonly wall: () => number
}

/** The file is looked at no more often. Milliseconds of the wall clock. */
const LOOK_MS = 2_000

export class Staple {
  readonly #options: StapleOptions
  readonly #name: string
  #kept: KeptStaple | null = null
  /** When the file was looked at, and which it was. */
  #lookedAt = Number.NEGATIVE_INFINITY
  #seen = ''
  #looking: Promise<void> | null = null

  private constructor(options: StapleOptions, name: string) {
    this.#options = options
    this.#name = name
  }

  /** `chain`: PEM, the certificate first. Null for one that no responder is named in: viewers ask for nothing. */
  static of(chain: string, options: StapleOptions): Staple | null {
    const leaf = new X509Certificate(chain)
    return responderOf(leaf) === null ? null : new Staple(options, stapleName(leaf))
  }

  /** DER, or null for nothing to staple; a promise only while there is nothing in memory and the file is being read. */
  get(): Buffer | null | Promise<Buffer | null> {
    const now = this.#options.wall()
    const isDue = Math.abs(now - this.#lookedAt) >= LOOK_MS
    const known = this.#good(now)
    if (isDue && this.#looking === null) {
      this.#lookedAt = now
      this.#looking = this.#look().finally(() => {
        this.#looking = null
      })
    }
    if (known !== null || this.#looking === null) return known
    return this.#looking.then(() => this.#good(this.#options.wall()))
  }

  #good(now: number): Buffer | null {
    return this.#kept !== null && this.#kept.nextUpdate > now ? this.#kept.response : null
  }

  /** Never fails: without a file there is nothing. */
  async #look(): Promise<void> {
    const { directory } = this.#options
    const now = await stat(stapleFile(directory, this.#name)).then(
      ({ mtimeMs, ino }) => `${mtimeMs} ${ino}`,
      () => 'none',
    )
    if (now === this.#seen) return
    this.#kept = now === 'none' ? null : await readStaple(directory, this.#name)
    this.#seen = now
  }
}
