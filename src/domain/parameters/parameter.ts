//! One parameter of a family, and the check of a value against what it allows (spec/elasticache.md 5.2).

/** What a parameter becomes in the engine. `none`: nothing of its own (it is joined with others, or the service's). */
export type Mapping =
  | { readonly to: 'same' }
  | { readonly to: 'none' }
  | { readonly to: 'directive'; readonly name: string; readonly value: (value: string) => string }
  /** memcached: command line options for this value; an empty list for none. */
  | { readonly to: 'options'; readonly options: (value: string) => readonly MemcachedOption[] }

/** A flag with its argument (null for none), or one item of `-o`. */
export type MemcachedOption =
  | { readonly flag: string; readonly argument: string | null }
  | { readonly extended: string }

export interface Parameter {
  readonly name: string
  readonly description: string
  /** Null: depends on the node type (`nodeSpecific`). Empty is a value. */
  readonly value: string | null
  /** In AWS's notation: `yes,no`, `0-`, `1-75`, `0,20-`; empty where the service fixes the value. */
  readonly allowed: string
  readonly type: 'string' | 'integer' | 'float'
  readonly modifiable: boolean
  readonly changeType: 'immediate' | 'requires-reboot'
  /** Engine version from which it exists, `7.0.4`. */
  readonly since: string
  /** What has to be built before it can be changed; a change of it answers 501 and names this. Null: nothing. */
  readonly needs: string | null
  /** What the engine's binary must have been built with for a change to take; null: nothing. */
  readonly feature: BinaryFeature | null
  readonly nodeSpecific: boolean
  readonly mapping: Mapping
}

/** What an engine's build has or lacks: `active-defrag` needs the allocator that comes with the engine's source. */
export type BinaryFeature = 'active-defrag'

export interface Family {
  /** `redis7`. */
  readonly name: string
  readonly engine: 'redis' | 'valkey' | 'memcached'
  readonly parameters: readonly Parameter[]
  /** It has a second default group, for cluster mode. */
  readonly clusterMode: boolean
}

const RANGE = /^(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)?$/
const NUMBER = /^-?\d+(\.\d+)?$/
const INTEGER = /^-?\d+$/
/** Classes of keyspace events (redis.conf, EVENT NOTIFICATION). */
const KEYSPACE_EVENTS = 'string of the characters KEg$lshzxeAtdmn'

/** Whether `value` is one that the parameter allows. */
export function allows(parameter: Pick<Parameter, 'allowed' | 'type'>, value: string): boolean {
  const { allowed, type } = parameter
  if (allowed === KEYSPACE_EVENTS) return /^[KEg$lshzxeAtdmn]*$/.test(value)
  if (type === 'integer' && !(INTEGER.test(value) && Number.isSafeInteger(Number(value)))) return false
  if (type === 'float' && !NUMBER.test(value)) return false
  return allowed.split(',').some((item) => {
    const range = RANGE.exec(item)
    if (type === 'string' || range === null) return item === value
    const number = Number(value)
    return number >= Number(range[1]) && (range[2] === undefined || number <= Number(range[2]))
  })
}

/** Whether it can be changed here: by the table, and by what the installed binaries of its engine were built with. */
export function isModifiable(
  { modifiable, feature }: Parameter,
  engine: Family['engine'],
  binaries: readonly { readonly engine: string; readonly features?: readonly string[] }[],
): boolean {
  if (feature === null) return modifiable
  return modifiable && binaries.some((binary) => binary.engine === engine && binary.features?.includes(feature))
}

/** What a row of a family's table may say besides name, value, allowed values and description. */
export interface Traits {
  readonly type?: Parameter['type']
  readonly fixed?: boolean
  readonly reboot?: boolean
  readonly since?: string
  readonly needs?: string
  readonly feature?: BinaryFeature
  readonly nodeSpecific?: boolean
  readonly mapping?: Mapping
}

/** One row of a family's table. The type is `integer` when the value is a number, unless the row says otherwise. */
export function row(
  since: string,
  name: string,
  value: string | null,
  allowed: string,
  description: string,
  traits: Traits = {},
): Parameter {
  return {
    name,
    description,
    value,
    allowed,
    type: traits.type ?? (value === null || INTEGER.test(value) ? 'integer' : 'string'),
    modifiable: !(traits.fixed ?? false) && traits.needs === undefined,
    changeType: traits.reboot ? 'requires-reboot' : 'immediate',
    since: traits.since ?? since,
    needs: traits.needs ?? null,
    feature: traits.feature ?? null,
    nodeSpecific: traits.nodeSpecific ?? false,
    mapping: traits.mapping ?? { to: 'same' },
  }
}

export const keyspaceEvents = KEYSPACE_EVENTS
export const none: Mapping = { to: 'none' }
