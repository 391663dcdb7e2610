//! AWS regions as places on a map: the airport that CloudFront would name an edge location there by, where it lies, and
//! the price class that it is in.

/**
 * Edge locations that a price class brings: `PriceClass_100` those of the first word, `PriceClass_200` those of the
 * second too, `PriceClass_All` all (CloudFront's pricing page: United States, Canada, Mexico, Europe, Israel; then Asia,
 * the Middle East and Africa; South America, Australia and New Zealand are in none but the last).
 */
export type PriceBand = '100' | '200' | 'all'

export interface RegionRow {
  readonly airport: string
  readonly city: string
  readonly latitude: number
  readonly longitude: number
  readonly band: PriceBand
}

const row = (airport: string, city: string, latitude: number, longitude: number, band: PriceBand): RegionRow => ({
  airport,
  city,
  latitude,
  longitude,
  band,
})

export const REGIONS: Readonly<Record<string, RegionRow>> = {
  'us-east-1': row('IAD', 'Ashburn', 38.94, -77.46, '100'),
  'eu-central-1': row('FRA', 'Frankfurt', 50.04, 8.56, '100'),
  'ap-northeast-1': row('NRT', 'Tokyo', 35.76, 140.39, '200'),
  'us-west-2': row('HIO', 'Hillsboro', 45.54, -122.95, '100'),
  'eu-west-1': row('DUB', 'Dublin', 53.42, -6.27, '100'),
  'ap-southeast-1': row('SIN', 'Singapore', 1.36, 103.99, '200'),
  'sa-east-1': row('GRU', 'São Paulo', -23.43, -46.47, 'all'),
  'ap-southeast-2': row('SYD', 'Sydney', -33.95, 151.18, 'all'),
  'ap-south-1': row('BOM', 'Mumbai', 19.09, 72.87, '200'),
  'eu-west-2': row('LHR', 'London', 51.47, -0.45, '100'),
  'us-west-1': row('SFO', 'San Francisco', 37.62, -122.38, '100'),
  'us-east-2': row('CMH', 'Columbus', 40, -82.89, '100'),
  'ca-central-1': row('YUL', 'Montreal', 45.47, -73.74, '100'),
  'eu-west-3': row('CDG', 'Paris', 49.01, 2.55, '100'),
  'eu-north-1': row('ARN', 'Stockholm', 59.65, 17.92, '100'),
  'af-south-1': row('CPT', 'Cape Town', -33.97, 18.6, '200'),
  'ap-northeast-2': row('ICN', 'Seoul', 37.46, 126.44, '200'),
  'me-south-1': row('BAH', 'Manama', 26.27, 50.63, '200'),
  'ap-east-1': row('HKG', 'Hong Kong', 22.31, 113.91, '200'),
  'eu-south-1': row('MXP', 'Milan', 45.63, 8.72, '100'),
  'ap-northeast-3': row('KIX', 'Osaka', 34.43, 135.24, '200'),
  'ap-south-2': row('HYD', 'Hyderabad', 17.24, 78.43, '200'),
  'ap-southeast-3': row('CGK', 'Jakarta', -6.13, 106.66, '200'),
  'ap-southeast-4': row('MEL', 'Melbourne', -37.67, 144.84, 'all'),
  'ap-southeast-5': row('KUL', 'Kuala Lumpur', 2.75, 101.71, '200'),
  'ap-southeast-7': row('BKK', 'Bangkok', 13.69, 100.75, '200'),
  'ca-west-1': row('YYC', 'Calgary', 51.11, -114.02, '100'),
  'eu-central-2': row('ZRH', 'Zurich', 47.46, 8.55, '100'),
  'eu-south-2': row('ZAZ', 'Zaragoza', 41.66, -1.04, '100'),
  'il-central-1': row('TLV', 'Tel Aviv', 32.01, 34.89, '100'),
  'me-central-1': row('DXB', 'Dubai', 25.25, 55.36, '200'),
  'mx-central-1': row('QRO', 'Querétaro', 20.62, -100.19, '100'),
}

/** By the continent that a region's name begins with; of one that nobody knows, in every price class. */
const BANDS: Readonly<Record<string, PriceBand>> = { af: '200', ap: '200', me: '200', sa: 'all' }

export const bandOf = (region: string): PriceBand =>
  REGIONS[region]?.band ?? BANDS[region.slice(0, region.indexOf('-'))] ?? '100'
