//! Replication, and the keeper's own way to a node, cut by firewall rules: never two primaries at the endpoint, nothing
//! acknowledged is lost, readers never read what is too old, and no status says more than is so.
import { join } from 'node:path'
import { test } from 'node:test'
import { runInNamespace } from '../../support/network-namespace.ts'

test('nodes cut from each other and from the keeper, in a network of their own', async (t) => {
  await runInNamespace(t, join(import.meta.dirname, '../../support/partition-steps.ts'))
})
