//! What the edge has cached for one URL, and how full its caches are, on a terminal.
import type { Installation } from '../services/cachefront/installation.ts'
import { drawObject, HEADING, type ObjectLine, tellMissing } from './cached-objects.ts'
import type { CliHost } from './host.ts'
import type { ClientOptions } from './installation-file.ts'
import { findApi, localDocument } from './local-call.ts'
import { drawTable } from './table.ts'

type FoundAtWorkers = Awaited<ReturnType<Installation['object']>>
type Storage = Awaited<ReturnType<Installation['storage']>>

/** Returns the exit code: 1 when a worker did not answer. */
export async function showUrl(
  host: CliHost,
  url: string,
  options: ClientOptions & { readonly header: readonly string[]; readonly pop?: string },
): Promise<number> {
  const query = new URLSearchParams([['url', url], ...options.header.map((line) => ['header', line])])
  if (options.pop !== undefined) query.set('place', options.pop)
  const found = (await localDocument(findApi(host, options), `/_cachefront/object?${query}`)) as FoundAtWorkers
  host.out.print(options.json ? JSON.stringify(found, null, 2) : drawFound(found))
  return tellMissing(host, found.missing)
}

export async function showStats(host: CliHost, options: ClientOptions): Promise<number> {
  const storage = (await localDocument(findApi(host, options), '/_cachefront/storage')) as Storage
  host.out.print(options.json ? JSON.stringify(storage, null, 2) : drawStorage(storage))
  return tellMissing(host, storage.missing)
}

const NOT_CACHED = 'Nothing is cached for it, in memory or on disk.'

function drawFound({ workers }: FoundAtWorkers): string {
  const known = workers.find((one) => one.distributionId !== null)
  if (known === undefined) return 'No distribution answers to this host.'
  const behavior = `distribution ${known.distributionId}, cache behavior ${known.behavior}`
  if (known.key === '') return `${behavior}: it caches nothing.`
  const objects: ObjectLine[] = workers.flatMap(({ worker, object, leadsTo }) =>
    [...(object === null ? [] : [object]), ...leadsTo].map((one) => ({ worker, ...one })),
  )
  const diskOnly = workers.filter(({ object, onDisk }) => object === null && onDisk).map(({ worker }) => worker)
  const details = objects
    .slice(0, 1)
    .map((one) =>
      [`lifetime set by ${one.ttlSource}`, one.contentType, one.etag === '' ? '' : `ETag ${one.etag}`]
        .filter((detail) => detail !== '')
        .join(', '),
    )
  return [
    behavior,
    `key ${JSON.stringify(known.key)}, kept for ${known.place} by ${known.owner}`,
    ...(objects.length === 0 ? [diskOnly.length === 0 ? NOT_CACHED : 'Not in memory.'] : [...details, HEADING]),
    ...objects.map(drawObject),
    ...(diskOnly.length === 0 ? [] : [`On disk alone: ${diskOnly.join(', ')}.`]),
  ].join('\n')
}

function drawStorage({ workers }: Storage): string {
  const tiers = workers.flatMap(({ worker, tiers }) =>
    tiers.map((tier) => [
      worker,
      tier.tier,
      tier.state,
      String(tier.objects),
      String(tier.bytes),
      String(tier.bytesMax),
      tier.hits === null ? '-' : String(tier.hits),
      String(tier.evicted),
    ]),
  )
  const requests = workers.map(({ worker, requests, stored, invalidations }) => [
    worker,
    ...[requests.hits, requests.refreshHits, requests.misses, requests.errors, stored].map(String),
    ...[invalidations.hits, invalidations.patterns, invalidations.bytes].map(String),
  ])
  return [
    drawTable([['WORKER', 'TIER', 'STATE', 'OBJECTS', 'BYTES', 'LIMIT', 'HITS', 'EVICTED'], ...tiers]),
    '',
    drawTable([
      ['WORKER', 'HITS', 'REFRESH HITS', 'MISSES', 'ERRORS', 'STORED', 'INVALIDATED', 'PATTERNS', 'THEIR BYTES'],
      ...requests,
    ]),
  ].join('\n')
}
