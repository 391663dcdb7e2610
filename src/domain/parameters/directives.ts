//! PURE: what a parameter group and a node type mean to the engine. Every parameter that has a directive is given, so that
//! a value that goes back to its default is applied like any other.
import type { NodeType } from '../node-types.ts'
import type { Family, MemcachedOption, Parameter } from './parameter.ts'

/** What the user set in a parameter group, by parameter. */
export type Overrides = Readonly<Record<string, string>>

/** Directives (redis, valkey) or options (memcached, a null-argument flag has the value ''), in the engine's order. */
export type Configuration = readonly (readonly [name: string, value: string])[]

/** Value in force: the user's, the family's, or the node type's. */
export function effective(parameter: Parameter, overrides: Overrides, node: NodeType): string {
  return overrides[parameter.name] ?? parameter.value ?? nodeValue(parameter.name, node)
}

/** Value of a parameter that depends on the node type (spec/elasticache.md 4.1). */
export function nodeValue(name: string, node: NodeType): string {
  switch (name) {
    case 'maxmemory':
      return String(node.maxmemory)
    case 'max_cache_memory':
      return String(node.memcachedMegabytes)
    case 'num_threads':
      return String(node.vcpus)
    case 'maxclients':
      return String(node.maxclients)
    default:
      // client-output-buffer-limit-replica-*: about a tenth of the memory, hard and soft alike.
      return String(Math.floor(node.maxmemory / 10))
  }
}

/** The part of the node type's memory that the data may use: floor(maxmemory x (1 - percent / 100)) (spec 4.2). */
export function effectiveMaxmemory(node: NodeType, reservedPercent: number): number {
  return Math.floor((node.maxmemory * (100 - reservedPercent)) / 100)
}

/**
 * Bytes that the data of one node may take, by the parameter group: maxmemory less the reserved part, or item memory of
 * memcached. All of it reserved would be 0, which means no limit to the engines: the least they take instead.
 */
export function dataBytes(family: Family, overrides: Overrides, node: NodeType): number {
  const value = (name: string): string => {
    const parameter = family.parameters.find((p) => p.name === name)
    return parameter === undefined ? '' : effective(parameter, overrides, node)
  }
  if (family.engine === 'memcached') return memcachedMegabytes(value, node) * 2 ** 20
  const bytes = Number(value('reserved-memory'))
  // Only one of the two is active: the older one as soon as it is given.
  const left = bytes > 0 ? node.maxmemory - bytes : effectiveMaxmemory(node, Number(value('reserved-memory-percent')))
  return Math.max(1, left)
}

const memcachedMegabytes = (value: (name: string) => string, node: NodeType): number =>
  Math.max(1, node.memcachedMegabytes - Number(value('memcached_connections_overhead')))

/** Configuration of one node. `version`: `major.minor` asked for; parameters that are newer than it are left out. */
export function configurationOf(family: Family, version: string, overrides: Overrides, node: NodeType): Configuration {
  const present = family.parameters.filter((p) => existsIn(p, version))
  const value = (name: string): string => {
    const parameter = present.find((p) => p.name === name)
    return parameter === undefined ? '' : effective(parameter, overrides, node)
  }
  if (family.engine === 'memcached') return memcachedOptions(present, value, node)
  return respDirectives(present, value, dataBytes(family, overrides, node))
}

/** Whether a version of an engine, `8.0`, has the parameter: its first version's major and minor are not above. */
export function existsIn(parameter: Parameter, version: string): boolean {
  const [major = 0, minor = 0] = parameter.since.split('.').map(Number)
  const [wishedMajor = 0, wishedMinor = 0] = version.split('.').map(Number)
  return wishedMajor > major || (wishedMajor === major && wishedMinor >= minor)
}

function respDirectives(
  present: readonly Parameter[],
  value: (name: string) => string,
  maxmemory: number,
): Configuration {
  const directives: (readonly [string, string])[] = []
  for (const { name, mapping } of present) {
    if (mapping.to === 'same') directives.push([name, value(name)])
    if (mapping.to === 'directive') directives.push([mapping.name, mapping.value(value(name))])
  }
  directives.push(['maxmemory', String(maxmemory)])
  // The engine reads and shows the three classes as one value, replicas under their old name.
  const limits = [
    ['normal', 'normal'],
    ['slave', 'replica'],
    ['pubsub', 'pubsub'],
  ].map(([shown, clients]) => {
    const of = (limit: string): string =>
      value(`client-output-buffer-limit-${clients}-${limit}`) || value(`client-output-buffer-limit-${shown}-${limit}`)
    return `${shown} ${of('hard-limit')} ${of('soft-limit')} ${of('soft-seconds')}`
  })
  directives.push(['client-output-buffer-limit', limits.join(' ')])
  return directives
}

/** Flags first, then one `-o` with all extended options; `no_modern`, then `modern`, set a whole group, so they lead. */
function memcachedOptions(
  present: readonly Parameter[],
  value: (name: string) => string,
  node: NodeType,
): Configuration {
  const options: MemcachedOption[] = present.flatMap((p) =>
    p.mapping.to === 'options' ? p.mapping.options(value(p.name)) : [],
  )
  const flags = options.flatMap((o) => ('flag' in o ? [[o.flag, o.argument ?? ''] as const] : []))
  const extended = options.flatMap((o) => ('extended' in o ? [o.extended] : []))
  const isGroup = (option: string): boolean => option === 'modern' || option === 'no_modern'
  const ordered = [...extended.filter(isGroup).reverse(), ...extended.filter((o) => !isGroup(o))]
  return [
    ['-m', String(memcachedMegabytes(value, node))],
    ['-t', String(node.vcpus)],
    ...flags,
    ['-o', ordered.join(',')],
  ]
}

/** Directives and options that no user can set: where the host allows less than wished, no restart would help. */
export function fixedNames(family: Family | undefined): ReadonlySet<string> {
  const fixed = family?.parameters.filter((p) => !p.modifiable) ?? []
  return new Set(
    fixed.flatMap((p) => {
      if (p.mapping.to !== 'options') return [p.name]
      return p.mapping.options('1').flatMap((option) => ('flag' in option ? [option.flag] : []))
    }),
  )
}
