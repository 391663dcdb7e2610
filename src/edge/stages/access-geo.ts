//! Geo restriction (spec/cloudfront.md 3.1 step 6u, 12.1): of the whole distribution, by the country of the viewer's
//! address. A viewer of no known country is served, as CloudFront does; without a database nobody's is known, and then
//! nobody is: a restriction that cannot be enforced must not look like one that is.
import { NOWHERE } from '../../domain/viewer.ts'
import { REASONS } from '../../http/error-page.ts'
import { noteViewer } from '../explain.ts'
import type { DistributionPlan, GeoPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const accessGeo = stage({
  name: to.accessGeo,
  next: [to.rootObject, to.errorPage],
  run(x, edge) {
    const { listed, allows } = (x.distribution as DistributionPlan).geo as GeoPlan
    if (x.location === NOWHERE) x.location = edge.geo.find(x.viewerAddress)
    const { country } = x.location
    if (x.watcher !== null) {
      noteViewer(x)
      const what = country === '' ? 'no known country' : `${country} is ${listed.has(country) ? '' : 'not '}listed`
      x.watcher.decided('Restrictions.GeoRestriction', `${allows ? 'whitelist' : 'blacklist'}: ${what}`)
    }
    if (!edge.geo.placesAddresses) {
      x.fault = { status: 503, reason: REASONS.noGeoip, detailed: 'InternalError', origin: null }
      return to.errorPage
    }
    if (country !== '' && listed.has(country) !== allows) {
      x.fault = { status: 403, reason: REASONS.country, detailed: 'ClientGeoBlocked', origin: null }
      return to.errorPage
    }
    return to.rootObject
  },
})
