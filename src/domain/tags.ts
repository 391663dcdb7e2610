//! Tags that act: what AWS has no field for is a tag of ours on the resource (DESIGN 5).

export type Tags = Readonly<Record<string, string>>

/** Of every tag of ours; others below it are refused. */
export const OWN_TAG_PREFIX = 'cachefront:'

/** On a distribution: RFC 9110 and 9111 win where CloudFront departs from them. */
export const RFC_STRICT_TAG = 'cachefront:rfc-strict'

/** What each of our tags on a distribution may be. */
export const DISTRIBUTION_TAGS: Readonly<Record<string, readonly string[]>> = {
  [RFC_STRICT_TAG]: ['true', 'false'],
}

/** True when the two sets of tags say different things to the edge. */
export const actDifferently = (one: Tags, other: Tags): boolean =>
  (one[RFC_STRICT_TAG] === 'true') !== (other[RFC_STRICT_TAG] === 'true')
