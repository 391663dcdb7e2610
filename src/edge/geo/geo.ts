//! Where an address is: the GeoIP databases of a worker behind one question. They are opened when the first distribution
//! needs them (or the first question is asked), never at a start that needs none.
import { NOWHERE, type ViewerLocation } from '../../domain/viewer.ts'
import { addressBytes, addressNumber } from '../../lib/ip.ts'
import { databaseFiles, type GeoFiles } from './databases.ts'
import { asnOf, locationOf } from './location.ts'
import { Mmdb } from './mmdb.ts'
import { RangeLines } from './range-lines.ts'

/** Addresses whose place is remembered; the oldest are forgotten first. */
const REMEMBERED_MAX = 4_096

/** Answers from one file; throws for a damaged one. */
type Asks<T> = (address: Uint8Array) => T

export interface GeoLookup {
  /** Every field empty for an address that no database knows. */
  find(address: string): ViewerLocation
  /** Opens the databases now; says once what is missing. */
  prepare(): void
}

export class Geo implements GeoLookup {
  readonly #files: () => GeoFiles
  readonly #problem: (message: string) => void
  readonly #remembered = new Map<string, ViewerLocation>()
  #open: {
    readonly places: readonly Asks<ReturnType<typeof locationOf>>[]
    readonly asns: readonly Asks<string>[]
  } | null = null
  readonly #broken = new Set<string>()

  /** `files`: the operator's databases, which go before those that are installed as packages. */
  constructor(files: readonly string[], problem: (message: string) => void) {
    this.#files = () => databaseFiles(files)
    this.#problem = problem
  }

  prepare(): void {
    this.#opened()
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

  #look(text: string): ViewerLocation {
    const address = addressBytes(text)
    if (address === null) return NOWHERE
    const { places, asns } = this.#opened()
    let place: ReturnType<typeof locationOf> = NOWHERE
    for (const ask of places) if (place.country === '') place = ask(address)
    let asn = ''
    for (const ask of asns) if (asn === '') asn = ask(address)
    return place.country === '' && place.latitude === '' && asn === '' ? NOWHERE : { ...place, asn }
  }

  #opened() {
    this.#open ??= this.#openAll(this.#files())
    return this.#open
  }

  #openAll({ places, asns, ranges }: GeoFiles) {
    const mmdb = <T>(path: string, read: (record: ReturnType<Mmdb['find']>) => T, none: T): Asks<T>[] =>
      this.#opening(
        path,
        () => {
          const database = new Mmdb(path)
          return (address) => read(database.find(address))
        },
        none,
      )
    const lines = ranges.flatMap(({ path, bytes }) =>
      this.#opening(
        path,
        () => {
          const file = new RangeLines(path)
          return (address) => (address.length === bytes ? (file.find(addressNumber(address)) ?? '') : '')
        },
        '',
      ),
    )
    const open = {
      places: places.flatMap((path) => mmdb(path, locationOf, NOWHERE)),
      asns: [...asns.flatMap((path) => mmdb(path, asnOf, '')), ...lines],
    }
    if (open.places.length === 0) {
      this.#problem('no GeoIP database is installed: headers that tell where viewers are stay away (docs/headers.md)')
    }
    return open
  }

  /** A file that cannot be read, now or later, is named once and answers nothing. */
  #opening<T>(path: string, open: () => Asks<T>, none: T): Asks<T>[] {
    try {
      const ask = open()
      return [
        (address) => {
          try {
            return ask(address)
          } catch (error) {
            this.#complain(path, error)
            return none
          }
        },
      ]
    } catch (error) {
      this.#complain(path, error)
      return []
    }
  }

  #complain(path: string, error: unknown): void {
    if (this.#broken.has(path)) return
    this.#broken.add(path)
    this.#problem(`the GeoIP database ${path} cannot be read: ${(error as Error).message}`)
  }
}
