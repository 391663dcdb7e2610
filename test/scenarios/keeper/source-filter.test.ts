//! Security groups and subnets hold clients to the networks that the operator defined, at every address of a cache.
import { join } from 'node:path'
import { test } from 'node:test'
import { runInNamespace } from '../../support/network-namespace.ts'

test('clients are told by where they come from, in a network of their own', async (t) => {
  await runInNamespace(t, join(import.meta.dirname, '../../support/source-filter-steps.ts'))
})
