//! Rules for the names of ElastiCache's resources (spec/elasticache.md 1.6). Names are lower-cased, then checked.
import { elasticacheFault, invalidValue } from './elasticache-faults.ts'

interface NameRule {
  /** As in the API's own words. */
  readonly field: string
  /** Longest name, in characters. */
  readonly length: number
  readonly pattern: RegExp
  readonly words: string
}

const LETTER_FIRST = /^[a-z](-?[a-z0-9])*$/
const LETTER_FIRST_WORDS =
  'it begins with a letter, holds letters, digits and single hyphens, and does not end with a hyphen'

export const NAME_RULES = {
  cluster: { field: 'CacheClusterId', length: 50, pattern: LETTER_FIRST, words: LETTER_FIRST_WORDS },
  replicationGroup: { field: 'ReplicationGroupId', length: 40, pattern: LETTER_FIRST, words: LETTER_FIRST_WORDS },
  parameterGroup: { field: 'CacheParameterGroupName', length: 255, pattern: LETTER_FIRST, words: LETTER_FIRST_WORDS },
  // The console allows 40 characters; the API's limit is unconfirmed. Automatic ones have a dot, which no other has.
  snapshot: { field: 'SnapshotName', length: 255, pattern: LETTER_FIRST, words: LETTER_FIRST_WORDS },
  snapshotCopy: { field: 'TargetSnapshotName', length: 255, pattern: LETTER_FIRST, words: LETTER_FIRST_WORDS },
  finalSnapshot: { field: 'FinalSnapshotIdentifier', length: 255, pattern: LETTER_FIRST, words: LETTER_FIRST_WORDS },
  user: {
    field: 'UserId',
    length: 40,
    pattern: /^[a-z][a-z0-9-]*$/,
    words: 'it begins with a letter and holds letters, digits and hyphens',
  },
  userGroup: {
    field: 'UserGroupId',
    // Unconfirmed: as a user's.
    length: 40,
    pattern: /^[a-z][a-z0-9-]*$/,
    words: 'it begins with a letter and holds letters, digits and hyphens',
  },
  subnetGroup: {
    field: 'CacheSubnetGroupName',
    length: 255,
    // Underscore, dot and space have been seen (unconfirmed by the documents): accepted after the first character.
    pattern: /^[a-z0-9][a-z0-9._ -]*$/,
    words: 'it holds letters, digits, hyphens, underscores, dots and spaces',
  },
} as const satisfies Readonly<Record<string, NameRule>>

export type NameKind = keyof typeof NAME_RULES

/** The stored form of a name that is looked up: ids are matched without regard to case (spec 1.3). */
export const normalName = (name: string): string => name.trim().toLowerCase()

/**
 * The stored form of a new name.
 * @throws InvalidParameterValue when the rule of its kind does not allow it; MissingParameter when it is absent.
 */
export function newName(kind: NameKind, given: string | undefined): string {
  const rule: NameRule = NAME_RULES[kind]
  const name = normalName(required(rule.field, given))
  if (name.length > rule.length || !rule.pattern.test(name)) {
    throw invalidValue(
      `The parameter ${rule.field} is not valid: ${shown(given)}. It has 1 to ${rule.length} characters: ${rule.words}.`,
    )
  }
  return name
}

/** @throws MissingParameter when the value is absent or empty. */
export function required<T>(field: string, value: T | null | undefined): T {
  if (value === undefined || value === null || value === '') {
    throw elasticacheFault('MissingParameter', `The request must contain the parameter ${field}.`)
  }
  return value
}

/** A user's text in an error: at most 100 characters of it. */
export function shown(text: unknown): string {
  const all = String(text)
  return `"${all.length > 100 ? `${all.slice(0, 100)}...` : all}"`
}
