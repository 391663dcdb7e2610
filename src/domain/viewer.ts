//! Where a viewer is, as keys and origin requests have it. It travels with a question to another worker, so that both make
//! the same of it.

/** Where a viewer is, in the words that the headers have; each is empty when it is not known (spec/cloudfront.md 6.3). */
export interface ViewerLocation {
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  readonly countryName: string
  /** ISO 3166-2 without the country. */
  readonly region: string
  readonly regionName: string
  readonly city: string
  /** Degrees. */
  readonly latitude: string
  readonly longitude: string
  readonly metroCode: string
  readonly postalCode: string
  readonly timeZone: string
  /** Number of the autonomous system. */
  readonly asn: string
}

export const NOWHERE: ViewerLocation = {
  country: '',
  countryName: '',
  region: '',
  regionName: '',
  city: '',
  latitude: '',
  longitude: '',
  metroCode: '',
  postalCode: '',
  timeZone: '',
  asn: '',
}
