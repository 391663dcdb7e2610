//! For tests of an installation without caches.
import type { CacheMeasurements } from '../../src/domain/metrics/series.ts'

export const NO_MEASUREMENTS: CacheMeasurements = { refresh: async () => {}, nodes: () => [] }
