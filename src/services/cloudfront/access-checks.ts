//! What AWS refuses in Restrictions, WebACLId and ViewerCertificate (spec/cloudfront.md 2.1, 2.6), in AWS's own codes.
import type { DistributionConfig, ViewerCertificate } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, quoted } from '../../domain/cloudfront-faults.ts'
import { COUNTRIES } from '../../domain/countries.ts'
import { SECURITY_POLICY_NAMES } from '../../domain/security-policies.ts'
import { namedCertificate } from './distribution-defaults.ts'

const RESTRICTION_TYPES: readonly string[] = ['none', 'blacklist', 'whitelist']
/** ARN of a web ACL of WAFv2 (global), or id of one of WAF Classic (a UUID). */
const WEB_ACL =
  /^(arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/[\w-]+\/[\w-]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/
const PROTOCOL_VERSIONS: readonly string[] = SECURITY_POLICY_NAMES
const SUPPORT_METHODS: readonly string[] = ['sni-only', 'vip', 'static-ip']

export function checkAccess({ Restrictions, WebACLId, ViewerCertificate: certificate }: DistributionConfig): void {
  checkCountries(Restrictions?.GeoRestriction)
  if (WebACLId && !WEB_ACL.test(WebACLId)) {
    throw cloudfrontFault(
      'InvalidWebACLId',
      `The WebACLId ${quoted(WebACLId)} is neither the ARN of a web ACL of WAFv2 (global) nor the id of one of WAF Classic.`,
    )
  }
  if (certificate !== undefined) checkCertificate(certificate)
}

function checkCountries(geo: NonNullable<DistributionConfig['Restrictions']>['GeoRestriction']): void {
  const wrong = (what: string) =>
    cloudfrontFault('InvalidGeoRestrictionParameter', `Restrictions.GeoRestriction: ${what}.`)
  const { RestrictionType: type = '', Items: countries = [] } = geo ?? {}
  if (!RESTRICTION_TYPES.includes(type)) {
    throw wrong(`the RestrictionType ${quoted(type)} is not one of ${RESTRICTION_TYPES.join(', ')}`)
  }
  if (type === 'none' && countries.length > 0) throw wrong('with the RestrictionType none there are no countries')
  if (type !== 'none' && countries.length === 0) throw wrong(`a ${type} has at least one country`)
  const strange = countries.find((country) => !COUNTRIES.has(country))
  if (strange !== undefined) {
    throw cloudfrontFault(
      'InvalidLocationCode',
      `Restrictions.GeoRestriction: ${quoted(strange)} is no country: its code has two capital letters (ISO 3166-1; the United Kingdom is GB).`,
    )
  }
  if (new Set(countries).size < countries.length) throw wrong('a country is given twice')
}

function checkCertificate(certificate: ViewerCertificate): void {
  const refuse = (what: string) => cloudfrontFault('InvalidViewerCertificate', `The ViewerCertificate ${what}.`)
  const named = namedCertificate(certificate)
  if (certificate.CloudFrontDefaultCertificate === true) {
    if (named === undefined) return
    throw refuse(`names ${quoted(named)} beside CloudFrontDefaultCertificate: give one of the two`)
  }
  if (certificate.ACMCertificateArn && certificate.IAMCertificateId) {
    throw refuse('names two certificates: give one of ACMCertificateArn and IAMCertificateId')
  }
  if (named === undefined) {
    throw refuse('names no certificate: give CloudFrontDefaultCertificate, ACMCertificateArn or IAMCertificateId')
  }
  const { SSLSupportMethod: method = '', MinimumProtocolVersion: version = '' } = certificate
  if (!SUPPORT_METHODS.includes(method)) {
    throw refuse(`needs an SSLSupportMethod: one of ${SUPPORT_METHODS.join(', ')}, not ${quoted(method)}`)
  }
  if (!PROTOCOL_VERSIONS.includes(version)) {
    throw cloudfrontFault(
      'InvalidMinimumProtocolVersion',
      `The MinimumProtocolVersion ${quoted(version)} is not one of ${PROTOCOL_VERSIONS.join(', ')}.`,
    )
  }
  if (method === 'sni-only' && version === 'SSLv3') {
    throw cloudfrontFault(
      'InvalidProtocolSettings',
      'SSLv3 cannot be the MinimumProtocolVersion for viewers that send the server name (SSLSupportMethod sni-only).',
    )
  }
}
