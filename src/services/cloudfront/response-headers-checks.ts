//! What AWS refuses in a response headers policy (spec/cloudfront.md 4.9, 2.7), and its defaults. Messages that are known
//! from AWS are AWS's.
import type {
  ResponseHeadersPolicyAccessControlAllowMethodsValues,
  ResponseHeadersPolicyConfig,
  ResponseHeadersPolicyCorsConfig,
  ResponseHeadersPolicyCustomHeadersConfig,
  ResponseHeadersPolicyRemoveHeadersConfig,
  ResponseHeadersPolicySecurityHeadersConfig,
  ResponseHeadersPolicyServerTimingHeadersConfig,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import {
  CORS_HEADERS,
  CORS_METHODS,
  FRAME_OPTIONS,
  keptByEveryPolicy,
  REFERRER_POLICIES,
  SECURITY_HEADERS,
} from '../../domain/policy-headers.ts'
import { QUOTAS, type Quotas } from '../../domain/quotas.ts'
import { ORIGIN_ITEM } from '../../http/cors.ts'
import { counted } from './distribution-defaults.ts'
import { checkName } from './policy-checks.ts'

const HEADER_NAME = /^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/
/** field-content of RFC 9110 5.5, as far as it is ASCII. */
const HEADER_VALUE = /^(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?$/

const BLOCKS = [
  'CorsConfig',
  'SecurityHeadersConfig',
  'ServerTimingHeadersConfig',
  'CustomHeadersConfig',
  'RemoveHeadersConfig',
] as const satisfies readonly (keyof ResponseHeadersPolicyConfig)[]

/** A response headers policy with every field. @throws the fault of the first thing that is wrong. */
export function acceptedHeadersPolicy(given: ResponseHeadersPolicyConfig, quotas: Quotas): ResponseHeadersPolicyConfig {
  checkName(given)
  if (BLOCKS.every((block) => given[block] === undefined)) {
    throw invalidArgument('ResponseHeadersPolicyConfig', `it has at least one of ${BLOCKS.join(', ')}`)
  }
  const { CorsConfig, SecurityHeadersConfig, ServerTimingHeadersConfig } = given
  const { CustomHeadersConfig, RemoveHeadersConfig } = given
  return {
    Name: given.Name,
    Comment: given.Comment ?? '',
    ...(CorsConfig && { CorsConfig: acceptedCors(CorsConfig) }),
    ...(SecurityHeadersConfig && { SecurityHeadersConfig: acceptedSecurity(SecurityHeadersConfig) }),
    ...(ServerTimingHeadersConfig && { ServerTimingHeadersConfig: acceptedTiming(ServerTimingHeadersConfig) }),
    ...(CustomHeadersConfig && { CustomHeadersConfig: acceptedCustom(CustomHeadersConfig, quotas) }),
    ...(RemoveHeadersConfig && { RemoveHeadersConfig: acceptedRemovals(RemoveHeadersConfig, quotas) }),
  }
}

function acceptedCors(cors: ResponseHeadersPolicyCorsConfig): ResponseHeadersPolicyCorsConfig {
  const origins = needed('AccessControlAllowOrigins', cors.AccessControlAllowOrigins?.Items)
  for (const origin of origins) {
    if (origin !== '*' && !ORIGIN_ITEM.test(origin)) {
      throw cloudfrontFault(
        'InvalidArgument',
        `The parameter Access-Control-Allow-Origin contains ${quoted(origin)} which is not a valid URL: it is *, or an origin without a path whose leftmost label may be *.`,
      )
    }
  }
  tooLong('AccessControlAllowOrigins', origins.join(', '))
  const headers = needed('AccessControlAllowHeaders', cors.AccessControlAllowHeaders?.Items)
  checkHeaderNames('AccessControlAllowHeaders', headers)
  const exposed = cors.AccessControlExposeHeaders?.Items ?? []
  checkHeaderNames('AccessControlExposeHeaders', exposed)
  const methods = needed('AccessControlAllowMethods', cors.AccessControlAllowMethods?.Items)
  for (const method of methods) oneOf('AccessControlAllowMethods', method, CORS_METHODS)
  if (cors.AccessControlAllowCredentials === true && headers.includes('*')) {
    throw cloudfrontFault(
      'InvalidArgument',
      'The parameter Access-Control-Allow-Headers cannot contain * when allowCredentials is true.',
    )
  }
  seconds('CorsConfig.AccessControlMaxAgeSec', cors.AccessControlMaxAgeSec ?? 0)
  return {
    AccessControlAllowOrigins: counted(origins) as { Quantity: number; Items: string[] },
    AccessControlAllowHeaders: counted(headers) as { Quantity: number; Items: string[] },
    AccessControlAllowMethods: counted(methods) as {
      Quantity: number
      Items: ResponseHeadersPolicyAccessControlAllowMethodsValues[]
    },
    AccessControlAllowCredentials: cors.AccessControlAllowCredentials ?? false,
    AccessControlExposeHeaders: counted(exposed),
    ...(cors.AccessControlMaxAgeSec === undefined ? {} : { AccessControlMaxAgeSec: cors.AccessControlMaxAgeSec }),
    OriginOverride: cors.OriginOverride ?? false,
  }
}

function acceptedSecurity(
  security: ResponseHeadersPolicySecurityHeadersConfig,
): ResponseHeadersPolicySecurityHeadersConfig {
  const { ContentSecurityPolicy: csp, FrameOptions: frame, ReferrerPolicy: referrer } = security
  const { StrictTransportSecurity: hsts, XSSProtection: xss } = security
  if (csp !== undefined) {
    const text = csp.ContentSecurityPolicy ?? ''
    if (text.length > QUOTAS.customHeaderValueChars) {
      throw cloudfrontFault(
        'TooLongCSPInResponseHeadersPolicy',
        `A Content-Security-Policy has at most ${QUOTAS.customHeaderValueChars} characters; this one has ${text.length}.`,
      )
    }
    if (text === '' || !HEADER_VALUE.test(text)) {
      throw invalidArgument('ContentSecurityPolicy', 'it is the value of a header, in printable ASCII characters')
    }
  }
  if (frame !== undefined) oneOf('FrameOption', frame.FrameOption, FRAME_OPTIONS)
  if (referrer !== undefined) oneOf('ReferrerPolicy', referrer.ReferrerPolicy, REFERRER_POLICIES)
  if (hsts !== undefined) {
    seconds('StrictTransportSecurity.AccessControlMaxAgeSec', hsts.AccessControlMaxAgeSec ?? -1)
  }
  if (xss !== undefined) {
    const { ModeBlock: block = false, ReportUri: uri = '' } = xss
    if (block && uri !== '') {
      throw invalidArgument('XSSProtection', 'it has either ModeBlock or a ReportUri, not both')
    }
    // With Protection false the header is 0, and says nothing of either (what AWS does is unconfirmed).
    if (xss.Protection !== true && (block || uri !== '')) {
      throw invalidArgument('XSSProtection', 'ModeBlock and ReportUri need Protection true')
    }
    if (!HEADER_VALUE.test(uri) || /[\s;]/.test(uri)) {
      throw invalidArgument('XSSProtection.ReportUri', `${quoted(uri)} is not a URI`)
    }
    tooLong('XSSProtection.ReportUri', uri)
  }
  return security
}

function acceptedTiming(
  timing: ResponseHeadersPolicyServerTimingHeadersConfig,
): ResponseHeadersPolicyServerTimingHeadersConfig {
  // Without a rate only who asks for it gets the header (unconfirmed).
  const rate = timing.SamplingRate ?? 0
  if (!(rate >= 0 && rate <= 100) || Number(rate.toFixed(4)) !== rate) {
    throw invalidArgument(
      'ServerTimingHeadersConfig.SamplingRate',
      'it is a number from 0 to 100 with up to four decimal places',
    )
  }
  return { Enabled: timing.Enabled ?? false, SamplingRate: rate }
}

function acceptedCustom(
  { Items = [] }: Partial<ResponseHeadersPolicyCustomHeadersConfig>,
  quotas: Quotas,
): ResponseHeadersPolicyCustomHeadersConfig {
  if (Items.length > quotas.customHeadersPerPolicy) {
    throw cloudfrontFault(
      'TooManyCustomHeadersInResponseHeadersPolicy',
      `A response headers policy has at most ${quotas.customHeadersPerPolicy} custom headers.`,
    )
  }
  unique(
    'CustomHeaders',
    Items.map((item) => item.Header ?? ''),
  )
  let characters = 0
  for (const { Header: name = '', Value: value = '' } of Items) {
    if (!HEADER_NAME.test(name) || name.length > QUOTAS.customHeaderNameChars) {
      throw invalidArgument('CustomHeaders', `${quoted(name)} is not the name of a header`)
    }
    const lower = name.toLowerCase()
    const group = SECURITY_HEADERS.has(lower) ? 'security' : CORS_HEADERS.has(lower) ? 'CORS' : null
    if (group !== null) {
      throw cloudfrontFault(
        'InvalidArgument',
        `The parameter CustomHeaders contains ${name} that is a ${group} header and cannot be set as custom header.`,
      )
    }
    // That these are the ones which cannot be removed, and Age, is unconfirmed: CloudFront writes them itself.
    if (keptByEveryPolicy(lower) || lower === 'age') {
      throw invalidArgument('CustomHeaders', `a policy cannot set the header ${name}`)
    }
    if (!HEADER_VALUE.test(value)) {
      throw invalidArgument('CustomHeaders', `the value of ${name} has characters that a header cannot have`)
    }
    tooLong('CustomHeaders', value)
    characters += name.length + value.length
  }
  if (characters > QUOTAS.customHeadersChars) {
    throw invalidArgument('CustomHeaders', `together they have at most ${QUOTAS.customHeadersChars} characters`)
  }
  return counted(
    Items.map(({ Header, Value = '', Override = false }) => ({ Header, Value, Override })),
  ) as ResponseHeadersPolicyCustomHeadersConfig
}

function acceptedRemovals(
  { Items = [] }: Partial<ResponseHeadersPolicyRemoveHeadersConfig>,
  quotas: Quotas,
): ResponseHeadersPolicyRemoveHeadersConfig {
  if (Items.length > quotas.removedHeadersPerPolicy) {
    throw cloudfrontFault(
      'TooManyRemoveHeadersInResponseHeadersPolicy',
      `A response headers policy removes at most ${quotas.removedHeadersPerPolicy} headers.`,
    )
  }
  const names = Items.map((item) => item.Header ?? '')
  unique('RemoveHeaders', names)
  for (const name of names) {
    if (!HEADER_NAME.test(name)) throw invalidArgument('RemoveHeaders', `${quoted(name)} is not the name of a header`)
    if (keptByEveryPolicy(name.toLowerCase())) {
      throw invalidArgument('RemoveHeaders', `a policy cannot remove the header ${name}`)
    }
  }
  return counted(Items) as ResponseHeadersPolicyRemoveHeadersConfig
}

function needed<T extends string>(field: string, items: readonly T[] | undefined): readonly T[] {
  if (items === undefined || items.length === 0) throw invalidArgument(field, 'it needs at least one item')
  unique(field, items)
  return items
}

function unique(field: string, names: readonly string[]): void {
  const seen = new Set<string>()
  for (const name of names) {
    const lower = name.toLowerCase()
    if (seen.has(lower)) throw invalidArgument(field, `${quoted(name)} is given twice`)
    seen.add(lower)
  }
}

function checkHeaderNames(field: string, names: readonly string[]): void {
  for (const name of names) {
    if (!HEADER_NAME.test(name)) throw invalidArgument(field, `${quoted(name)} is neither the name of a header nor *`)
  }
  unique(field, names)
  tooLong(field, names.join(', '))
}

function tooLong(field: string, value: string): void {
  if (value.length <= QUOTAS.customHeaderValueChars) return
  throw invalidArgument(field, `the value of a header has at most ${QUOTAS.customHeaderValueChars} characters`)
}

function oneOf(field: string, value: string | undefined, words: readonly string[]): void {
  if (words.includes(value ?? '')) return
  throw invalidArgument(field, `${quoted(value ?? '')} is not one of ${words.join(', ')}`)
}

/** 32-bit on the wire. */
function seconds(field: string, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return
  throw invalidArgument(field, 'it is a whole number of seconds, from 0')
}
