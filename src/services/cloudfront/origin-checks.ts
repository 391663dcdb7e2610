//! What AWS refuses in an origin (spec/cloudfront.md 2.2, 6.2), with one freedom: DomainName may be an IP address or
//! `localhost`, which a laptop needs.
import { isIP } from 'node:net'
import type { CustomOriginConfig, Origin } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { refusedAsCustomHeader } from '../../domain/policy-headers.ts'
import { QUOTAS, type Quotas } from '../../domain/quotas.ts'

const HOST_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*$/
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/
/** RFC 9110 section 5.5, as far as it is ASCII: no control characters but the tab. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/
/** Spec 2.2. */
const SHIELD_REGION = /^[a-z]{2}-[a-z]+-\d$/
const PROTOCOL_POLICIES: readonly string[] = ['http-only', 'https-only', 'match-viewer']
const IP_ADDRESS_TYPES: readonly string[] = ['ipv4', 'ipv6', 'dualstack']
const SSL_PROTOCOLS: readonly string[] = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2']

/** @throws the fault of the first thing that is wrong. */
export function checkOrigins(origins: readonly Origin[], quotas: Quotas): void {
  if (origins.length === 0) throw invalidArgument('Origins', 'a distribution has at least one origin')
  if (origins.length > quotas.originsPerDistribution) {
    throw cloudfrontFault('TooManyOrigins', `A distribution has at most ${quotas.originsPerDistribution} origins.`)
  }
  const ids = new Set<string>()
  for (const [at, origin] of origins.entries()) {
    const path = `Origins.Items[${at}]`
    if (!origin.Id) throw invalidArgument(`${path}.Id`, 'it is required')
    if (ids.has(origin.Id)) throw invalidArgument(`${path}.Id`, `${quoted(origin.Id)} is given twice`)
    if (origin.Id.length > QUOTAS.originIdChars) {
      throw invalidArgument(`${path}.Id`, `it has at most ${QUOTAS.originIdChars} characters`)
    }
    ids.add(origin.Id)
    checkOrigin(origin, path, quotas)
  }
}

function checkOrigin(origin: Origin, path: string, quotas: Quotas): void {
  checkDomain(origin.DomainName, path)
  checkPath(origin.OriginPath ?? '', path)
  checkCustomHeaders(origin, path, quotas)
  within(`${path}.ConnectionAttempts`, origin.ConnectionAttempts, 1, 3, 'InvalidArgument')
  within(`${path}.ConnectionTimeout`, origin.ConnectionTimeout, 1, 10, 'InvalidArgument')
  checkShield(origin.OriginShield, path)
  const kinds = [origin.S3OriginConfig, origin.CustomOriginConfig, origin.VpcOriginConfig].filter(
    (k) => k !== undefined,
  )
  if (kinds.length !== 1) {
    throw cloudfrontFault(
      'InvalidOrigin',
      `${path} must have exactly one of S3OriginConfig, CustomOriginConfig and VpcOriginConfig; it has ${kinds.length}.`,
    )
  }
  const custom = origin.CustomOriginConfig
  if (custom !== undefined) checkCustom(custom, `${path}.CustomOriginConfig`)
  const completion = origin.ResponseCompletionTimeout
  const s3 = origin.S3OriginConfig
  within(`${path}.S3OriginConfig.OriginReadTimeout`, s3?.OriginReadTimeout, 1, 120, 'InvalidOriginReadTimeout')
  const read = custom?.OriginReadTimeout ?? s3?.OriginReadTimeout ?? 30
  if (completion !== undefined && completion !== 0 && !(Number.isInteger(completion) && completion >= read)) {
    throw invalidArgument(
      `${path}.ResponseCompletionTimeout`,
      `it is a number of seconds not below the OriginReadTimeout (${read})`,
    )
  }
}

/** The regions that have a regional edge cache are not checked: an installation stands for one wherever it is named. */
function checkShield(shield: Origin['OriginShield'], path: string): void {
  if (shield?.Enabled !== true) return
  const { OriginShieldRegion: region } = shield
  const field = `${path}.OriginShield.OriginShieldRegion`
  if (!region) throw invalidArgument(field, 'it is required when OriginShield.Enabled is true')
  if (!SHIELD_REGION.test(region)) throw invalidArgument(field, `${quoted(region)} is not a region like us-east-1`)
}

function checkDomain(domain: string | undefined, path: string): void {
  if (!domain) throw invalidArgument(`${path}.DomainName`, 'it is required')
  if (isIP(domain) !== 0) return
  if (domain.length > QUOTAS.originDomainChars || !HOST_NAME.test(domain)) {
    throw invalidArgument(
      `${path}.DomainName`,
      `${quoted(domain)} is not a host name or IP address without scheme, port and path`,
    )
  }
}

function checkPath(originPath: string, path: string): void {
  if (originPath === '') return
  const bad = !/^\/[\x21-\x7e]*$/.test(originPath) || originPath.endsWith('/') || /[?#]/.test(originPath)
  if (bad || originPath.length > QUOTAS.originPathChars) {
    throw invalidArgument(
      `${path}.OriginPath`,
      `${quoted(originPath)} must begin with a slash, not end with one, and have at most ${QUOTAS.originPathChars} characters`,
    )
  }
}

function checkCustomHeaders(origin: Origin, path: string, quotas: Quotas): void {
  const headers = origin.CustomHeaders?.Items ?? []
  if (headers.length > quotas.customHeadersPerOrigin) {
    throw cloudfrontFault(
      'TooManyOriginCustomHeaders',
      `An origin has at most ${quotas.customHeadersPerOrigin} custom headers.`,
    )
  }
  const names = new Set<string>()
  let characters = 0
  for (const [at, { HeaderName: name = '', HeaderValue: value = '' }] of headers.entries()) {
    const field = `${path}.CustomHeaders.Items[${at}]`
    if (!TOKEN.test(name) || name.length > QUOTAS.customHeaderNameChars) {
      throw invalidArgument(`${field}.HeaderName`, `${quoted(name)} is not the name of a header`)
    }
    if (refusedAsCustomHeader(name)) throw invalidArgument(`${field}.HeaderName`, `${name} cannot be set by an origin`)
    if (names.has(name.toLowerCase())) throw invalidArgument(`${field}.HeaderName`, `${name} is given twice`)
    names.add(name.toLowerCase())
    if (!HEADER_VALUE.test(value) || value.length > QUOTAS.customHeaderValueChars) {
      throw invalidArgument(
        `${field}.HeaderValue`,
        `it has at most ${QUOTAS.customHeaderValueChars} printable ASCII characters`,
      )
    }
    characters += name.length + value.length
  }
  if (characters > QUOTAS.customHeadersChars) {
    throw invalidArgument(`${path}.CustomHeaders`, `together they have at most ${QUOTAS.customHeadersChars} characters`)
  }
}

function checkCustom(custom: CustomOriginConfig, path: string): void {
  for (const field of ['HTTPPort', 'HTTPSPort'] as const) {
    const port = custom[field]
    const allowed = port !== undefined && (port === 80 || port === 443 || (port >= 1024 && port <= 65_535))
    if (!allowed || !Number.isInteger(port)) throw invalidArgument(`${path}.${field}`, 'it is 80, 443 or 1024 to 65535')
  }
  if (!PROTOCOL_POLICIES.includes(custom.OriginProtocolPolicy ?? '')) {
    throw invalidArgument(`${path}.OriginProtocolPolicy`, `it is one of ${PROTOCOL_POLICIES.join(', ')}`)
  }
  const strange = (custom.OriginSslProtocols?.Items ?? []).find((protocol) => !SSL_PROTOCOLS.includes(protocol))
  if (strange !== undefined) {
    throw invalidArgument(`${path}.OriginSslProtocols`, `${quoted(strange)} is not one of ${SSL_PROTOCOLS.join(', ')}`)
  }
  const type = custom.IpAddressType ?? 'ipv4'
  if (!IP_ADDRESS_TYPES.includes(type)) {
    throw invalidArgument(`${path}.IpAddressType`, `${quoted(type)} is not one of ${IP_ADDRESS_TYPES.join(', ')}`)
  }
  within(`${path}.OriginReadTimeout`, custom.OriginReadTimeout, 1, 120, 'InvalidOriginReadTimeout')
  // The API's documents say 120, the newer quota page 300.
  within(`${path}.OriginKeepaliveTimeout`, custom.OriginKeepaliveTimeout, 1, 300, 'InvalidOriginKeepaliveTimeout')
}

function within(
  field: string,
  value: number | undefined,
  least: number,
  most: number,
  code: 'InvalidArgument' | 'InvalidOriginReadTimeout' | 'InvalidOriginKeepaliveTimeout',
): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return
  throw cloudfrontFault(code, `The parameter ${field} is not valid: it is ${least} to ${most}, not ${value}.`)
}
