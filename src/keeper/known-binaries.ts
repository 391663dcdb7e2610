//! The engine binaries of the host, looked for again when one may have been installed or upgraded meanwhile.
import { type Binary, binariesMark, type EngineName, findBinaries, SEARCH_PATH } from './binaries.ts'

export class KnownBinaries {
  readonly #path: readonly string[]
  #mark: string
  #now: readonly Binary[]

  private constructor(path: readonly string[], now: readonly Binary[]) {
    this.#path = path
    this.#now = now
    this.#mark = binariesMark(path)
  }

  /** `path`: where they are looked for; the usual places by default. */
  static async find(path: readonly string[] = SEARCH_PATH): Promise<KnownBinaries> {
    return new KnownBinaries(path, await findBinaries(path))
  }

  get now(): readonly Binary[] {
    return this.#now
  }

  /** Looks again when one of these engines is not there, or something changed on the disk. False when it did not look. */
  async lookAgain(engines: Iterable<EngineName>): Promise<boolean> {
    const wanted = new Set(engines)
    for (const { engine } of this.#now) wanted.delete(engine)
    const mark = binariesMark(this.#path)
    if (wanted.size === 0 && mark === this.#mark) return false
    this.#now = await findBinaries(this.#path)
    this.#mark = mark
    return true
  }
}
