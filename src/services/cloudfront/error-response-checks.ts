//! What AWS refuses in CustomErrorResponses (spec/cloudfront.md 2.5), in AWS's own codes.
import type { CustomErrorResponse } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { QUOTAS } from '../../domain/quotas.ts'

/** Errors that a response may be for. 412 and 415 are cached by their headers alone and can have none. */
const ERROR_CODES: readonly number[] = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]
const RESPONSE_CODES: readonly string[] = ['200', ...ERROR_CODES.map(String)]

/** Visible ASCII as in a URL, without query and fragment. */
const PAGE_PATH = /^\/[\x21-\x7e]*$/

/** Checks responses with their defaults: no page and no response code are empty texts. */
export function checkErrorResponses(responses: readonly CustomErrorResponse[]): void {
  const seen = new Set<number>()
  for (const [at, response] of responses.entries()) {
    const path = `CustomErrorResponses.Items[${at}]`
    const code = response.ErrorCode ?? 0
    if (!ERROR_CODES.includes(code)) {
      throw cloudfrontFault('InvalidErrorCode', `${path}.ErrorCode ${code} is not one of ${ERROR_CODES.join(', ')}.`)
    }
    if (seen.has(code)) throw invalidArgument(`${path}.ErrorCode`, `${code} is given twice`)
    seen.add(code)
    const ttl = response.ErrorCachingMinTTL ?? 0
    if (!Number.isInteger(ttl) || ttl < 0) {
      throw invalidArgument(`${path}.ErrorCachingMinTTL`, 'it is a whole number of seconds, 0 or more')
    }
    checkPage(response, path)
  }
}

function checkPage({ ResponsePagePath: page = '', ResponseCode: code = '' }: CustomErrorResponse, path: string): void {
  if (code !== '' && !RESPONSE_CODES.includes(code)) {
    throw cloudfrontFault(
      'InvalidResponseCode',
      `${path}.ResponseCode ${quoted(code)} is not one of ${RESPONSE_CODES.join(', ')}.`,
    )
  }
  if (page === '' && code !== '') throw invalidArgument(`${path}.ResponseCode`, 'it needs a ResponsePagePath')
  if (page !== '' && code === '') throw invalidArgument(`${path}.ResponsePagePath`, 'it needs a ResponseCode')
  if (page === '') return
  if (!PAGE_PATH.test(page) || /[?#]/.test(page) || page.length > QUOTAS.errorPagePathChars) {
    throw cloudfrontFault(
      'InvalidRelativePath',
      `${path}.ResponsePagePath ${quoted(page)} must begin with a slash, be URL-encoded, have no query, and at most ${QUOTAS.errorPagePathChars} characters.`,
    )
  }
}
