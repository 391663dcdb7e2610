//! The access keys that callers may sign with, as the API looks them up: those of the state, unsealed at their first use,
//! the configured pair, and such as live as long as this process. A change in the state is seen by the next call.
import type { AccessKeyRecord, Role } from '../../domain/access-keys.ts'
import { KeyError } from '../../keeper/snapshots/key-file.ts'
import type { Clock } from '../../lib/clock.ts'
import type { State } from '../../state/state.ts'
import { type AccessKeys, CONFIGURED, isAdmin } from './access-keys.ts'

/** A commit for the use of a key at most this often. Milliseconds. */
const USE_MS = 10 * 60_000

export interface KnownKey {
  readonly id: string
  readonly name: string
  readonly role: Role
  /** Milliseconds since the epoch; null: for good. */
  readonly expiresAt: number | null
  readonly secrets: readonly KnownSecret[]
  /** Why its secrets cannot be read, for a person; null when they can. */
  readonly problem: string | null
}

interface KnownSecret {
  readonly secret: string
  /** Milliseconds since the epoch; null: as long as the key. */
  readonly validUntil: number | null
}

export interface FixedKey {
  readonly name: string
  readonly role: Role
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface KeyRingOptions {
  /** Not of the state: the configured pair, and what the program itself signs with. */
  readonly fixed: readonly FixedKey[]
  /** Absent where there is no state: the fixed keys are all there are. */
  readonly stored?: { readonly state: State; readonly keys: AccessKeys }
  readonly clock: Clock
  /** What is wrong with a key, in one line. */
  readonly problem: (message: string) => void
}

export class KeyRing {
  readonly #options: KeyRingOptions
  readonly #fixed: ReadonlyMap<string, KnownKey>
  /** Found in the state since it last changed; null for an id that is not there is not kept: ids are the callers' own. */
  readonly #known = new Map<string, KnownKey>()
  /** When each key was last seen, and when that was last written. */
  readonly #seenAt = new Map<string, number>()
  readonly #writtenAt = new Map<string, number>()
  #writing: Promise<void> = Promise.resolve()
  readonly #unwatch: () => void

  constructor(options: KeyRingOptions) {
    this.#options = options
    this.#fixed = new Map(options.fixed.map((key) => [key.accessKeyId, fixedKey(key)]))
    this.#unwatch =
      options.stored?.state.watch((changes) => {
        for (const { kind, id } of changes) if (kind === 'access-key') this.#known.delete(id)
      }) ?? (() => {})
  }

  /** Null when nobody has that key, or it was revoked. */
  async find(id: string): Promise<KnownKey | null> {
    const near = this.#fixed.get(id) ?? this.#known.get(id)
    if (near !== undefined) return near
    const { stored } = this.#options
    const record = await stored?.state.get('access-key', id)
    if (stored === undefined || record === undefined) return null
    const key = await this.#opened(record.doc, stored.keys)
    // What was revoked or rotated while it was unsealed must not be kept.
    const still = await stored.state.get('access-key', id)
    if (still?.revision !== record.revision) return this.find(id)
    if (key.problem === null) this.#known.set(id, key)
    return key
  }

  /** Whether anybody can administer the installation: a configured pair, or an admin in the state that is not expired. */
  async hasAdmin(): Promise<boolean> {
    const { fixed, stored, clock } = this.#options
    if (fixed.some(({ name }) => name === CONFIGURED)) return true
    const now = clock.wall()
    return ((await stored?.state.list('access-key')) ?? []).some(({ doc }) => isAdmin(doc, now))
  }

  /** A signature of the key held. Written now and then, never waited for. */
  used(id: string): void {
    if (this.#options.stored === undefined || this.#fixed.has(id)) return
    const now = this.#options.clock.wall()
    this.#seenAt.set(id, now)
    if (now - (this.#writtenAt.get(id) ?? Number.NEGATIVE_INFINITY) >= USE_MS) this.#write(id, now)
  }

  /** Writes what is not written yet. Call before the state closes. */
  async close(): Promise<void> {
    this.#unwatch()
    for (const [id, at] of this.#seenAt) if ((this.#writtenAt.get(id) ?? 0) < at) this.#write(id, at)
    await this.#writing
  }

  #write(id: string, at: number): void {
    const { stored, problem } = this.#options
    if (stored === undefined) return
    this.#writtenAt.set(id, at)
    this.#writing = this.#writing
      .then(() =>
        stored.state.transact(async (tx) => {
          if ((await tx.get('access-key', id)) === undefined) return
          await tx.put('access-key-use', id, { at: new Date(at).toISOString() })
        }),
      )
      .catch((error: Error) => problem(`the last use of the key ${id} could not be noted: ${error.message}`))
  }

  async #opened(record: AccessKeyRecord, keys: AccessKeys): Promise<KnownKey> {
    const { id, name, role, expiresAt } = record
    const known = { id, name, role, expiresAt: expiresAt === null ? null : Date.parse(expiresAt) }
    try {
      const secrets: KnownSecret[] = []
      for (const sealed of record.secrets) {
        const validUntil = sealed.validUntil === null ? null : Date.parse(sealed.validUntil)
        secrets.push({ secret: await keys.unseal(id, sealed), validUntil })
      }
      return { ...known, secrets, problem: null }
    } catch (error) {
      if (!(error instanceof KeyError)) throw error
      this.#options.problem(`the access key ${id} (${name}) cannot be read: ${error.message}`)
      return { ...known, secrets: [], problem: error.message }
    }
  }
}

const fixedKey = ({ name, role, accessKeyId, secretAccessKey }: FixedKey): KnownKey => ({
  id: accessKeyId,
  name,
  role,
  expiresAt: null,
  secrets: [{ secret: secretAccessKey, validUntil: null }],
  problem: null,
})

/** Those of its secrets that are right now; none when the key has expired. `now`: milliseconds on the wall clock. */
export function secretsAt(key: KnownKey, now: number): readonly string[] {
  if (key.expiresAt !== null && now >= key.expiresAt) return []
  return key.secrets.filter(({ validUntil }) => validUntil === null || now < validUntil).map(({ secret }) => secret)
}
