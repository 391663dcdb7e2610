//! What AWS refuses in a rate-based statement
//! (https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html).
import type { RateBasedStatement } from '@aws-sdk/client-wafv2'
import { invalidParameter } from '../../domain/waf/faults.ts'
import type { Stored } from '../../domain/waf/web-acl.ts'
import { checkTransformations } from './field-checks.ts'
import { given, notOne } from './refusals.ts'

const WINDOWS: readonly number[] = [60, 120, 300, 600]
/** They take another key beside them: alone they are aggregate key types of their own. */
const ADDRESS_KEYS: readonly string[] = ['IP', 'ForwardedIP']

/** @throws WAFInvalidParameterException, WAFLimitsExceededException */
export function checkRateBased(body: Stored<RateBasedStatement>, path: string): void {
  const { AggregateKeyType: type, CustomKeys: keys = [], EvaluationWindowSec: window } = body
  const refuse = (reason: string) => invalidParameter('RATE_BASED_STATEMENT', path, reason)
  if (window !== undefined && !WINDOWS.includes(window)) {
    throw invalidParameter(
      'RATE_BASED_STATEMENT',
      `EvaluationWindowSec ${window}`,
      `The evaluation window is one of ${WINDOWS.join(', ')} seconds.`,
    )
  }
  if ((type === 'CUSTOM_KEYS') !== keys.length > 0) {
    throw invalidParameter(
      'CUSTOM_KEYS',
      path,
      'CustomKeys go with the aggregate key type CUSTOM_KEYS, and it with them.',
    )
  }
  if (type === 'CONSTANT' && body.ScopeDownStatement === undefined) {
    throw refuse('The aggregate key type CONSTANT needs a scope-down statement.')
  }
  const isForwarded = type === 'FORWARDED_IP' || keys.some(({ ForwardedIP }) => ForwardedIP !== undefined)
  if (isForwarded !== (body.ForwardedIPConfig !== undefined)) {
    throw invalidParameter(
      'FORWARDED_IP_CONFIG',
      path,
      'ForwardedIPConfig goes with a forwarded address as an aggregate key, and it with it.',
    )
  }
  for (const key of keys) {
    if (given(key).length !== 1) throw notOne('CUSTOM_KEYS', path)
    for (const part of Object.values(key)) checkTransformations(part as object, path)
  }
  if (keys.length > 0 && keys.every((key) => ADDRESS_KEYS.includes(given(key)[0] ?? ''))) {
    throw invalidParameter('CUSTOM_KEYS', path, 'Addresses as custom keys need at least one other key beside them.')
  }
}
