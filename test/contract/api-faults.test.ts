//! Our tables of error codes against the error schemas of the SDK: a client matches on the code, so it must be AWS's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as cloudfront from '@aws-sdk/client-cloudfront'
import * as elasticache from '@aws-sdk/client-elasticache'
import { modelOf } from '../../src/aws/model.ts'
import { CLOUDFRONT_FAULTS } from '../../src/domain/cloudfront-faults.ts'
import { ELASTICACHE_FAULTS } from '../../src/domain/elasticache-faults.ts'

interface FaultTable {
  readonly service: string
  readonly namespace: Readonly<Record<string, unknown>>
  readonly table: Readonly<Record<string, number>>
  /** Codes that the service answers although its model does not list them, each with its source. */
  readonly outside: ReadonlySet<string>
}

const TABLES: readonly FaultTable[] = [
  {
    service: 'cloudfront',
    namespace: cloudfront,
    // The last two are answered before an operation sees the call.
    table: { ...CLOUDFRONT_FAULTS, InconsistentQuantities: 400, MissingBody: 400 },
    outside: new Set(['InvalidationBatchAlreadyExists']), // named in AWS's documents only
  },
  {
    service: 'elasticache',
    namespace: elasticache,
    table: ELASTICACHE_FAULTS,
    outside: new Set(['MissingParameter']), // common to Query services
  },
]

for (const { service, namespace, table, outside } of TABLES) {
  test(`${service}: each code and status is the model's`, () => {
    const { errors } = modelOf(namespace)
    assert.ok(Object.keys(table).length > 0)
    for (const [code, status] of Object.entries(table)) {
      const error = errors.get(code)
      if (outside.has(code)) assert.equal(error, undefined, `${code} is in the model after all`)
      else assert.equal(error?.status, status, code)
    }
  })
}
