//! The rows of all parts.
import type { FaultRow } from '../../support/fault-site.ts'
import { DEPLOYMENT_ROWS } from './deployment-rows.ts'
import { DISTRIBUTION_ROWS } from './distribution-rows.ts'
import { FIELD_ENCRYPTION_ROWS } from './field-encryption-rows.ts'
import { FORWARDED_VALUES_ROWS } from './forwarded-values-rows.ts'
import { HEADERS_POLICY_ROWS } from './headers-policy-rows.ts'
import { INVALIDATION_ROWS } from './invalidation-rows.ts'
import { ORIGIN_ACCESS_ROWS } from './origin-access-rows.ts'
import { ORIGIN_ROWS } from './origin-rows.ts'
import { POLICY_ROWS } from './policy-rows.ts'
import { SIGNING_ROWS } from './signing-rows.ts'
import { TRUST_STORE_ROWS } from './trust-store-rows.ts'

export const FAULT_ROWS: readonly FaultRow[] = [
  ...DEPLOYMENT_ROWS,
  ...DISTRIBUTION_ROWS,
  ...FIELD_ENCRYPTION_ROWS,
  ...FORWARDED_VALUES_ROWS,
  ...HEADERS_POLICY_ROWS,
  ...INVALIDATION_ROWS,
  ...ORIGIN_ACCESS_ROWS,
  ...ORIGIN_ROWS,
  ...POLICY_ROWS,
  ...SIGNING_ROWS,
  ...TRUST_STORE_ROWS,
]
