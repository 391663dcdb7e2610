//! Ports 80 and 443 in a network of the test's own: started by root and run by another user, IPv4 and IPv6.
import { join } from 'node:path'
import { test } from 'node:test'
import { runInNamespace } from '../../support/network-namespace.ts'

test('ports 80 and 443 by one option, without the rights of root', { timeout: 90_000 }, async (t) => {
  await runInNamespace(t, join(import.meta.dirname, '../../support/standard-ports-steps.ts'))
})
