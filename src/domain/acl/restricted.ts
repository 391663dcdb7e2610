//! THE TABLE of restricted commands (spec/elasticache.md 5.5): what clients may not do to an engine that a service runs.
//! Every user of a node but the keeper's own carries these denials behind its own rules.

interface Restriction {
  /** A whole command, or `container|subcommand`. */
  readonly name: string
  /** Null: every engine here knows it. Otherwise the engine and the version that brought it. */
  readonly since: readonly [engine: 'redis' | 'valkey', version: string] | null
}

const always = (names: string): Restriction[] => names.split(' ').map((name) => ({ name, since: null }))

const RESTRICTIONS: readonly Restriction[] = [
  // AWS's list.
  ...always('acl|setuser acl|deluser acl|load acl|save bgrewriteaof bgsave'),
  ...always(
    'cluster|addslots cluster|addslotsrange cluster|bumpepoch cluster|delslots cluster|delslotsrange cluster|failover ' +
      'cluster|flushslots cluster|forget cluster|links cluster|meet cluster|setslot',
  ),
  // Of AWS's older lists.
  ...always('cluster|replicate cluster|reset cluster|saveconfig cluster|set-config-epoch'),
  ...always('config debug migrate psync replicaof save slaveof shutdown sync'),
  // Ours: what would take a node out of the keeper's hands, or load a program into it.
  ...always('failover module'),
  // Ours: AWS leaves password hashes out of these; a stock engine prints them, and the keeper's user with them.
  ...always('acl|list acl|users acl|getuser'),
  ...['cluster|migrateslots', 'cluster|cancelslotmigrations', 'cluster|flushslot', 'cluster|syncslots'].map(
    (name): Restriction => ({ name, since: ['valkey', '9.0'] }),
  ),
]

const NAMES: ReadonlySet<string> = new Set(RESTRICTIONS.map(({ name }) => name))

/** Whether a user may not be given this command, or `container|subcommand`; both in lower case. */
export const isRestricted = (name: string): boolean => NAMES.has(name) || NAMES.has(name.split('|')[0]!)

/** The denials as ACL rules, for an engine of that version (`major.minor`). */
export function denials(engine: string, version: string): readonly string[] {
  const knows = ({ since }: Restriction): boolean =>
    since === null || (engine === since[0] && Number.parseFloat(version) >= Number.parseFloat(since[1]))
  return RESTRICTIONS.filter(knows).map(({ name }) => `-${name}`)
}
