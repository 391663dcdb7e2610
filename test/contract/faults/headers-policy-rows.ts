//! Faults of response headers policies and of the lookups by policy (spec 1.5, 2.7, 4.9).
import type { ResponseHeadersPolicyConfig } from '@aws-sdk/client-cloudfront'
import { type FaultRow, type FaultSite, listed, many } from '../../support/fault-site.ts'

const SIMPLE_CORS = '60669652-455b-4ae9-85a4-c4c02393f86c'
const NOBODY = '00000000-0000-0000-0000-000000000000'

const CORS = {
  AccessControlAllowOrigins: listed('https://a.test'),
  AccessControlAllowHeaders: listed('X-A'),
  AccessControlAllowMethods: listed('GET'),
  AccessControlAllowCredentials: false,
  OriginOverride: true,
}
const brand = { CustomHeadersConfig: listed({ Header: 'X-Brand', Value: 'mine', Override: true }) }

/** What is refused is often of no type of the SDK's. */
const configOf = (changes: object): ResponseHeadersPolicyConfig => ({ Name: 'mine', ...changes }) as never

const creating = (changes: object) => (site: FaultSite) => () =>
  site.client.createResponseHeadersPolicy({ ResponseHeadersPolicyConfig: configOf(changes) })
const cors = (changes: object) => creating({ CorsConfig: { ...CORS, ...changes } })
const security = (changes: object) => creating({ SecurityHeadersConfig: changes })
const custom = (...headers: object[]) => creating({ CustomHeadersConfig: listed(...headers) })
const header = (Header: string, Value = 'x') => ({ Header, Value, Override: true })
const removing = (...names: string[]) =>
  creating({ RemoveHeadersConfig: listed(...names.map((Header) => ({ Header }))) })
const timing = (SamplingRate: number) => creating({ ServerTimingHeadersConfig: { Enabled: true, SamplingRate } })

const made = async (site: FaultSite, Name = 'mine') => {
  const answer = await site.client.createResponseHeadersPolicy({
    ResponseHeadersPolicyConfig: configOf({ Name, ...brand }),
  })
  return { id: answer.ResponseHeadersPolicy?.Id, etag: answer.ETag }
}
const using = (site: FaultSite, ResponseHeadersPolicyId: string | undefined) => ({
  DefaultCacheBehavior: { ...site.one.config.DefaultCacheBehavior, ResponseHeadersPolicyId } as never,
})

const row = (
  code: string,
  status: number,
  when: string,
  provoke: FaultRow['provoke'],
  quotas: FaultRow['quotas'] = {},
): FaultRow => ({ code, status, section: '1.5, 2.7, 4.9', when, provoke, quotas })

const invalid = (when: string, provoke: FaultRow['provoke']): FaultRow => row('InvalidArgument', 400, when, provoke)

const VALUES: readonly FaultRow[] = [
  invalid('a policy that does nothing', creating({})),
  invalid('a name of AWS', creating({ Name: 'Managed-x', ...brand })),
  invalid('a comment of 129 characters', creating({ ...brand, Comment: 'x'.repeat(129) })),
  invalid('CORS for no origin', cors({ AccessControlAllowOrigins: listed() })),
  invalid('CORS with no header', cors({ AccessControlAllowHeaders: listed() })),
  invalid('CORS with no method', cors({ AccessControlAllowMethods: listed() })),
  invalid('an origin with a path', cors({ AccessControlAllowOrigins: listed('https://a.test/') })),
  ...['https://*', 'https://a.*', 'https://a.*.test', 'https://a*.test', '*a.test', 'https://*.*.test', 'a b'].map(
    (origin) => invalid(`the origin ${origin}`, cors({ AccessControlAllowOrigins: listed(origin) })),
  ),
  invalid('an origin twice', cors({ AccessControlAllowOrigins: listed('https://a.test', 'https://A.test') })),
  invalid('a method that is none', cors({ AccessControlAllowMethods: listed('TRACE') })),
  invalid('a header with a space', cors({ AccessControlAllowHeaders: listed('X A') })),
  invalid('an exposed header with a colon', cors({ AccessControlExposeHeaders: listed('X:A') })),
  invalid(
    'every header beside credentials',
    cors({ AccessControlAllowCredentials: true, AccessControlAllowHeaders: listed('*') }),
  ),
  invalid('a negative Access-Control-Max-Age', cors({ AccessControlMaxAgeSec: -1 })),
  invalid(
    'origins of over 1,783 characters',
    cors({ AccessControlAllowOrigins: listed(...many(20, (at) => `https://${at}${'x'.repeat(100)}.test`)) }),
  ),
  invalid(
    'an empty Content-Security-Policy',
    security({ ContentSecurityPolicy: { ContentSecurityPolicy: '', Override: true } }),
  ),
  invalid('a frame option that is none', security({ FrameOptions: { FrameOption: 'ALLOWALL', Override: true } })),
  invalid('a referrer policy that is none', security({ ReferrerPolicy: { ReferrerPolicy: 'never', Override: true } })),
  invalid(
    'a negative max-age of Strict-Transport-Security',
    security({ StrictTransportSecurity: { AccessControlMaxAgeSec: -1, Override: true } }),
  ),
  invalid(
    'X-XSS-Protection with a mode and a report',
    security({ XSSProtection: { Protection: true, ModeBlock: true, ReportUri: 'https://r.test', Override: true } }),
  ),
  invalid(
    'X-XSS-Protection that is off, with a mode',
    security({ XSSProtection: { Protection: false, ModeBlock: true, Override: true } }),
  ),
  invalid(
    'a report URI with a semicolon',
    security({ XSSProtection: { Protection: true, ReportUri: 'a;b', Override: true } }),
  ),
  ...['Content-Security-Policy', 'X-Frame-Options', 'strict-transport-security'].map((name) =>
    invalid(`${name} as a custom header`, custom(header(name))),
  ),
  invalid('a CORS header as a custom header', custom(header('Access-Control-Allow-Origin', '*'))),
  ...['Connection', 'Via', 'X-Cache', 'X-Amz-Cf-Id', 'X-Edge-Key', 'Content-Length', 'Age'].map((name) =>
    invalid(`${name} as a custom header`, custom(header(name))),
  ),
  invalid('a custom header twice', custom(header('X-A'), header('x-a'))),
  invalid('a custom header without a name', custom(header(''))),
  invalid('a custom value with a line break', custom(header('X-A', 'a\nB: c'))),
  invalid('a custom value of 1,784 characters', custom(header('X-A', 'x'.repeat(1_784)))),
  invalid('custom headers of over 10,240 characters', custom(...many(7, (at) => header(`X-${at}`, 'x'.repeat(1_600))))),
  ...['Connection', 'via', 'X-Amz-Cf-Pop', 'X-Edge-Anything', 'X-Cache', 'X-Accel-Redirect', 'Content-Encoding'].map(
    (name) => invalid(`a removal of ${name}`, removing(name)),
  ),
  invalid('a removal of what is no name', removing('a b')),
  invalid('a removal twice', removing('X-A', 'x-a')),
  ...[-1, 100.1, 0.00001].map((rate) => invalid(`a sampling rate of ${rate}`, timing(rate))),
]

export const HEADERS_POLICY_ROWS: readonly FaultRow[] = [
  ...VALUES,
  row(
    'NoSuchResponseHeadersPolicy',
    404,
    'an id that is nobody’s',
    (site) => () => site.client.getResponseHeadersPolicy({ Id: NOBODY }),
  ),
  row(
    'NoSuchResponseHeadersPolicy',
    404,
    'a behavior that names nobody’s',
    (site) => () => site.update(using(site, NOBODY)),
  ),
  row(
    'NoSuchResponseHeadersPolicy',
    404,
    'a lookup of nobody’s',
    (site) => () => site.client.listDistributionsByResponseHeadersPolicyId({ ResponseHeadersPolicyId: NOBODY }),
  ),
  row(
    'NoSuchCachePolicy',
    404,
    'a lookup of nobody’s',
    (site) => () => site.client.listDistributionsByCachePolicyId({ CachePolicyId: NOBODY }),
  ),
  row(
    'NoSuchOriginRequestPolicy',
    404,
    'a lookup of nobody’s',
    (site) => () => site.client.listDistributionsByOriginRequestPolicyId({ OriginRequestPolicyId: NOBODY }),
  ),
  invalid(
    'a lookup by a connection mode that is none',
    (site) => () => site.client.listDistributionsByConnectionMode({ ConnectionMode: 'sideways' as never }),
  ),
  row('ResponseHeadersPolicyAlreadyExists', 409, 'a name that is taken', async (site) => {
    await made(site)
    return creating(brand)(site)
  }),
  row('ResponseHeadersPolicyAlreadyExists', 409, 'an update to a name that is taken', async (site) => {
    await made(site, 'other')
    const { id, etag } = await made(site)
    return () =>
      site.client.updateResponseHeadersPolicy({
        Id: id,
        IfMatch: etag,
        ResponseHeadersPolicyConfig: configOf({ ...brand, Name: 'other' }),
      })
  }),
  row('ResponseHeadersPolicyInUse', 409, 'a delete of what a distribution names', async (site) => {
    const { id, etag } = await made(site)
    await site.update(using(site, id))
    return () => site.client.deleteResponseHeadersPolicy({ Id: id, IfMatch: etag })
  }),
  row(
    'IllegalUpdate',
    400,
    'an update of a managed response headers policy',
    (site) => () =>
      site.client.updateResponseHeadersPolicy({
        Id: SIMPLE_CORS,
        IfMatch: 'E1',
        ResponseHeadersPolicyConfig: configOf(brand),
      }),
  ),
  row(
    'IllegalDelete',
    400,
    'a delete of a managed response headers policy',
    (site) => () => site.client.deleteResponseHeadersPolicy({ Id: SIMPLE_CORS, IfMatch: 'E1' }),
  ),
  row('PreconditionFailed', 412, 'a delete by an old version', async (site) => {
    const { id } = await made(site)
    return () => site.client.deleteResponseHeadersPolicy({ Id: id, IfMatch: 'E1' })
  }),
  row('InvalidIfMatchVersion', 400, 'a delete without a version', async (site) => {
    const { id } = await made(site)
    return () => site.client.deleteResponseHeadersPolicy({ Id: id })
  }),
  row(
    'TooManyResponseHeadersPolicies',
    400,
    'one more than the account may have',
    async (site) => {
      await made(site)
      return creating({ ...brand, Name: 'one-more' })(site)
    },
    { policiesOfEachKind: 1 },
  ),
  row(
    'TooManyDistributionsAssociatedToResponseHeadersPolicy',
    400,
    'one distribution more than it may serve',
    async (site) => {
      const { id } = await made(site)
      await site.create(using(site, id))
      return () => site.update(using(site, id))
    },
    { distributionsPerPolicy: 1 },
  ),
  row(
    'TooLongCSPInResponseHeadersPolicy',
    400,
    'a Content-Security-Policy of 1,784 characters',
    security({ ContentSecurityPolicy: { ContentSecurityPolicy: 'x'.repeat(1_784), Override: true } }),
  ),
  row(
    'TooManyCustomHeadersInResponseHeadersPolicy',
    400,
    '11 custom headers',
    custom(...many(11, (at) => header(`X-${at}`))),
  ),
  row('TooManyRemoveHeadersInResponseHeadersPolicy', 400, '11 removals', removing(...many(11, (at) => `X-${at}`))),
]
