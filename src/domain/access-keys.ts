//! Access keys of the API as they are stored, and who a caller is. Times are ISO 8601 strings.

export const ROLES = ['admin', 'operator', 'invalidator', 'read-only'] as const
/** What a key may do: domain/permissions.ts has the table. */
export type Role = (typeof ROLES)[number]

export const isRole = (text: unknown): text is Role => ROLES.some((role) => role === text)

export interface AccessKeyRecord {
  /** `AKIA` and 16 more, as AWS's. */
  readonly id: string
  /** For people; no two keys have the same. */
  readonly name: string
  readonly role: Role
  readonly createdAt: string
  /** Null: for good. */
  readonly expiresAt: string | null
  /** Newest first: one, or two while a rotation overlaps. */
  readonly secrets: readonly SealedSecret[]
}

export interface SealedSecret {
  /** Wrapped by the key file of access keys; SigV4 needs the secret itself, so a hash would not do. */
  readonly wrapped: {
    readonly provider: 'key-file'
    readonly keyId: string
    readonly material: number
    readonly wrapped: string
  }
  readonly createdAt: string
  /** Null: as long as the key; a time after a rotation. */
  readonly validUntil: string | null
}

/** When a key was last seen; written now and then (services/cachefront/key-ring.ts). */
export interface AccessKeyUse {
  readonly at: string
}

/** Keys of an installation. Each is in memory, unsealed, from its first use on. */
export const ACCESS_KEYS_MAX = 500
/** What a name may be: AWS's alphabet of user names. */
export const ACCESS_KEY_NAME = /^[\w+=,.@-]{1,64}$/

/** Whoever makes a call. */
export interface Caller {
  /** Null when the call was not signed. */
  readonly keyId: string | null
  /** Of the key; `root` for the configured pair and for callers on this machine that are taken at their word, `anybody` unsigned. */
  readonly name: string
  readonly role: Role
  /** Whether a signature was checked, and held. */
  readonly verified: boolean
}
