//! Geospatial search: shops near a visitor. Places are kept in a sorted set by a hash of their position, so a search looks
//! only at the squares around the visitor. Positions are rounded to about half a metre; distances take the earth as a
//! ball, which errs by up to half a percent.
import type { Cache } from './support/cache.ts'

export interface Position {
  readonly longitude: number
  readonly latitude: number
}

export interface Found {
  readonly name: string
  readonly metres: number
}

export class Shops {
  readonly #cache: Cache
  readonly #key: string

  constructor(cache: Cache, name = 'shops') {
    this.#cache = cache
    this.#key = `geo:${name}`
  }

  async put(name: string, { longitude, latitude }: Position): Promise<void> {
    await this.#cache.primary.geoadd(this.#key, longitude, latitude, name)
  }

  async remove(name: string): Promise<void> {
    await this.#cache.primary.zrem(this.#key, name)
  }

  /** The nearest within `metres`, nearest first; shops do not move, so a replica may be asked. */
  async near({ longitude, latitude }: Position, metres: number, count: number): Promise<readonly Found[]> {
    const rows = (await this.#cache.reader.geosearch(
      ...([this.#key, 'FROMLONLAT', longitude, latitude, 'BYRADIUS', metres, 'm'] as const),
      ...(['ASC', 'COUNT', count, 'WITHDIST'] as const),
    )) as [string, string][]
    return rows.map(([name, distance]) => ({ name, metres: Math.round(Number(distance)) }))
  }

  /** Those on the part of a map that is shown: a box around its centre, in metres. */
  async onMap({ longitude, latitude }: Position, width: number, height: number): Promise<readonly string[]> {
    return (await this.#cache.reader.geosearch(
      ...([this.#key, 'FROMLONLAT', longitude, latitude, 'BYBOX', width, height, 'm', 'ASC'] as const),
    )) as string[]
  }

  /** Metres between two shops; null when one is unknown. */
  async between(one: string, other: string): Promise<number | null> {
    const metres = await this.#cache.reader.geodist(this.#key, one, other)
    return metres === null ? null : Number(metres)
  }
}

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const shops = new Shops(cache)
  await shops.put('Alexanderplatz', { longitude: 13.4132, latitude: 52.5219 })
  await shops.put('Zoo', { longitude: 13.3327, latitude: 52.5072 })
  await shops.put('Potsdam', { longitude: 13.0645, latitude: 52.3906 })
  await cache.primary.wait(1, 1_000)
  const visitor = { longitude: 13.3777, latitude: 52.5163 }
  const found = await shops.near(visitor, 10_000, 5)
  say(`within 10 km of the Brandenburg Gate: ${found.map(({ name, metres }) => `${name} ${metres} m`).join(', ')}`)
  say(`from Zoo to Potsdam: ${Math.round((await shops.between('Zoo', 'Potsdam')) ?? 0)} m`)
}
