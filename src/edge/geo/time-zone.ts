//! IANA time zone of coordinates, for databases that have none. Loaded when it is first asked.
import { createRequire } from 'node:module'

let lookup: ((latitude: number, longitude: number) => string) | null = null

/** Of degrees as text; empty when either is. */
export function timeZoneAt(latitude: string, longitude: string): string {
  if (latitude === '' || longitude === '') return ''
  lookup ??= createRequire(import.meta.url)('@photostructure/tz-lookup') as (lat: number, long: number) => string
  try {
    return lookup(Number(latitude), Number(longitude))
  } catch {
    return ''
  }
}
