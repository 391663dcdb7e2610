//! Faults of origins (spec 2.2).
import type { DistributionConfig, Origin, OriginGroup } from '@aws-sdk/client-cloudfront'
import { type FaultRow, listed, many, updating } from '../../support/fault-site.ts'

/** The one origin with these changes, and others beside it. */
const origin =
  (changes: object, ...others: Partial<Origin>[]) =>
  ({ Origins }: DistributionConfig) => {
    const one = Origins?.Items?.[0] as Origin
    return { Origins: listed({ ...one, ...changes }, ...others.map((other) => ({ ...one, ...other }))) }
  }

/** Its CustomOriginConfig with these changes. */
const custom = (changes: object) => (config: DistributionConfig) =>
  origin({ CustomOriginConfig: { ...config.Origins?.Items?.[0]?.CustomOriginConfig, ...changes } })(config)

/** Two origins and groups of them with these changes. */
const groups =
  (...changes: Partial<OriginGroup>[]) =>
  (config: DistributionConfig) => ({
    ...origin({}, { Id: 'spare' })(config),
    OriginGroups: listed(
      ...changes.map((change) => ({
        Id: 'group',
        FailoverCriteria: { StatusCodes: listed(500) },
        Members: listed({ OriginId: 'origin' }, { OriginId: 'spare' }),
        ...change,
      })),
    ),
  })

const row = (code: string, when: string, provoke: FaultRow['provoke'], quotas: FaultRow['quotas'] = {}): FaultRow => ({
  ...{ code, status: 400, section: '2.2', when, provoke, quotas },
})

const header = (HeaderName: string, HeaderValue = 'x') => ({ HeaderName, HeaderValue })

export const ORIGIN_ROWS: readonly FaultRow[] = [
  row('InvalidOrigin', 'an origin of no kind', updating(origin({ CustomOriginConfig: undefined }))),
  row('InvalidOrigin', 'an origin of two kinds', updating(origin({ S3OriginConfig: { OriginAccessIdentity: '' } }))),
  row(
    'TooManyOrigins',
    'more origins than a distribution may have',
    updating(origin({}, ...many(100, (at) => ({ Id: `origin-${at}` })))),
  ),
  row(
    'TooManyOriginCustomHeaders',
    'more custom headers than an origin may have',
    updating(origin({ CustomHeaders: listed(...many(31, (at) => header(`x-${at}`))) })),
  ),
  row('TooManyOriginGroupsPerDistribution', 'more origin groups than a distribution may have', (site) => () => {
    const one = site.one.config.Origins?.Items?.[0] as Origin
    const group = (at: number) => ({
      Id: `group-${at}`,
      FailoverCriteria: { StatusCodes: listed(500) },
      Members: listed({ OriginId: one.Id }, { OriginId: 'other' }),
    })
    const Origins = listed(one, { ...one, Id: 'other' })
    return site.update({ Origins, OriginGroups: listed(...many(11, group)) })
  }),
  row('InvalidArgument', 'a DomainName with a scheme', updating(origin({ DomainName: 'http://example.com' }))),
  row('InvalidArgument', 'an OriginPath that ends with a slash', updating(origin({ OriginPath: '/a/' }))),
  row('InvalidArgument', 'one Id twice', updating(origin({}, {}))),
  row(
    'InvalidArgument',
    'a custom header that an origin cannot have',
    updating(origin({ CustomHeaders: listed(header('X-Edge-Mine')) })),
  ),
  row('InvalidArgument', 'an origin shield without a region', updating(origin({ OriginShield: { Enabled: true } }))),
  row(
    'InvalidArgument',
    'an origin shield in what is no region',
    updating(origin({ OriginShield: { Enabled: true, OriginShieldRegion: 'Frankfurt' } })),
  ),
  row('InvalidArgument', 'four connection attempts', updating(origin({ ConnectionAttempts: 4 }))),
  row('InvalidArgument', 'a connection timeout of 11 seconds', updating(origin({ ConnectionTimeout: 11 }))),
  row('InvalidArgument', 'port 81', updating(custom({ HTTPPort: 81 }))),
  row('InvalidArgument', 'a protocol policy that is none', updating(custom({ OriginProtocolPolicy: 'https' }))),
  row(
    'InvalidArgument',
    'a completion timeout below the read timeout',
    updating(origin({ ResponseCompletionTimeout: 10 })),
  ),
  row('InvalidOriginReadTimeout', '121 seconds', updating(custom({ OriginReadTimeout: 121 }))),
  row('InvalidOriginKeepaliveTimeout', '0 seconds', updating(custom({ OriginKeepaliveTimeout: 0 }))),
  row('InvalidArgument', 'an IpAddressType that is none', updating(custom({ IpAddressType: 'ipv5' }))),
  row(
    'TooManyOriginGroupsPerDistribution',
    'more origin groups than a distribution may have',
    updating(groups(...many(11, (at) => ({ Id: `group-${at}` })))),
  ),
  row('InvalidOrigin', 'an origin group of one member', updating(groups({ Members: listed({ OriginId: 'origin' }) }))),
  row(
    'InvalidOrigin',
    'an origin that stands in for itself',
    updating(groups({ Members: listed({ OriginId: 'origin' }, { OriginId: 'origin' }) })),
  ),
  row('InvalidArgument', 'failover on a success', updating(groups({ FailoverCriteria: { StatusCodes: listed(200) } }))),
]
