//! DescribeCacheEngineVersions: what the binaries of this host serve (spec/elasticache.md 5.1).
import type {
  CacheEngineVersion,
  CacheEngineVersionMessage,
  DescribeCacheEngineVersionsMessage,
} from '@aws-sdk/client-elasticache'
import { ENGINE_DESCRIPTIONS, type EngineVersion, servedVersions } from '../../domain/engine-versions.ts'
import type { Operation } from '../service.ts'
import { page } from './paging.ts'

export const describeCacheEngineVersions: Operation<
  DescribeCacheEngineVersionsMessage,
  CacheEngineVersionMessage
> = async (input, { host }) => {
  const found = servedVersions(host.binaries()).filter(
    (v) =>
      (input.Engine === undefined || v.engine === input.Engine.toLowerCase()) &&
      (input.EngineVersion === undefined || v.version === input.EngineVersion) &&
      (input.CacheParameterGroupFamily === undefined || v.family === input.CacheParameterGroupFamily.toLowerCase()),
  )
  const wanted = input.DefaultOnly ? newestOfEngines(found) : found
  const { items, Marker } = page(wanted, ({ engine, version }) => `${engine} ${version}`, input)
  return { CacheEngineVersions: items.map(view), Marker }
}

/** The version that a request without EngineVersion gets: the newest. */
const newestOfEngines = (versions: readonly EngineVersion[]): EngineVersion[] => [
  ...new Map(versions.map((v) => [v.engine, v])).values(),
]

const view = (v: EngineVersion): CacheEngineVersion => ({
  Engine: v.engine,
  EngineVersion: v.version,
  CacheParameterGroupFamily: v.family,
  CacheEngineDescription: ENGINE_DESCRIPTIONS[v.engine],
  CacheEngineVersionDescription: `${v.engine} version ${v.full}`,
})
