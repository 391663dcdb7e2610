//! When a responder is asked, and of which certificates. PURE. Times in milliseconds of the wall clock: that is what viewers
//! compare a response with.
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { type CertificateRecord, type StaplingRecord, staplingConsequence } from '../../domain/certificates.ts'
import { SECOND_CERTIFICATE_TAG, type Tags } from '../../domain/tags.ts'

/** ARNs of what a distribution shows to viewers. */
export const shownToViewers = (config: DistributionConfig, tags: Tags): readonly string[] =>
  [config.ViewerCertificate?.ACMCertificateArn, tags[SECOND_CERTIFICATE_TAG]].flatMap((arn) => arn || [])

/** After an answer nobody is asked again so soon, however short it is good. */
const AGAIN_MS_MIN = 5_000
const RETRY_MS = { first: 30_000, most: 3_600_000 } as const

/** At half its life; of one that was older already when it came, at half of what was left then. */
export function refreshAt(kept: {
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly fetchedAt: number
}): number {
  const { thisUpdate, nextUpdate, fetchedAt } = kept
  const half = (thisUpdate + nextUpdate) / 2
  const at = half > fetchedAt ? half : (fetchedAt + nextUpdate) / 2
  return Math.max(at, fetchedAt + AGAIN_MS_MIN)
}

/** Until the next attempt, when so many have failed one after the other (1 and more): doubles up to an hour. */
export const retryMs = (failures: number): number => Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** (failures - 1))

/** What is to be written down, or the record itself when it says so already. */
export function withStapling(record: CertificateRecord, stapling: StaplingRecord | undefined): CertificateRecord {
  const { stapling: before, ...rest } = record
  if (stapling === undefined) return before === undefined ? record : rest
  const isSame = before !== undefined && FIELDS.every((field) => before[field] === stapling[field])
  return isSame ? record : { ...rest, stapling }
}

const FIELDS = ['serial', 'status', 'goodUntil', 'problem', 'isRequired'] as const

/** For the operator; null while nothing is wrong that was not told before. */
export function newsOf(before: StaplingRecord | undefined, now: StaplingRecord | undefined): string | null {
  if (now?.problem === undefined) return null
  const isTold = before?.serial === now.serial && before.problem === now.problem && before.status === now.status
  return isTold ? null : `${now.problem}; ${staplingConsequence(now)}`
}
