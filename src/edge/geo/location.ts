//! From a record of a GeoIP database to what the headers say of a viewer. Two shapes are known: MaxMind's (GeoLite2,
//! GeoIP2, DB-IP's own files) and the flat one of @ip-location-db and IPinfo. What the database lacks is derived where
//! that can be done soundly: the name of a country, the code of a region, the time zone of coordinates.
import { NOWHERE, type ViewerLocation } from '../../domain/viewer.ts'
import type { MmdbMap, MmdbValue } from './mmdb.ts'
import { regionCode } from './region-code.ts'
import { timeZoneAt } from './time-zone.ts'

type Found = Omit<ViewerLocation, 'asn'>

export function locationOf(record: MmdbValue | null): Found {
  if (!isMap(record)) return NOWHERE
  const found = 'country_code' in record ? flat(record) : maxmind(record)
  const { country, latitude, longitude } = found
  return {
    ...found,
    countryName: found.countryName || countryName(country),
    region: found.region || regionCode(country, found.regionName),
    timeZone: found.timeZone || timeZoneAt(latitude, longitude),
  }
}

/** Number of the autonomous system in a record of an ASN database; empty for none. */
export function asnOf(record: MmdbValue | null): string {
  if (!isMap(record)) return ''
  const number = text(record.autonomous_system_number) || text(record.asn).replace(/^AS/i, '')
  return /^[1-9]\d{0,9}$/.test(number) ? number : ''
}

function flat(record: MmdbMap): Found {
  return {
    ...NOWHERE,
    country: country(record.country_code),
    regionName: text(record.state1 ?? record.region),
    city: text(record.city),
    latitude: degrees(record.latitude),
    longitude: degrees(record.longitude),
    postalCode: text(record.postcode ?? record.postal_code),
    timeZone: text(record.timezone),
  }
}

function maxmind(record: MmdbMap): Found {
  const located = map(record.country)
  const { location, postal, city } = record
  const subdivisions = Array.isArray(record.subdivisions) ? record.subdivisions : []
  // The largest one: England, not Bracknell Forest.
  const subdivision = map(subdivisions[0])
  const code = country(located.iso_code)
  return {
    country: code,
    countryName: english(located),
    region: text(subdivision.iso_code).slice(0, 3),
    regionName: english(subdivision),
    city: english(map(city)),
    latitude: degrees(map(location).latitude),
    longitude: degrees(map(location).longitude),
    metroCode: code === 'US' ? text(map(location).metro_code) : '',
    postalCode: text(map(postal).code),
    timeZone: text(map(location).time_zone),
  }
}

const isMap = (value: MmdbValue | null | undefined): value is MmdbMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
const map = (value: MmdbValue | undefined): MmdbMap => (isMap(value) ? value : {})
const text = (value: MmdbValue | undefined): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'bigint' ? String(value) : ''
const english = (names: MmdbMap): string => text(map(names.names).en)
const country = (value: MmdbValue | undefined): string => (/^[A-Z]{2}$/.test(text(value)) ? text(value) : '')

/** Five decimals, as in AWS's examples: a metre. */
const degrees = (value: MmdbValue | undefined): string =>
  typeof value === 'number' && Math.abs(value) <= 180 ? value.toFixed(5) : ''

/** Made when the first country is named: 15 ms. */
let names: Intl.DisplayNames | null = null

function countryName(code: string): string {
  names ??= new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
  return code === '' ? '' : (names.of(code) ?? '')
}
