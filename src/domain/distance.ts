//! Distance on the globe. PURE.

/** Degrees, north and east positive. */
export interface Coordinates {
  readonly latitude: number
  readonly longitude: number
}

const EARTH_RADIUS_KM = 6_371

/** Great-circle distance in kilometres (haversine). */
export function distanceKm(one: Coordinates, other: Coordinates): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const latitude = Math.sin(radians(other.latitude - one.latitude) / 2)
  const longitude = Math.sin(radians(other.longitude - one.longitude) / 2)
  const chord = latitude ** 2 + Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * longitude ** 2
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)))
}
