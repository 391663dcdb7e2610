//! Regex pattern sets: create, read, replace, delete, list.
import type {
  CreateRegexPatternSetRequest,
  CreateRegexPatternSetResponse,
  DeleteRegexPatternSetRequest,
  GetRegexPatternSetRequest,
  GetRegexPatternSetResponse,
  ListRegexPatternSetsRequest,
  ListRegexPatternSetsResponse,
  Regex,
  RegexPatternSet,
  UpdateRegexPatternSetRequest,
  UpdateRegexPatternSetResponse,
} from '@aws-sdk/client-wafv2'
import { invalidParameter } from '../../domain/waf/faults.ts'
import { WAF_LIMITS } from '../../domain/waf/limits.ts'
import type { Operation } from '../service.ts'
import { overLimit } from './refusals.ts'
import { add, find, findLocked, pageOf, remove, replace, requireUnused, summaryOf } from './resources.ts'
import { requireScope } from './scope.ts'
import { checkPattern } from './statement-checks.ts'
import { shown } from './stored-shape.ts'
import { rulesThatName } from './users.ts'

/** Each once. @throws WAFInvalidParameterException, WAFLimitsExceededException */
function checkedPatterns(given: readonly Regex[] | undefined): { RegexString: string }[] {
  const patterns = new Set<string>()
  for (const { RegexString: pattern } of given ?? []) {
    if (pattern === undefined) throw invalidParameter('REGEX_PATTERN_SET', 'RegexString', 'A pattern is missing.')
    checkPattern(pattern, 'REGEX_PATTERN_SET')
    patterns.add(pattern)
  }
  if (patterns.size > WAF_LIMITS.patternsPerRegexSet) {
    throw overLimit('patterns of a regex pattern set', WAF_LIMITS.patternsPerRegexSet)
  }
  return [...patterns].map((RegexString) => ({ RegexString }))
}

export const createRegexPatternSet: Operation<CreateRegexPatternSetRequest, CreateRegexPatternSetResponse> = async (
  input,
  context,
) => {
  requireScope(input.Scope)
  const patterns = checkedPatterns(input.RegularExpressionList)
  const record = await context.state.transact((tx) =>
    add(tx, 'regex-pattern-set', input, context, (identity) => ({
      ...identity,
      set: {
        Name: identity.name,
        Id: identity.id,
        ARN: identity.arn,
        Description: input.Description ?? '',
        RegularExpressionList: patterns,
      },
    })),
  )
  return { Summary: summaryOf(record, record.set) }
}

export const getRegexPatternSet: Operation<GetRegexPatternSetRequest, GetRegexPatternSetResponse> = async (
  input,
  context,
) => {
  const record = await find(context.state, 'regex-pattern-set', input, context)
  return { RegexPatternSet: shown<RegexPatternSet>(record.set), LockToken: record.lockToken }
}

/** A full replacement. */
export const updateRegexPatternSet: Operation<UpdateRegexPatternSetRequest, UpdateRegexPatternSetResponse> = async (
  input,
  context,
) => {
  const patterns = checkedPatterns(input.RegularExpressionList)
  const NextLockToken = await context.state.transact(async (tx) => {
    const record = await findLocked(tx, 'regex-pattern-set', input, context)
    const set = { ...record.set, Description: input.Description ?? '', RegularExpressionList: patterns }
    return replace(tx, 'regex-pattern-set', { ...record, set })
  })
  return { NextLockToken }
}

export const deleteRegexPatternSet: Operation<DeleteRegexPatternSetRequest, object> = async (input, context) => {
  await context.state.transact(async (tx) => {
    const { arn } = await findLocked(tx, 'regex-pattern-set', input, context)
    requireUnused(arn, await rulesThatName(tx, arn))
    await remove(tx, 'regex-pattern-set', arn)
  })
  return {}
}

export const listRegexPatternSets: Operation<ListRegexPatternSetsRequest, ListRegexPatternSetsResponse> = async (
  input,
  { state },
) => {
  const { records, next } = await pageOf(state, 'regex-pattern-set', input)
  return { ...next, RegexPatternSets: records.map((record) => summaryOf(record, record.set)) }
}
