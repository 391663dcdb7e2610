//! What AWS says of rules that it does not take, in its own words where they are known.
import type { ParameterExceptionField } from '@aws-sdk/client-wafv2'
import type { Fault } from '../../domain/faults.ts'
import { invalidParameter, wafFault } from '../../domain/waf/faults.ts'

/** Exactly one of several members is wanted. */
export const notOne = (field: ParameterExceptionField, parameter: string): Fault =>
  invalidParameter(
    field,
    parameter,
    'You have used none or multiple values for a field that requires exactly one value.',
  )

export const tooFew = (field: ParameterExceptionField, parameter: string): Fault =>
  invalidParameter(
    field,
    parameter,
    "You haven't met a minimum requirement for a threshold setting. Examples include a rule group capacity setting that's too low and an OR statement with fewer than two statements.",
  )

export const badReference = (arn: string): Fault =>
  invalidParameter('STATEMENT', arn, 'A reference in your rule statement is not valid.')

export const overLimit = (what: string, most: number): Fault =>
  wafFault(
    'WAFLimitsExceededException',
    `AWS WAF couldn't perform the operation because you exceeded your resource limit: ${what}, at most ${most}.`,
  )

/** Members of a structure that are given. */
export const given = (structure: object): string[] =>
  Object.entries(structure).flatMap(([name, member]) => (member === undefined ? [] : [name]))

/** The first that is there twice; null for none. */
export function repeated<T>(items: Iterable<T>): T | null {
  const seen = new Set<T>()
  for (const item of items) {
    if (seen.has(item)) return item
    seen.add(item)
  }
  return null
}
