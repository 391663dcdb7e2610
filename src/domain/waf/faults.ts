//! Every error code of WAFv2 that this program answers, with its HTTP status. The model gives none, so that all of a
//! client's are 400, as JSON 1.1 has it. A contract test compares the table with the SDK's schemas.
import type { ParameterExceptionField } from '@aws-sdk/client-wafv2'
import { Fault } from '../faults.ts'

/** HTTP status by wire code. */
export const WAF_FAULTS = {
  WAFAssociatedItemException: 400,
  WAFDuplicateItemException: 400,
  WAFInvalidParameterException: 400,
  WAFLimitsExceededException: 400,
  WAFNonexistentItemException: 400,
  WAFOptimisticLockException: 400,
  WAFTagOperationException: 400,
  WAFUnsupportedAggregateKeyTypeException: 400,
} as const satisfies Readonly<Record<string, number>>

export type WafCode = keyof typeof WAF_FAULTS

/** An error that the caller is to see; `message` says what happened, to what, and what to do. */
export function wafFault(code: Exclude<WafCode, 'WAFInvalidParameterException'>, message: string): Fault {
  return new Fault(code, WAF_FAULTS[code], message, { Message: message })
}

/**
 * @param field the kind of thing that is wrong, in AWS's words
 * @param parameter what the caller gave, or the member it stands in; of a long text the first 100 characters
 */
export function invalidParameter(field: ParameterExceptionField, parameter: string, reason: string): Fault {
  const shown = parameter.length > 100 ? `${parameter.slice(0, 100)}...` : parameter || '-'
  const message = `Error reason: ${reason}, field: ${field}, parameter: ${shown}`
  const details = { Message: message, Field: field, Parameter: shown, Reason: reason }
  return new Fault('WAFInvalidParameterException', WAF_FAULTS.WAFInvalidParameterException, message, details)
}
