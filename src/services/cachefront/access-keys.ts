//! Access keys of the API: made, listed, rotated, revoked. A secret is shown when it is made and never again; in the state
//! it is wrapped by a key file beside it (0600), so that a copy of the state alone opens nothing. `cachefront keys` comes
//! here through the running installation, or, when nothing runs, under its lock: the state has one writer.
import { randomBytes } from 'node:crypto'
import {
  ACCESS_KEY_NAME,
  ACCESS_KEYS_MAX,
  type AccessKeyRecord,
  isRole,
  ROLES,
  type Role,
  type SealedSecret,
} from '../../domain/access-keys.ts'
import { cachefrontFault } from '../../domain/faults.ts'
import { KeyFile } from '../../keeper/snapshots/key-file.ts'
import type { Clock } from '../../lib/clock.ts'
import { keyId } from '../../lib/ids.ts'
import type { Reader, State } from '../../state/state.ts'

/** How long the secret before stays right after a rotation, unless somebody says otherwise: a day. Milliseconds. */
export const OVERLAP_MS = 24 * 3_600_000
/** Longest overlap, and longest life that a key can be given: ten years. Milliseconds. */
const SPAN_MS_MAX = 10 * 365 * 24 * 3_600_000
/** Name of the pair that settings give, and of callers who are taken at their word. */
export const CONFIGURED = 'root'
const ALIAS = 'alias/cachefront/access-keys'
/** 40 characters of base64. */
const SECRET_BYTES = 30

/** A key without its secrets. */
export interface AccessKeySeen {
  readonly id: string
  readonly name: string
  readonly role: Role
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
  /** When the secret in use was made. */
  readonly secretCreatedAt: string
  /** Until when the secret before it stays right; null when there is none. */
  readonly overlapUntil: string | null
}

/** The only thing that ever holds a secret. */
export interface NewSecret extends AccessKeySeen {
  readonly secretAccessKey: string
}

export interface NewKey {
  readonly name: unknown
  readonly role: unknown
  /** Milliseconds from now; absent: for good. */
  readonly expiresInMs?: unknown
}

export interface AccessKeysOptions {
  readonly state: State
  readonly clock: Clock
  /** Key file of access keys. */
  readonly file: string
  /** Whether one admin has to stay: true where keys are required and none is configured. */
  readonly adminMustStay: boolean
}

export class AccessKeys {
  readonly #options: AccessKeysOptions
  readonly #file: KeyFile

  constructor(options: AccessKeysOptions) {
    this.#options = options
    this.#file = new KeyFile(options.file)
  }

  /** @throws Fault InvalidRequest, Conflict */
  async create({ name, role, expiresInMs }: NewKey): Promise<NewSecret> {
    const now = this.#options.clock.wall()
    if (typeof name !== 'string' || !ACCESS_KEY_NAME.test(name)) {
      throw invalid('name must have 1 to 64 letters, digits or characters of _+=,.@-.')
    }
    // That is what callers without a key of the state are called.
    if (name === CONFIGURED) throw invalid(`The name ${name} is taken by the configured key: choose another.`)
    if (!isRole(role)) throw invalid(`role must be ${ROLES.slice(0, -1).join(', ')} or ${ROLES.at(-1)}.`)
    const expiresAt = expiresInMs === undefined ? null : iso(now + span(expiresInMs, 'expiresInMs', 1))
    const id = keyId()
    const [secretAccessKey, sealed] = await this.#newSecret(id, now)
    const record: AccessKeyRecord = { id, name, role, createdAt: iso(now), expiresAt, secrets: [sealed] }
    await this.#options.state.transact(async (tx) => {
      const others = await tx.list('access-key')
      if (others.some(({ doc }) => doc.name === name)) {
        throw conflict(`There is a key named ${name} already: choose another name, or rotate or revoke that key.`)
      }
      if (others.length >= ACCESS_KEYS_MAX) throw conflict(`There are ${ACCESS_KEYS_MAX} keys: revoke some first.`)
      await tx.put('access-key', id, record)
    })
    return { ...seen(record, null, now), secretAccessKey }
  }

  async list(): Promise<readonly AccessKeySeen[]> {
    const { state, clock } = this.#options
    const used = new Map((await state.list('access-key-use')).map(({ id, doc }) => [id, doc.at]))
    const keys = (await state.list('access-key')).map(({ doc }) => seen(doc, used.get(doc.id) ?? null, clock.wall()))
    return keys.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))
  }

  /**
   * A new secret; the one before stays right for `overlapMs` (a day without; 0: not any more).
   * @param which id or name
   * @throws Fault NotFound, InvalidRequest
   */
  async rotate(which: unknown, overlapMs: unknown = OVERLAP_MS): Promise<NewSecret> {
    const { state, clock } = this.#options
    const now = clock.wall()
    const overlap = span(overlapMs, 'overlapMs', 0)
    const { id } = await found(state, which)
    const [secretAccessKey, sealed] = await this.#newSecret(id, now)
    const record = await state.transact(async (tx) => {
      const before = await found(tx, id)
      const kept = before.secrets.slice(0, 1).map((one) => ({ ...one, validUntil: iso(now + overlap) }))
      const after: AccessKeyRecord = { ...before, secrets: [sealed, ...(overlap > 0 ? kept : [])] }
      await tx.put('access-key', id, after)
      return after
    })
    const use = await state.get('access-key-use', id)
    return { ...seen(record, use?.doc.at ?? null, now), secretAccessKey }
  }

  /**
   * From now on the key opens nothing.
   * @param which id or name
   * @throws Fault NotFound, Conflict
   */
  async revoke(which: unknown): Promise<AccessKeySeen> {
    const { state, clock, adminMustStay } = this.#options
    const now = clock.wall()
    return state.transact(async (tx) => {
      const record = await found(tx, which)
      const admins = (await tx.list('access-key')).filter(({ doc }) => isAdmin(doc, now) && doc.id !== record.id)
      if (adminMustStay && isAdmin(record, now) && admins.length === 0) {
        throw conflict(
          `${record.name} is the last admin, and nobody could call the API without one: make another first ` +
            '(cachefront keys create --role admin).',
        )
      }
      const use = await tx.get('access-key-use', record.id)
      await tx.delete('access-key', record.id)
      await tx.delete('access-key-use', record.id)
      return seen(record, use?.doc.at ?? null, now)
    })
  }

  /** @throws KeyError when the key file is not the one that it was sealed with */
  async unseal(id: string, { wrapped }: SealedSecret): Promise<string> {
    return (await this.#file.unwrap(wrapped, useOf(id))).toString('latin1')
  }

  async #newSecret(id: string, now: number): Promise<[string, SealedSecret]> {
    const secret = randomBytes(SECRET_BYTES).toString('base64')
    const found = (await this.#file.keys()).find((key) => key.alias === ALIAS)
    const { id: fileKey } = found ?? (await this.#file.create(ALIAS, iso(now)))
    const wrapped = await this.#file.wrap(Buffer.from(secret, 'latin1'), fileKey, useOf(id))
    return [secret, { wrapped, createdAt: iso(now), validUntil: null }]
  }
}

/** Whether a key is an admin's, and not expired. `now`: milliseconds on the wall clock. */
export const isAdmin = ({ role, expiresAt }: AccessKeyRecord, now: number): boolean =>
  role === 'admin' && (expiresAt === null || Date.parse(expiresAt) > now)

const useOf = (id: string): string => `access-key ${id}`
const iso = (ms: number): string => new Date(ms).toISOString()
const invalid = (message: string) => cachefrontFault('InvalidRequest', message)
const conflict = (message: string) => cachefrontFault('Conflict', message)

function span(value: unknown, name: string, least: number): number {
  if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= SPAN_MS_MAX) return Number(value)
  throw invalid(`${name} must be a whole number of milliseconds from ${least} to ${SPAN_MS_MAX}.`)
}

/** By id, else by name. @throws Fault NotFound */
async function found(reader: Reader, which: unknown): Promise<AccessKeyRecord> {
  if (typeof which !== 'string' || which === '') throw invalid('key must be the id or the name of a key.')
  const byId = await reader.get('access-key', which)
  const record = byId?.doc ?? (await reader.list('access-key')).find(({ doc }) => doc.name === which)?.doc
  if (record === undefined)
    throw cachefrontFault('NotFound', `There is no key ${which.slice(0, 80)}: see cachefront keys list.`)
  return record
}

function seen(record: AccessKeyRecord, lastUsedAt: string | null, now: number): AccessKeySeen {
  const { id, name, role, createdAt, expiresAt, secrets } = record
  const before = secrets[1]?.validUntil ?? null
  const overlapUntil = before !== null && Date.parse(before) > now ? before : null
  return {
    id,
    name,
    role,
    createdAt,
    expiresAt,
    lastUsedAt,
    secretCreatedAt: secrets[0]?.createdAt ?? createdAt,
    overlapUntil,
  }
}
