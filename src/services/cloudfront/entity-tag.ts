//! ETag and If-Match of CloudFront's resources (spec/cloudfront.md 1.2).
import { cloudfrontFault } from '../../domain/cloudfront-faults.ts'
import { upperId } from '../../lib/ids.ts'

/** Opaque, and new with every change; as AWS's look: `E` and 13 upper-case letters or digits. */
export const newEtag = (): string => `E${upperId(13)}`

const FORM = /^[A-Z0-9]{1,64}$/

/** @throws InvalidIfMatchVersion for a missing or misshapen If-Match, PreconditionFailed for one that is not `current`. */
export function requireMatch(ifMatch: string | undefined, current: string): void {
  // Quotes around it are HTTP's own form (RFC 9110 section 8.8.3); AWS's clients send it bare.
  const given = ifMatch?.trim().replace(/^"(.*)"$/, '$1')
  if (given === undefined || !FORM.test(given)) {
    throw cloudfrontFault('InvalidIfMatchVersion', 'The If-Match version is missing or not valid for the resource.')
  }
  if (given !== current) {
    throw cloudfrontFault(
      'PreconditionFailed',
      "The request failed because it didn't meet the preconditions in one or more request-header fields.",
    )
  }
}

/** spec/cloudfront.md 1.3. */
export const locationOf = (path: string): string => `https://cloudfront.amazonaws.com/2020-05-31/${path}`
