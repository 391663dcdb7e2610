//! Faults of continuous deployment (spec 1.5, 2.7, 15).
import type { FaultRow } from '../../support/fault-site.ts'

export const DEPLOYMENT_ROWS: readonly FaultRow[] = []
