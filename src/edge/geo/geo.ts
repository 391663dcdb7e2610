//! Where an address is: the GeoIP databases of a worker behind one question. They are opened when the first distribution
//! needs them (or the first question is asked), never at a start that needs none; those that an operator has replaced are
//! opened anew.
import { statSync } from 'node:fs'
import { NOWHERE, type ViewerLocation } from '../../domain/viewer.ts'
import { addressBytes, addressNumber } from '../../lib/ip.ts'
import { databaseFiles, type GeoFiles } from './databases.ts'
import { asnOf, locationOf } from './location.ts'
import { Mmdb } from './mmdb.ts'
import { RangeLines } from './range-lines.ts'

/** Addresses whose place is remembered; the oldest are forgotten first. */
const REMEMBERED_MAX = 4_096

const NO_DATABASE =
  'no GeoIP database is installed: headers that tell where viewers are stay away, and geo restrictions refuse every viewer (docs/geo-restriction.md)'

/** A file that is open. */
interface Source<T> {
  readonly path: string
  /** @throws for a damaged file */
  readonly ask: (address: Uint8Array) => T
  readonly close: () => void
  /** It could not be read, once: what it has answered before is not all that it should have. */
  broken: boolean
}

interface OpenFiles {
  readonly places: readonly Source<ReturnType<typeof locationOf>>[]
  readonly asns: readonly Source<string>[]
  /** Which versions of which files these are. */
  readonly versions: string
  /** One of the files of places could not be opened. */
  readonly incomplete: boolean
}

/** Milliseconds between two looks whether an operator has replaced a file. */
const REPLACED_EVERY_MS = 60_000

export interface GeoLookup {
  /** Every field empty for an address that no database knows. */
  find(address: string): ViewerLocation
  /** Opens the databases now; says once what is missing. */
  prepare(): void
  /** False without a database of places, or with one that cannot be read: then no answer says where an address is not. */
  readonly placesAddresses: boolean
  /** The same of autonomous systems. */
  readonly knowsSystems: boolean
}

export class Geo implements GeoLookup {
  readonly #files: () => GeoFiles
  readonly #problem: (message: string) => void
  readonly #remembered = new Map<string, ViewerLocation>()
  #open: OpenFiles | null = null
  /** What the last look found, when it could not be used. */
  #refused = ''
  readonly #complained = new Set<string>()

  /** `files`: the operator's databases, which go before those that are installed as packages. */
  constructor(files: readonly string[], problem: (message: string) => void) {
    this.#files = () => databaseFiles(files)
    this.#problem = problem
  }

  prepare(): void {
    this.#opened()
  }

  get placesAddresses(): boolean {
    return isWhole(this.#opened())
  }

  get knowsSystems(): boolean {
    const { asns } = this.#opened()
    return asns.length > 0 && !asns.some(({ broken }) => broken)
  }

  find(address: string): ViewerLocation {
    const known = this.#remembered.get(address)
    if (known !== undefined) return known
    const found = this.#look(address)
    if (this.#remembered.size >= REMEMBERED_MAX) {
      this.#remembered.delete(this.#remembered.keys().next().value as string)
    }
    this.#remembered.set(address, found)
    return found
  }

  /**
   * Goes on with files that have been replaced since they were opened. New ones that cannot be read are named, and the old
   * ones, which are still open, go on.
   */
  takeReplaced(): void {
    const before = this.#open
    if (before === null) return
    const files = this.#files()
    const versions = versionsOf(files)
    if (versions === before.versions || versions === this.#refused) return
    this.#complained.clear()
    const next = this.#openAll(files, versions)
    for (const address of PROBES) {
      for (const source of next.places) this.#ask(source, address, NOWHERE)
      for (const source of next.asns) this.#ask(source, address, '')
    }
    if (!isWhole(next) || next.asns.some(({ broken }) => broken)) {
      this.#refused = versions
      closeAll(next)
      return
    }
    this.#open = next
    this.#refused = ''
    this.#remembered.clear()
    closeAll(before)
  }

  /** Looks for replaced files from now on. Returns how to end that. */
  keepUp(): () => void {
    const timer = setInterval(() => this.takeReplaced(), REPLACED_EVERY_MS).unref()
    return () => clearInterval(timer)
  }

  #look(text: string): ViewerLocation {
    const address = addressBytes(text)
    if (address === null) return NOWHERE
    const { places, asns } = this.#opened()
    let place: ReturnType<typeof locationOf> = NOWHERE
    for (const source of places) if (place.country === '') place = this.#ask(source, address, NOWHERE)
    let asn = ''
    for (const source of asns) if (asn === '') asn = this.#ask(source, address, '')
    return place.country === '' && place.latitude === '' && asn === '' ? NOWHERE : { ...place, asn }
  }

  #opened(): OpenFiles {
    if (this.#open === null) {
      const files = this.#files()
      this.#open = this.#openAll(files, versionsOf(files))
      if (this.#open.places.length === 0) this.#problem(NO_DATABASE)
    }
    return this.#open
  }

  #openAll({ places, asns, ranges }: GeoFiles, versions: string): OpenFiles {
    const opened = places.flatMap((path) => this.#mmdb(path, locationOf))
    const lines = ranges.flatMap(({ path, bytes }) =>
      this.#opening(path, () => {
        const file = new RangeLines(path)
        const ask = (address: Uint8Array) => (address.length === bytes ? (file.find(addressNumber(address)) ?? '') : '')
        return { ask, close: () => file.close() }
      }),
    )
    return {
      places: opened,
      asns: [...asns.flatMap((path) => this.#mmdb(path, asnOf)), ...lines],
      versions,
      incomplete: opened.length < places.length,
    }
  }

  #mmdb<T>(path: string, read: (record: ReturnType<Mmdb['find']>) => T): Source<T>[] {
    return this.#opening(path, () => {
      const database = new Mmdb(path)
      return { ask: (address) => read(database.find(address)), close: () => database.close() }
    })
  }

  /** None for a file that cannot be opened. */
  #opening<T>(path: string, open: () => Pick<Source<T>, 'ask' | 'close'>): Source<T>[] {
    try {
      return [{ path, ...open(), broken: false }]
    } catch (error) {
      this.#complain(path, error)
      return []
    }
  }

  #ask<T>(source: Source<T>, address: Uint8Array, none: T): T {
    try {
      return source.ask(address)
    } catch (error) {
      source.broken = true
      this.#complain(source.path, error)
      return none
    }
  }

  /** Once for a file. */
  #complain(path: string, error: unknown): void {
    if (this.#complained.has(path)) return
    this.#complained.add(path)
    this.#problem(`the GeoIP database ${path} cannot be read: ${(error as Error).message}`)
  }
}

const isWhole = ({ places, incomplete }: OpenFiles): boolean =>
  places.length > 0 && !incomplete && !places.some(({ broken }) => broken)

/** A file that was cut off often opens all the same. */
const PROBES = [Uint8Array.of(8, 8, 8, 8), Uint8Array.of(0x20, 1, 0x48, 0x60, ...Array<number>(12).fill(1))]

/** Changes when a file is replaced or written. */
function versionsOf({ places, asns, ranges }: GeoFiles): string {
  const version = (path: string): string => {
    const seen = statSync(path, { throwIfNoEntry: false })
    return seen === undefined ? path : `${path} ${seen.ino} ${seen.size} ${seen.mtimeMs}`
  }
  return [...places, ...asns, ...ranges.map(({ path }) => path)].map(version).join('\n')
}

function closeAll({ places, asns }: OpenFiles): void {
  for (const { close } of [...places, ...asns]) close()
}
