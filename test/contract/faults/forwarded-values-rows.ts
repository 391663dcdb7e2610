//! Faults of legacy ForwardedValues and its TTLs (spec 1.5, 2.3, 2.7, 4.5).
import type { DefaultCacheBehavior } from '@aws-sdk/client-cloudfront'
import { type FaultRow, listed, many, updating } from '../../support/fault-site.ts'

const standard = (changes: object) =>
  updating((config) => ({
    DefaultCacheBehavior: { ...config.DefaultCacheBehavior, ...changes } as DefaultCacheBehavior,
  }))

const PLAIN = { QueryString: false, Cookies: { Forward: 'none' } } as const

const values = (changes: object, ttls: object = {}) =>
  standard({
    CachePolicyId: undefined,
    ForwardedValues: { ...PLAIN, ...changes },
    ...ttls,
  })
const whitelist = (...names: string[]) => ({ Cookies: { Forward: 'whitelist', WhitelistedNames: listed(...names) } })
const keys = (...names: string[]) => ({ QueryString: true, QueryStringCacheKeys: listed(...names) })
const headers = (...names: string[]) => ({ Headers: listed(...names) })

const row = (code: string, when: string, provoke: FaultRow['provoke']): FaultRow => ({
  code,
  status: 400,
  section: '2.3, 2.7, 4.5',
  when,
  provoke,
})

export const FORWARDED_VALUES_ROWS: readonly FaultRow[] = [
  row('InvalidForwardCookies', 'whitelist without names', values({ Cookies: { Forward: 'whitelist' } })),
  ...['none', 'all'].map((Forward) =>
    row(
      'InvalidForwardCookies',
      `${Forward} with names`,
      values({ Cookies: { Forward, WhitelistedNames: listed('a') } }),
    ),
  ),
  row('InvalidArgument', 'a Forward that is none of the three', values({ Cookies: { Forward: 'some' } })),
  row('TooManyCookieNamesInWhiteList', '11 cookies', values(whitelist(...many(11, (at) => `c${at}`)))),
  row('InvalidArgument', 'cookies of 512 characters, a byte more for each', values(whitelist('x'.repeat(512)))),
  row('InvalidArgument', 'a cookie with an equals sign', values(whitelist('a=b'))),
  row('InvalidArgument', 'a cookie twice', values(whitelist('a', 'a'))),
  row('TooManyHeadersInForwardedValues', '11 headers', values(headers(...many(11, (at) => `x-${at}`)))),
  row('InvalidArgument', '* beside another header', values(headers('*', 'Origin'))),
  row('InvalidArgument', '* with a MinTTL above 0', values(headers('*'), { MinTTL: 1 })),
  row('InvalidArgument', 'a header twice', values(headers('Origin', 'origin'))),
  ...['Cookie', 'Connection', 'X-Edge-Key', 'X-Real-IP', 'CloudFront-Viewer-Address', 'a b'].map((name) =>
    row('InvalidArgument', `the header ${name}`, values(headers(name))),
  ),
  row('TooManyQueryStringParameters', '11 query keys', values(keys(...many(11, (at) => `q${at}`)))),
  row('InvalidQueryStringParameters', 'keys without QueryString', values({ QueryStringCacheKeys: listed('a') })),
  row('InvalidQueryStringParameters', 'a key of 129 characters', values(keys('x'.repeat(129)))),
  row(
    'InvalidQueryStringParameters',
    'keys of over 512 characters',
    values(keys(...many(5, (at) => `${at}`.repeat(103)))),
  ),
  row('InvalidQueryStringParameters', 'a key with an ampersand', values(keys('a&b'))),
  row('InvalidQueryStringParameters', 'an empty key', values(keys(''))),
  row('InvalidQueryStringParameters', 'a key twice', values(keys('a', 'a'))),
  row('InvalidTTLOrder', 'a MinTTL above the DefaultTTL', values({}, { MinTTL: 10, DefaultTTL: 5, MaxTTL: 20 })),
  row('InvalidTTLOrder', 'a DefaultTTL above the MaxTTL', values({}, { MinTTL: 0, DefaultTTL: 30, MaxTTL: 20 })),
  row('InvalidTTLOrder', 'a negative MinTTL', values({}, { MinTTL: -1, DefaultTTL: 5, MaxTTL: 20 })),
  row('InvalidArgument', 'TTLs beside a cache policy', standard({ MinTTL: 0 })),
  row(
    'InvalidArgument',
    'an origin request policy',
    values({}, { OriginRequestPolicyId: '216adef6-5c7f-47e4-b989-5492eafa07d3' }),
  ),
]
