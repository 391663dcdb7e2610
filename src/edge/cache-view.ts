//! What a worker has cached, as people see it (feed-protocol.ts): one object, what a URL would find, the tiers' fill.

import { NOWHERE } from '../domain/viewer.ts'
import { COUNTER } from '../observe/counters.ts'
import type { Answering } from './answering.ts'
import { cacheKey } from './cache/key.ts'
import { INDEX } from './cache/object.ts'
import { ownersOf, ownsKey } from './cache/owner.ts'
import type { ListedObject } from './cache/store.ts'
import { unpackIndex, variantKey } from './cache/variants.ts'
import type { Edge } from './edge.ts'
import type { FoundObject, ObjectRequest, SeenObject, StorageSeen } from './feed-protocol.ts'
import { unframedHeaders } from './listen/header-block.ts'
import type { Place } from './places.ts'
import { behaviorOf, distributionOf } from './snapshot/snapshot.ts'
import { viewerFacts } from './viewer-facts.ts'

const WHAT: Readonly<Record<number, SeenObject['what']>> = {
  [INDEX.variants]: 'variants',
  [INDEX.slices]: 'slices',
  [INDEX.part]: 'part',
}

/** Null for an object that an invalidation has killed: it is never served again, and only not swept out yet. */
export function seeObject(
  { key, bytes, meta }: ListedObject,
  tiers: SeenObject['tiers'],
  items: readonly string[],
  { edge }: Pick<Answering, 'edge'>,
): SeenObject | null {
  const standing = edge.invalidations.standing(meta)
  if (standing === 'dead') return null
  const now = edge.clock.now()
  const what = WHAT[meta.status] ?? 'object'
  return {
    key,
    place: placeOf(key, meta.distributionId, edge),
    uri: meta.uri,
    what,
    tiers,
    owned: ownsKey(key, edge),
    status: what === 'object' ? meta.status : 0,
    bytes,
    ageSeconds: Math.max(0, Math.floor((now - meta.bornAt) / 1_000)),
    ttlSeconds: Math.floor((meta.freshUntil - now) / 1_000),
    ttlSource: meta.ttlSource,
    standing: standing === 'soft' ? 'softly-invalidated' : now < meta.freshUntil ? 'fresh' : 'stale',
    contentType: meta.contentType,
    etag: meta.etag,
    tags: meta.tags.split(',').slice(1, -1),
    variant: meta.variant,
    asOf: meta.asOf,
    items,
  }
}

/** The place's name is what stands before the distribution in a key (cache/key.ts); a network of one has none there. */
function placeOf(key: string, distributionId: string, { places }: Edge): string {
  const name = key.slice(0, Math.max(0, key.indexOf(`${distributionId} `))).trimEnd()
  return name === '' ? (places.pops[0] as Place).name : name
}

/** What a GET would find; nothing counts as used, nothing is fetched. */
export function findObject(request: ObjectRequest, answering: Answering): FoundObject {
  const { edge, store, disk } = answering
  const place = edge.places.named(request.place ?? '') ?? (edge.places.pops[0] as Place)
  const plan = distributionOf(edge.snapshot, request.host)
  const nothing = {
    distributionId: null,
    behavior: '',
    key: '',
    place: place.name,
    owner: '',
    object: null,
    onDisk: false,
    leadsTo: [],
  }
  if (plan === undefined) return nothing
  const path = plan.rootPath !== '' && request.path === '/' ? plan.rootPath : request.path
  const behavior = behaviorOf(plan, path)
  const found = { ...nothing, distributionId: plan.id, behavior: behavior.pattern }
  if (!behavior.caching) return found
  const raw = ['Host', request.host, ...request.headers]
  const headers = unframedHeaders(raw, request.host)
  // Of a viewer on this host, unless the header of explain says another.
  const { wish } = viewerFacts(headers)
  const viewerAddress = (wish?.direct === true ? wish.viewerAddress : null) ?? '127.0.0.1'
  const location = behavior.locates ? edge.geo.find(viewerAddress) : NOWHERE
  const key = cacheKey(
    place.keyPrefix,
    behavior.key,
    path,
    {
      method: 'GET',
      query: request.query,
      httpVersion: '1.1',
      connection: { scheme: request.scheme },
      headers,
    },
    { viewerAddress, forwardedFor: null, location },
  )
  const see = (at: string): SeenObject | null => {
    const object = store.peek(at)
    if (object === null) return null
    return seeObject(object, disk.mayHave(at) ? ['memory', 'disk'] : ['memory'], [], answering)
  }
  const object = see(key)
  const owner = ownersOf(key, edge.workers)[0]?.worker ?? edge.name
  const onDisk = disk.mayHave(key)
  return {
    ...found,
    key,
    owner,
    object,
    onDisk,
    leadsTo: object?.what === 'variants' ? variantsAt(key, answering, see) : [],
  }
}

function variantsAt(key: string, { store }: Answering, see: (key: string) => SeenObject | null): readonly SeenObject[] {
  const index = store.peek(key)
  if (index === null) return []
  return unpackIndex(index.meta).variants.flatMap(({ variant }) => see(variantKey(key, variant)) ?? [])
}

export function storageSeen({ store, disk, counters, edge }: Answering): StorageSeen {
  const onDisk = disk.stats()
  const count = (at: number): number => counters.get(at)
  return {
    tiers: [
      {
        tier: 'memory',
        state: 'open',
        objects: store.count,
        bytes: store.bytes,
        bytesMax: store.bytesMax,
        hits: null,
        evicted: store.evicted,
      },
      {
        tier: 'disk',
        state: onDisk.state,
        objects: onDisk.objects,
        bytes: onDisk.bytes,
        bytesMax: onDisk.limitBytes,
        hits: count(COUNTER.diskHits),
        evicted: count(COUNTER.diskEvicted),
      },
    ],
    requests: {
      hits: count(COUNTER.hits),
      refreshHits: count(COUNTER.refreshHits),
      misses: count(COUNTER.misses),
      errors: count(COUNTER.errors),
    },
    stored: count(COUNTER.stored),
    invalidations: {
      revision: edge.invalidations.revision,
      patterns: edge.invalidations.patterns,
      bytes: edge.invalidations.bytes,
      hits: count(COUNTER.invalidated),
    },
  }
}
