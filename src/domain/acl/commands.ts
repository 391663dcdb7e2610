//! The commands and categories that an access string may name: those of redis 7.0, which every engine here has, and what
//! later versions added. A scenario compares the table with a real engine's COMMAND and ACL CAT.

/** Version that brought the commands, and their names; `container|subcommand` for a subcommand. */
interface Addition {
  readonly since: string
  readonly names: string
}

const BASE = `
  acl append asking auth bgrewriteaof bgsave bitcount bitfield bitfield_ro bitop bitpos blmove blmpop blpop brpop
  brpoplpush bzmpop bzpopmax bzpopmin client cluster command config copy dbsize debug decr decrby del discard dump echo
  eval eval_ro evalsha evalsha_ro exec exists expire expireat expiretime failover fcall fcall_ro flushall flushdb function
  geoadd geodist geohash geopos georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch geosearchstore get
  getbit getdel getex getrange getset hdel hello hexists hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset
  hrandfield hscan hset hsetnx hstrlen hvals incr incrby incrbyfloat info keys lastsave latency lcs lindex linsert llen
  lmove lmpop lolwut lpop lpos lpush lpushx lrange lrem lset ltrim memory mget migrate module monitor move mset msetnx
  multi object persist pexpire pexpireat pexpiretime pfadd pfcount pfdebug pfmerge pfselftest ping psetex psubscribe psync
  pttl publish pubsub punsubscribe quit randomkey readonly readwrite rename renamenx replconf replicaof reset restore
  restore-asking role rpop rpoplpush rpush rpushx sadd save scan scard script sdiff sdiffstore select set setbit setex
  setnx setrange shutdown sinter sintercard sinterstore sismember slaveof slowlog smembers smismember smove sort sort_ro
  spop spublish srandmember srem sscan ssubscribe strlen subscribe substr sunion sunionstore sunsubscribe swapdb sync time
  touch ttl type unlink unsubscribe unwatch wait watch xack xadd xautoclaim xclaim xdel xgroup xinfo xlen xpending xrange
  xread xreadgroup xrevrange xsetid xtrim zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore
  zlexcount zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem
  zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion
  zunionstore
`

/** Subcommands by their container. A command that is not here takes any first argument after `|`, as the engine does. */
const CONTAINERS: Readonly<Record<string, string>> = {
  acl: 'cat deluser dryrun genpass getuser help list load log save setuser users whoami',
  client:
    'caching getname getredir help id info kill list no-evict pause reply setname tracking trackinginfo unblock unpause',
  cluster:
    'addslots addslotsrange bumpepoch count-failure-reports countkeysinslot delslots delslotsrange failover flushslots ' +
    'forget getkeysinslot help info keyslot links meet myid nodes replicas replicate reset saveconfig ' +
    'set-config-epoch setslot shards slaves slots',
  command: 'count docs getkeys getkeysandflags help info list',
  config: 'get help resetstat rewrite set',
  function: 'delete dump flush help kill list load restore stats',
  latency: 'doctor graph help histogram history latest reset',
  memory: 'doctor help malloc-stats purge stats usage',
  module: 'help list load loadex unload',
  object: 'encoding freq help idletime refcount',
  pubsub: 'channels help numpat numsub shardchannels shardnumsub',
  script: 'debug exists flush help kill load',
  slowlog: 'get help len reset',
  xgroup: 'create createconsumer delconsumer destroy help setid',
  xinfo: 'consumers groups help stream',
}

const ADDITIONS: readonly Addition[] = [
  { since: '7.2', names: 'waitaof client|setinfo client|no-touch cluster|myshardid' },
  {
    since: '8.0',
    names: 'client|capa script|show cluster|slot-stats',
  },
  {
    since: '8.1',
    names: 'commandlog commandlog|get commandlog|help commandlog|len commandlog|reset client|import-source',
  },
  {
    since: '9.0',
    names:
      'delifeq hexpire hexpireat hexpiretime hgetex hpersist hpexpire hpexpireat hpexpiretime hpttl hsetex httl ' +
      'cluster|cancelslotmigrations cluster|flushslot cluster|getslotmigrations cluster|migrateslots cluster|syncslots',
  },
]

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean)

const CATEGORIES: ReadonlySet<string> = new Set(
  words(`
    keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow blocking
    dangerous connection transaction scripting
  `),
)

const SINCE: ReadonlyMap<string, string> = new Map([
  ...words(BASE).map((name): [string, string] => [name, '6.0']),
  ...Object.entries(CONTAINERS).flatMap(([container, subcommands]) =>
    words(subcommands).map((name): [string, string] => [`${container}|${name}`, '7.0']),
  ),
  ...ADDITIONS.flatMap(({ since, names }) => words(names).map((name): [string, string] => [name, since])),
])

/** Names of the table that redis 7.0 has; for the comparison with one. */
export const BASE_COMMANDS: readonly string[] = [...SINCE].filter(([, since]) => since <= '7.0').map(([name]) => name)
export const BASE_CATEGORIES: readonly string[] = [...CATEGORIES]

/** Lower case, without `@`; `all` is none of them. */
export const isCategory = (name: string): boolean => CATEGORIES.has(name)

export const isContainer = (command: string): boolean => Object.hasOwn(CONTAINERS, command) || command === 'commandlog'

/** Engine version that the command, or `container|subcommand`, needs at least; null when there is none of that name. */
export const commandSince = (name: string): string | null => SINCE.get(name) ?? null
