//! What is done with a request: actions of rules and of a web ACL, custom requests and responses
//! (https://docs.aws.amazon.com/waf/latest/developerguide/waf-custom-request-response.html).
import type {
  CustomHTTPHeader,
  CustomResponse,
  CustomResponseBody,
  DefaultAction,
  RuleAction,
} from '@aws-sdk/client-wafv2'
import { isReservedField } from '../../domain/waf/custom-headers.ts'
import { invalidParameter } from '../../domain/waf/faults.ts'
import { WAF_LIMITS } from '../../domain/waf/limits.ts'
import type { Stored } from '../../domain/waf/web-acl.ts'
import { given, notOne, overLimit, repeated } from './refusals.ts'

/** https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-status-codes.html */
const STATUSES: ReadonlySet<number> = new Set([
  ...[200, 201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308],
  ...[400, 401, 403, 404, 405, 408, 409, 411, 412, 413, 414, 415, 416, 421, 429],
  ...[500, 501, 502, 503, 504, 505],
])

export type Bodies = Stored<Record<string, CustomResponseBody>>

/** How many headers actions have, of each kind. */
export interface HeaderCount {
  requests: number
  responses: number
}

/**
 * @param bodies what a custom response may name; null where nothing says (CheckCapacity)
 * @throws WAFInvalidParameterException, WAFLimitsExceededException
 */
export function checkRuleAction(
  action: Stored<RuleAction>,
  name: string,
  bodies: Bodies | null,
  count: HeaderCount = { requests: 0, responses: 0 },
): void {
  if (given(action).length !== 1) throw notOne('RULE_ACTION', name)
  checkParts(action, bodies, count)
}

/** @throws WAFInvalidParameterException, WAFLimitsExceededException */
export function checkDefaultAction(action: Stored<DefaultAction>, bodies: Bodies, count: HeaderCount): void {
  if (given(action).length !== 1) throw notOne('DEFAULT_ACTION', 'DefaultAction')
  checkParts(action, bodies, count)
}

function checkParts(action: Stored<RuleAction>, bodies: Bodies | null, count: HeaderCount): void {
  const { Block, Monetize: _, ...others } = action
  if (Block?.CustomResponse) checkCustomResponse(Block.CustomResponse, bodies, count)
  for (const part of Object.values(others)) {
    const headers = part?.CustomRequestHandling?.InsertHeaders
    if (headers === undefined) continue
    checkHeaders(headers, 'CUSTOM_REQUEST_HANDLING')
    count.requests += headers.length
  }
}

function checkCustomResponse(response: Stored<CustomResponse>, bodies: Bodies | null, count: HeaderCount): void {
  const { ResponseCode: status, CustomResponseBodyKey: key, ResponseHeaders: headers } = response
  if (!STATUSES.has(status)) {
    throw invalidParameter(
      'CUSTOM_RESPONSE',
      `ResponseCode ${status}`,
      `The response code is none that AWS WAF can send, which are ${[...STATUSES].join(', ')}.`,
    )
  }
  if (key !== undefined && bodies !== null && !Object.hasOwn(bodies, key)) {
    throw invalidParameter('CUSTOM_RESPONSE', key, 'CustomResponseBodies has no body with this key.')
  }
  if (headers === undefined) return
  checkHeaders(headers, 'CUSTOM_RESPONSE')
  count.responses += headers.length
  const own = headers.find(({ Name }) => isReservedField(Name))
  if (own !== undefined) {
    const reason =
      'It is not for a custom response: the Content-Type is that of the body, and the others say where it ends.'
    throw invalidParameter('CUSTOM_RESPONSE', own.Name, reason)
  }
}

function checkHeaders(
  headers: Stored<readonly CustomHTTPHeader[]>,
  field: 'CUSTOM_RESPONSE' | 'CUSTOM_REQUEST_HANDLING',
): void {
  if (headers.length > WAF_LIMITS.customHeaders) {
    throw overLimit('headers of one custom request or response', WAF_LIMITS.customHeaders)
  }
  const twice = repeated(headers.map(({ Name }) => Name.toLowerCase()))
  if (twice !== null) throw invalidParameter(field, twice, 'A header is given twice.')
}

/** @throws WAFLimitsExceededException, WAFInvalidParameterException for JSON that is none */
export function checkBodies(bodies: Bodies): void {
  const all = Object.entries(bodies)
  if (all.length > WAF_LIMITS.customResponseBodies) {
    throw overLimit('custom response bodies', WAF_LIMITS.customResponseBodies)
  }
  let bytes = 0
  for (const [key, { Content: content, ContentType: type }] of all) {
    const length = Buffer.byteLength(content)
    bytes += length
    if (length > WAF_LIMITS.responseBody) throw overLimit(`bytes of the response body ${key}`, WAF_LIMITS.responseBody)
    if (type === 'APPLICATION_JSON' && !isJson(content)) {
      throw invalidParameter('CUSTOM_RESPONSE_BODY', key, 'The content of the type APPLICATION_JSON is not JSON.')
    }
  }
  if (bytes > WAF_LIMITS.responseBodies) throw overLimit('bytes of all response bodies', WAF_LIMITS.responseBodies)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
