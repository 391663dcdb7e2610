//! AWS's managed cache policies and origin request policies by their real ids (spec/cloudfront.md 4.6-4.7). The API calls
//! them `Managed-<name>`. A distribution may name them like its own; nobody may change or delete them.
import type { CachePolicyDoc, NameList, OriginRequestPolicyDoc } from './policy.ts'

export interface ManagedCachePolicy {
  readonly name: string
  readonly id: string
  /** Null where AWS does not publish the settings: listed, and refused with 501 when a distribution names it. */
  readonly settings: Omit<CachePolicyDoc, 'id'> | null
}

export interface ManagedOriginRequestPolicy {
  readonly name: string
  readonly id: string
  readonly settings: Omit<OriginRequestPolicyDoc, 'id'>
}

const NONE: NameList = { behavior: 'none', names: [] }
const ALL: NameList = { behavior: 'all', names: [] }
const only = (...names: string[]): NameList => ({ behavior: 'whitelist', names })

/** Seconds. */
const DAY = 86_400
const YEAR = 31_536_000

const cached = (
  [minTtl, defaultTtl, maxTtl]: readonly [number, number, number],
  [headers, cookies, queryStrings]: readonly [NameList, NameList, NameList],
  encodings: 'gzip+br' | 'gzip' | 'none',
): Omit<CachePolicyDoc, 'id'> => ({
  minTtl,
  defaultTtl,
  maxTtl,
  headers,
  cookies,
  queryStrings,
  gzip: encodings !== 'none',
  brotli: encodings === 'gzip+br',
})

const ORIGIN_CONTROL = only('host', 'origin', 'x-http-method-override', 'x-http-method', 'x-method-override')
const AMPLIFY = only('authorization', 'cloudfront-viewer-country', 'host')
const MANIFEST = only('aws.manifestfilter', 'start', 'end', 'm')

export const MANAGED_CACHE_POLICIES: readonly ManagedCachePolicy[] = [
  {
    name: 'CachingOptimized',
    id: '658327ea-f89d-4fab-a63d-7e88639e58f6',
    settings: cached([1, DAY, YEAR], [NONE, NONE, NONE], 'gzip+br'),
  },
  {
    name: 'CachingOptimizedForUncompressedObjects',
    id: 'b2884449-e4de-46a7-ac36-70bc7f1ddd6d',
    settings: cached([1, DAY, YEAR], [NONE, NONE, NONE], 'none'),
  },
  {
    name: 'CachingDisabled',
    id: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
    settings: cached([0, 0, 0], [NONE, NONE, NONE], 'none'),
  },
  {
    name: 'UseOriginCacheControlHeaders',
    id: '83da9c7e-98b4-4e11-a168-04f0df8e2c65',
    settings: cached([0, 0, YEAR], [ORIGIN_CONTROL, ALL, NONE], 'gzip+br'),
  },
  {
    name: 'UseOriginCacheControlHeaders-QueryStrings',
    id: '4cc15a8a-d715-48a4-82b8-cc0b614638fe',
    settings: cached([0, 0, YEAR], [ORIGIN_CONTROL, ALL, ALL], 'gzip+br'),
  },
  {
    name: 'Elemental-MediaPackage',
    id: '08627262-05a9-4f76-9ded-b50ca2e3a84f',
    settings: cached([0, DAY, YEAR], [only('origin'), NONE, MANIFEST], 'gzip'),
  },
  {
    name: 'Amplify',
    id: '2e54312d-136d-493c-8eb9-b001f22f67d2',
    settings: cached([2, 2, 600], [AMPLIFY, ALL, ALL], 'gzip+br'),
  },
  { name: 'Amplify-Default', id: '4d1d2f1d-3a71-49ad-9e08-7ea5d843a556', settings: null },
  { name: 'Amplify-DefaultNoCookies', id: 'a6bad946-36c3-4c33-aa98-362c74a7fb13', settings: null },
  { name: 'Amplify-ImageOptimization', id: '1c6db51a-a33f-469a-8245-dae26771f530', settings: null },
  { name: 'Amplify-StaticContent', id: '7e5fad67-ee98-4ad0-b05a-394999eefc1a', settings: null },
]

/** Those that CloudFront made in June 2022: of device, place, protocol and TLS. */
export const CLOUDFRONT_HEADERS_2022_06: readonly string[] = [
  'forwarded-proto',
  'is-android-viewer',
  'is-desktop-viewer',
  'is-ios-viewer',
  'is-mobile-viewer',
  'is-smarttv-viewer',
  'is-tablet-viewer',
  'viewer-address',
  'viewer-asn',
  'viewer-city',
  'viewer-country',
  'viewer-country-name',
  'viewer-country-region',
  'viewer-country-region-name',
  'viewer-http-version',
  'viewer-latitude',
  'viewer-longitude',
  'viewer-metro-code',
  'viewer-postal-code',
  'viewer-time-zone',
  'viewer-tls',
].map((name) => `cloudfront-${name}`)

const CORS = ['origin', 'access-control-request-headers', 'access-control-request-method'] as const

export const MANAGED_ORIGIN_REQUEST_POLICIES: readonly ManagedOriginRequestPolicy[] = [
  {
    name: 'AllViewer',
    id: '216adef6-5c7f-47e4-b989-5492eafa07d3',
    settings: { headers: { behavior: 'allViewer', names: [] }, cookies: ALL, queryStrings: ALL },
  },
  {
    name: 'AllViewerAndCloudFrontHeaders-2022-06',
    id: '33f36d7e-f396-46d9-90e0-52428a34d9dc',
    settings: {
      headers: { behavior: 'allViewerAndWhitelistCloudFront', names: CLOUDFRONT_HEADERS_2022_06 },
      cookies: ALL,
      queryStrings: ALL,
    },
  },
  {
    name: 'AllViewerExceptHostHeader',
    id: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
    settings: { headers: { behavior: 'allExcept', names: ['host'] }, cookies: ALL, queryStrings: ALL },
  },
  {
    name: 'CORS-CustomOrigin',
    id: '59781a5b-3903-41f3-afcb-af62929ccde1',
    settings: { headers: only('origin'), cookies: NONE, queryStrings: NONE },
  },
  {
    name: 'CORS-S3Origin',
    id: '88a5eaf4-2fd4-4709-b370-b4c650ea3fcf',
    settings: { headers: only(...CORS), cookies: NONE, queryStrings: NONE },
  },
  {
    name: 'Elemental-MediaTailor-PersonalizedManifests',
    id: '775133bc-15f2-49f9-abea-afb2e0bf67d2',
    settings: { headers: only(...CORS, 'user-agent', 'x-forwarded-for'), cookies: NONE, queryStrings: ALL },
  },
  {
    name: 'HostHeaderOnly',
    id: 'bf0718e1-ba1e-49d1-88b1-f726733018ae',
    settings: { headers: only('host'), cookies: NONE, queryStrings: NONE },
  },
  {
    name: 'UserAgentRefererHeaders',
    id: 'acba4595-bd28-49b8-b9fe-13317c0390fa',
    settings: { headers: only('user-agent', 'referer'), cookies: NONE, queryStrings: NONE },
  },
]

const cachePolicyById = new Map(MANAGED_CACHE_POLICIES.map((policy) => [policy.id, policy]))
const originRequestPolicyById = new Map(MANAGED_ORIGIN_REQUEST_POLICIES.map((policy) => [policy.id, policy]))

export const managedCachePolicy = (id: string): ManagedCachePolicy | undefined => cachePolicyById.get(id)
export const managedOriginRequestPolicy = (id: string): ManagedOriginRequestPolicy | undefined =>
  originRequestPolicyById.get(id)
