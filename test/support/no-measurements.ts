//! For tests of an installation without caches.
import type { CacheMeasurements } from '../../src/domain/metrics/series.ts'
import type { ClientsSource } from '../../src/services/cachefront/cache-clients-route.ts'

export const NO_MEASUREMENTS: CacheMeasurements = { refresh: async () => {}, nodes: () => [] }

export const NO_KEEPER: ClientsSource = { seen: () => null, ask: () => Promise.reject(new Error('there is no keeper')) }
