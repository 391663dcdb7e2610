//! Tags that act: what AWS has no field for is a tag of ours on the resource (DESIGN 5).
import { CERTIFICATE_REGION, isCertificateArn } from './certificates.ts'

export type Tags = Readonly<Record<string, string>>

/** Of every tag of ours; others below it are refused. */
export const OWN_TAG_PREFIX = 'cachefront:'

/** On a distribution: RFC 9110 and 9111 win where CloudFront departs from them. */
export const RFC_STRICT_TAG = 'cachefront:rfc-strict'

/** On a distribution: ARN of a certificate with the other kind of key, served beside the one of ViewerCertificate. */
export const SECOND_CERTIFICATE_TAG = 'cachefront:second-certificate-arn'

/** What each of our tags on a distribution may be, for a person and as a test. */
export const DISTRIBUTION_TAGS: Readonly<
  Record<string, { readonly values: string; readonly has: (value: string) => boolean }>
> = {
  [RFC_STRICT_TAG]: { values: 'true or false', has: (value) => value === 'true' || value === 'false' },
  [SECOND_CERTIFICATE_TAG]: { values: `the ARN of a certificate in ${CERTIFICATE_REGION}`, has: isCertificateArn },
}

/** True when the two sets of tags say different things to the edge. */
export const actDifferently = (one: Tags, other: Tags): boolean =>
  (one[RFC_STRICT_TAG] === 'true') !== (other[RFC_STRICT_TAG] === 'true') ||
  one[SECOND_CERTIFICATE_TAG] !== other[SECOND_CERTIFICATE_TAG]
