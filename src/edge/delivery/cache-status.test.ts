import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDictionary } from '../../http/rfc-dictionary.ts'
import { cacheStatus, type Told } from './cache-status.ts'

const NOW = 1_000_000
const TOLD: Told = {
  result: 'Miss',
  tier: 'origin',
  missReason: 'absent',
  staleReason: null,
  notStored: null,
  cacheable: true,
  indexKey: '',
  askedAt: NOW,
  stale: null,
  flight: { status: 200 },
}

const ROWS: readonly (readonly [told: Partial<Told>, says: string])[] = [
  [{ result: 'Hit', tier: 'memory', missReason: null }, 'hit; ttl=60'],
  [{ result: 'Hit', tier: 'owner' }, 'hit; ttl=60'],
  [{ result: 'Hit', tier: 'memory', staleReason: 'stale-while-revalidate' }, 'hit; ttl=60; detail=stale-while-revalidate'],
  [{ result: 'Hit', tier: 'memory', missReason: 'expired', staleReason: 'origin-failed' }, 'hit; detail=origin-failed'],
  [{ result: 'Error', tier: 'memory', missReason: null }, 'hit; ttl=60'],
  [{ result: 'Error', flight: { status: 404 } }, 'fwd=uri-miss; fwd-status=404; stored; ttl=60'],
  [{}, 'fwd=uri-miss; fwd-status=200; stored; ttl=60'],
  [{ notStored: 'private' }, 'fwd=uri-miss; fwd-status=200'],
  [{ indexKey: 'k' }, 'fwd=miss; fwd-status=200; stored; ttl=60'],
  [{ result: 'Hit', tier: 'collapsed' }, 'fwd=uri-miss; collapsed; ttl=60'],
  [{ result: 'RefreshHit', missReason: 'expired', stale: { freshUntil: NOW - 1 }, flight: { status: 304 } }, 'fwd=stale; fwd-status=304; stored; ttl=60'],
  [{ missReason: 'expired', stale: { freshUntil: NOW + 1 } }, 'fwd=request; fwd-status=200; stored; ttl=60'],
  [{ missReason: 'request-no-store', cacheable: false, notStored: 'request-no-store' }, 'fwd=request; fwd-status=200'],
  [{ missReason: 'method-not-cached', cacheable: false, notStored: 'method-not-cached' }, 'fwd=method; fwd-status=200'],
  [{ tier: 'owner', flight: null }, 'fwd=uri-miss; stored; ttl=60'],
] // biome-ignore format: a table

for (const [told, says] of ROWS) {
  test(`Cache-Status: ${says}`, () => {
    const line = cacheStatus({ ...TOLD, ...told }, 'FRA50-C1', NOW, NOW + 60_000)
    assert.equal(line, `FRA50-C1; ${says}`)
    // Parameters of a structured field.
    assert.ok(parseDictionary([`a;${says.replaceAll('; ', ';')}`]))
  })
}
