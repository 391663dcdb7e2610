//! Which family of commands each command counts for (spec/elasticache.md 12.2). From the engines' own COMMAND DOCS and
//! COMMAND (Redis 7.0, what Valkey 8 and 9 and Redis 8 added); test/scenarios/keeper compares it with the installed engine.

/** In each group: commands that only read, that write, and others; `-` before one that takes no key. */
interface Group {
  readonly read: string
  readonly write: string
  readonly other: string
}

const none = ''

/** By the group of COMMAND DOCS. */
const GROUPS = {
  string: {
    read: 'get strlen substr mget getrange lcs digest',
    write:
      'append decr decrby getdel getex getset incr incrby incrbyfloat mset msetnx psetex set setex setnx setrange delifeq msetex delex',
    other: none,
  },
  bitmap: { read: 'bitcount bitfield_ro bitpos getbit', write: 'bitfield bitop setbit', other: none },
  list: {
    read: 'lindex llen lpos lrange',
    write:
      'blmove blmpop blpop brpop brpoplpush linsert lmove lmpop lpop lpush lpushx lrem lset ltrim rpop rpoplpush rpush rpushx',
    other: none,
  },
  set: {
    read: 'scard sdiff sinter sintercard sismember smembers smismember srandmember sscan sunion',
    write: 'sadd sdiffstore sinterstore smove spop srem sunionstore',
    other: none,
  },
  'sorted-set': {
    read: 'zcard zcount zdiff zinter zintercard zlexcount zmscore zrandmember zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion',
    write:
      'bzmpop bzpopmax bzpopmin zadd zdiffstore zincrby zinterstore zmpop zpopmax zpopmin zrangestore zrem zremrangebylex zremrangebyrank zremrangebyscore zunionstore',
    other: none,
  },
  hash: {
    read: 'hexists hget hgetall hkeys hlen hmget hrandfield hscan hstrlen hvals hpttl httl hexpiretime hpexpiretime',
    write:
      'hdel hincrby hincrbyfloat hmset hset hsetnx hexpire hexpireat hgetex hpexpire hpexpireat hpersist hsetex hgetdel',
    other: none,
  },
  hyperloglog: { read: 'pfcount', write: 'pfadd pfdebug pfmerge', other: '-pfselftest' },
  geo: {
    read: 'geodist geohash geopos georadius_ro georadiusbymember_ro geosearch',
    write: 'geoadd georadius georadiusbymember geosearchstore',
    other: none,
  },
  stream: {
    read: 'xlen xpending xrange xread xrevrange',
    write: 'xack xadd xautoclaim xclaim xdel xreadgroup xsetid xtrim xackdel xdelex',
    other: '-xgroup -xinfo',
  },
  generic: {
    read: 'dump exists expiretime -keys pexpiretime pttl -randomkey -scan sort_ro touch ttl type -clusterscan',
    write: 'copy del expire expireat migrate move persist pexpire pexpireat rename renamenx restore sort unlink',
    other: '-object -wait -waitaof',
  },
  pubsub: {
    read: none,
    write: none,
    other: '-psubscribe -publish -pubsub -punsubscribe spublish ssubscribe -subscribe sunsubscribe -unsubscribe',
  },
  scripting: { read: 'eval_ro evalsha_ro fcall_ro', write: none, other: 'eval evalsha fcall -function -script' },
  cluster: { read: none, write: none, other: '-asking -cluster -readonly -readwrite' },
  connection: { read: none, write: none, other: '-auth -client -echo -hello -ping -quit -reset -select' },
  transactions: { read: none, write: none, other: '-discard -exec -multi -unwatch watch' },
  server: {
    read: '-dbsize -lolwut',
    write: '-flushall -flushdb restore-asking -swapdb',
    other:
      '-acl -bgrewriteaof -bgsave -command -commandlog -config -debug -failover -info -lastsave -latency -memory -module -monitor -psync -replconf -replicaof -role -save -shutdown -slaveof -slowlog -sync -time',
  },
} as const satisfies Readonly<Record<string, Group>>

export type CommandGroup = keyof typeof GROUPS

export interface CommandKind {
  readonly group: CommandGroup
  /** `read` and `write` are the engine's flags readonly and write. */
  readonly kind: 'read' | 'write' | 'other'
  readonly takesKey: boolean
}

/** By name in lower case. A command that is not here (a module's, a later engine's) counts in the totals only. */
export const COMMANDS: ReadonlyMap<string, CommandKind> = new Map(
  (Object.entries(GROUPS) as [CommandGroup, Group][]).flatMap(([group, kinds]) =>
    (['read', 'write', 'other'] as const).flatMap((kind) =>
      kinds[kind]
        .split(' ')
        .filter(Boolean)
        .map((word): [string, CommandKind] => [
          word.replace(/^-/, ''),
          { group, kind, takesKey: !word.startsWith('-') },
        ]),
    ),
  ),
)
