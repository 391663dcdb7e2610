//! GeoMatchStatement: the country of an address. It labels each request that it looks at, whether it matches or not.
import type { ViewerLocation } from '../../../domain/viewer.ts'
import type { StatementCompiler } from '../compile-context.ts'
import type { Inspected } from '../inspected.ts'
import { LOOKS } from '../matcher.ts'
import { firstForwarded } from './forwarded-ip.ts'

/** AWS's label for an address of no known place. */
const UNKNOWN = 'XX'

/** @throws Error as locationOf; then nobody knows the labels either */
function located(request: Inspected, address: string, prefix: string): ViewerLocation {
  try {
    return request.locationOf(address)
  } catch (error) {
    request.doubtful.push(prefix)
    throw error
  }
}

export const geoMatch: StatementCompiler<'GeoMatchStatement'> = (statement, { shared }) => {
  shared.locates = true
  const { CountryCodes = [], ForwardedIPConfig: forwarded } = statement
  const countries = new Set<string>(CountryCodes)
  const address = forwarded === undefined ? null : firstForwarded(forwarded)
  const prefix = `awswaf:${forwarded === undefined ? 'clientip' : 'forwardedip'}:geo:`
  return {
    looks: LOOKS.other,
    matches(request) {
      const of = address === null ? request.address : address(request)
      // Without the header the rule does not apply.
      if (of === null || typeof of === 'boolean') return of ?? false
      const { country, region } = located(request, of, prefix)
      const code = country === '' ? UNKNOWN : country
      request.addLabel(`${prefix}country:${code}`)
      request.addLabel(`${prefix}region:${code}-${region === '' ? UNKNOWN : region}`)
      return countries.has(code)
    },
  }
}
