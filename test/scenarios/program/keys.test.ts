//! Access keys of the real program, listening beyond loopback: the first key before the first start, keys made by a running
//! installation, explain for admins, the audit log; and no secret is anywhere but with whoever made the key.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { CloudFront } from '@aws-sdk/client-cloudfront'
import type { NewSecret } from '../../../src/services/cachefront/access-keys.ts'
import {
  cachefrontWithin,
  endAll,
  type Installation,
  newHome,
  processesOf,
  up,
} from '../../support/program-installation.ts'

let home: string
let running: Installation
let boss: NewSecret
before(async () => {
  home = await newHome()
  boss = JSON.parse((await run(null, 'keys', 'create', '--name', 'boss', '--role', 'admin', '--json')).out)
  running = await up(home, '--api-listen', '0.0.0.0:0')
})
after(async () => assert.deepEqual(await endAll(home), []))

/** A command that signs with this key; without one, with what it takes on loopback. */
function run(key: NewSecret | null, ...args: string[]) {
  const keys = key && { CACHEFRONT_ACCESS_KEY_ID: key.id, CACHEFRONT_SECRET_ACCESS_KEY: key.secretAccessKey }
  return cachefrontWithin(home, keys ?? {}, ...args)
}

test('keys, what they open, explain and the audit log', async () => {
  const stranger = await run(null, 'keys', 'list')
  assert.equal(stranger.code, 1)
  assert.match(stranger.err, /no key with this access key id.*CACHEFRONT_ACCESS_KEY_ID/)

  const made = await run(boss, 'keys', 'create', '--name', 'deploy', '--role', 'invalidator', '--expires', '90d')
  assert.equal(made.code, 0, made.err)
  const [, id = ''] = /access key id +(AKIA\w{16})/.exec(made.out) ?? []
  const [, secretAccessKey = ''] = /secret access key +(\S{40})/.exec(made.out) ?? []
  const credentials = { accessKeyId: id, secretAccessKey }
  const endpoint = running.api.replace('0.0.0.0', '127.0.0.1')
  const client = new CloudFront({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  assert.deepEqual((await client.listDistributions({})).DistributionList?.Quantity, 0)
  await assert.rejects(client.deleteDistribution({ Id: 'E1', IfMatch: 'E' }), { name: 'AccessDenied' })
  client.destroy()

  const explained = await run(boss, 'explain', 'http://nobody.cloudfront.localhost/a')
  assert.match(explained.out, /match-distribution/, explained.err)

  const last = await run(boss, 'keys', 'revoke', 'boss')
  assert.deepEqual([last.code, /the last admin/.test(last.err)], [1, true])
  const audit = await run(null, 'audit', '--json')
  const lines = audit.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ caller, operation, outcome }) => [caller.name, operation, outcome]),
    [
      ['root', 'POST /_cachefront/keys', 'done'],
      ['boss', 'POST /_cachefront/keys', 'done'],
      ['deploy', 'DeleteDistribution', 'AccessDenied'],
      ['boss', 'POST /_cachefront/explain-tokens', 'done'],
      ['boss', 'POST /_cachefront/keys/revoke', 'Conflict'],
    ],
  )
  assert.equal(lines[1].resources.id, id)

  for (const secret of [boss.secretAccessKey, secretAccessKey]) {
    for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      assert.ok(!readFileSync(path).includes(secret), path)
    }
    for (const { pid } of processesOf(home)) {
      for (const name of ['cmdline', 'environ']) assert.ok(!readFileSync(`/proc/${pid}/${name}`).includes(secret), name)
    }
  }
})
