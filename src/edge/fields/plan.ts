//! A field-level encryption configuration, compiled: what a request asks of it is a look-up.
import type { EncryptionEntityDoc, FieldEncryptionDoc, FieldProfileDoc } from '../../domain/field-encryption.ts'
import { formDecoded } from './form.ts'

export interface FieldsPlan {
  readonly doc: FieldEncryptionDoc
  /** By media type; null for a type whose bodies always go on as they are. */
  readonly byType: ReadonlyMap<string, ProfilePlan | null>
  /** By the decoded value of the query argument; null without QueryArgProfileConfig. */
  readonly byArgument: ReadonlyMap<string, ProfilePlan> | null
}

export interface ProfilePlan {
  readonly doc: FieldProfileDoc
  /** Whose key encrypts a field of this name (one character a byte); null for a field that goes on as it is. */
  entityOf(name: string): EncryptionEntityDoc | null
}

export function compileFields(doc: FieldEncryptionDoc | undefined): FieldsPlan | null {
  if (doc === undefined) return null
  const profiles = new Map<string, ProfilePlan>()
  const planOf = (profile: FieldProfileDoc): ProfilePlan => {
    const known = profiles.get(profile.id) ?? compileProfile(profile)
    profiles.set(profile.id, known)
    return known
  }
  const { queryArgs } = doc
  return {
    doc,
    byType: new Map(doc.contentTypes.map(({ contentType, profile }) => [contentType, profile && planOf(profile)])),
    byArgument:
      queryArgs &&
      // What is not to be decoded cannot come as a value either.
      new Map(queryArgs.profiles.map(({ queryArg, profile }) => [formDecoded(queryArg) ?? '', planOf(profile)])),
  }
}

export function compileProfile(doc: FieldProfileDoc): ProfilePlan {
  const whole = new Map<string, EncryptionEntityDoc>()
  const beginnings: (readonly [string, EncryptionEntityDoc])[] = []
  for (const entity of doc.entities) {
    for (const pattern of entity.patterns) {
      if (pattern.endsWith('*')) beginnings.push([pattern.slice(0, -1), entity])
      else whole.set(pattern, entity)
    }
  }
  return {
    doc,
    // There are at most as many patterns as a profile may have fields: ten, unless an operator says otherwise.
    entityOf: (name) => whole.get(name) ?? beginnings.find(([text]) => name.startsWith(text))?.[1] ?? null,
  }
}
