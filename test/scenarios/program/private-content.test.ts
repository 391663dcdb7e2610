//! Signed URLs through the whole program: keys and key groups by AWS's SDK, signatures of botocore and of the AWS CLI, a
//! key that is rotated while viewers come, and key pairs of accounts by the command line.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateKeyGroupCommand,
  CreatePublicKeyCommand,
  DeleteKeyGroupCommand,
  GetDistributionCommand,
  GetKeyGroupCommand,
  ListDistributionsByKeyGroupCommand,
  ListDistributionsCommand,
  ListKeyGroupsCommand,
  ListPublicKeysCommand,
  UpdateKeyGroupCommand,
  waitUntilDistributionDeployed,
} from '@aws-sdk/client-cloudfront'
import { getSignedUrl } from '@aws-sdk/cloudfront-signer'
import { startOrigin } from '../../support/edge-origin.ts'
import { listed } from '../../support/fault-site.ts'
import { cachefront } from '../../support/program-installation.ts'
import { rsaKey } from '../../support/signing-keys.ts'
import { startSite } from '../../support/site.ts'

/** Status; the name is not looked up: not every system knows those below localhost. */
const asked = (text: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { host, port, pathname, search } = new URL(text)
    const target = { host: '127.0.0.1', port, path: pathname + search, headers: { host }, agent: false as const }
    get(target, (response) => resolve(response.resume().statusCode ?? 0)).on('error', reject)
  })

const SOON = new Date(Date.now() + 3_600_000).toISOString()

test('keys, key groups and trusted signers; AWS CLI and botocore sign; a key is rotated without a gap', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-signed-'))
  t.after(() => rm(directory, { recursive: true }))
  const origin = await startOrigin(({ url }, response) => response.end(url))
  t.after(() => origin.close())
  const group = { Id: '' }
  const keys: string[] = []
  const site = await startSite(t, origin.port, async (config, client) => {
    for (const name of ['one', 'two']) {
      const PublicKeyConfig = { CallerReference: name, Name: name, EncodedKey: rsaKey(name).publicKey }
      keys.push((await client.send(new CreatePublicKeyCommand({ PublicKeyConfig }))).PublicKey?.Id ?? '')
    }
    const KeyGroupConfig = { Name: 'signers', Items: keys.slice(0, 1) }
    group.Id = (await client.send(new CreateKeyGroupCommand({ KeyGroupConfig }))).KeyGroup?.Id ?? ''
    const trust = {
      TrustedKeyGroups: { Enabled: true, ...listed(group.Id) },
      TrustedSigners: { Enabled: true, ...listed('self') },
    }
    return { ...config, DefaultCacheBehavior: { ...config.DefaultCacheBehavior, ...trust } as never }
  })
  const { client, url: base, running } = site
  const { DistributionList } = await client.send(new ListDistributionsCommand({}))
  const Id = DistributionList?.Items?.[0]?.Id ?? ''
  const deployed = () => waitUntilDistributionDeployed({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { Id })
  const by = (name: string, keyPairId: string, url = `${base}/a/b.jpg`): string =>
    getSignedUrl({ url, keyPairId, privateKey: rsaKey(name).privateKey, dateLessThan: SOON })

  await t.test('what AWS signs is let in, and nothing else', async () => {
    const key = join(directory, 'one.key')
    const pkcs1 = createPrivateKey(rsaKey('one').privateKey).export({ type: 'pkcs1', format: 'pem' })
    await writeFile(key, pkcs1, { mode: 0o600 })
    const program = new URL('../../support/aws-sign.py', import.meta.url).pathname
    const wish = { key, id: keys[0], url: `${base}/a/b.jpg?size=1`, until: '2099-01-01T00:00:00' }
    const printed = execFileSync('/usr/bin/python3', [program], { input: JSON.stringify(wish), encoding: 'utf8' })
    const urls = JSON.parse(printed) as string[]
    assert.equal(urls.length, 3)
    for (const url of urls) {
      assert.equal(await asked(url), 200, url)
      assert.equal(await asked(url.replace('b.jpg', 'c.jpg')), url.includes('Policy=') ? 200 : 403)
      assert.equal(await asked(url.replace('/a/', '/b/')), 403)
    }
    assert.equal(await asked(`${base}/a/b.jpg`), 403)
    assert.equal(await asked(by('two', keys[1] ?? '')), 403, 'a key of no group')
  })

  await t.test('a rotation: both keys, then the new one alone', async () => {
    const shown = await client.send(new GetDistributionCommand({ Id }))
    assert.deepEqual(shown.Distribution?.ActiveTrustedKeyGroups, {
      Enabled: true,
      ...listed({ KeyGroupId: group.Id, KeyPairIds: listed(keys[0]) }),
    })
    const users = await client.send(new ListDistributionsByKeyGroupCommand({ KeyGroupId: group.Id }))
    assert.deepEqual(users.DistributionIdList?.Items, [Id])
    const change = async (...Items: string[]) => {
      const { ETag: IfMatch, KeyGroup } = await client.send(new GetKeyGroupCommand(group))
      const KeyGroupConfig = { ...KeyGroup?.KeyGroupConfig, Name: 'signers', Items }
      await client.send(new UpdateKeyGroupCommand({ ...group, IfMatch, KeyGroupConfig }))
      await deployed()
    }
    const [old, young] = [by('one', keys[0] ?? ''), by('two', keys[1] ?? '')]
    await change(...keys)
    assert.deepEqual([await asked(old), await asked(young)], [200, 200])
    await change(...keys.slice(1))
    assert.deepEqual([await asked(old), await asked(young)], [403, 200])
    const { ETag: IfMatch } = await client.send(new GetKeyGroupCommand(group))
    await assert.rejects(client.send(new DeleteKeyGroupCommand({ ...group, IfMatch })), { name: 'ResourceInUse' })
    const { KeyGroupList } = await client.send(new ListKeyGroupsCommand({}))
    assert.equal(KeyGroupList?.Items?.[0]?.KeyGroup?.Id, group.Id)
    assert.equal((await client.send(new ListPublicKeysCommand({}))).PublicKeyList?.Quantity, 2)
  })

  await t.test('a key pair of the account: entered, trusted, removed', async () => {
    const file = join(directory, 'old.pem')
    await writeFile(file, rsaKey('old', 1_024).publicKey)
    const run = async (...args: string[]) => cachefront(running.home, 'trusted-signers', ...args)
    const ID = 'APKAEIBAERJR2EXAMPLE'
    const pair = {
      signed: getSignedUrl({
        url: `${base}/a/b.jpg`,
        keyPairId: ID,
        privateKey: rsaKey('old', 1_024).privateKey,
        dateLessThan: SOON,
      }),
    }
    assert.equal(await asked(pair.signed), 403)
    assert.match(
      (await run('add', file, '--key-pair-id', ID)).out,
      /APKAEIBAERJR2EXAMPLE signs for the account \d{12}\./,
    )
    await deployed()
    assert.equal(await asked(pair.signed), 200)
    const shown = await client.send(new GetDistributionCommand({ Id }))
    assert.deepEqual(shown.Distribution?.ActiveTrustedSigners, {
      Enabled: true,
      ...listed({ AwsAccountNumber: 'self', KeyPairIds: listed(ID) }),
    })
    assert.match((await run('list')).out, /APKAEIBAERJR2EXAMPLE/)
    await run('remove', ID)
    await deployed()
    assert.equal(await asked(pair.signed), 403)
    await writeFile(file, rsaKey('old', 1_024).privateKey)
    const refused = await run('add', file)
    assert.equal(refused.code, 1)
    assert.match(refused.err, /has a private key/)
  })
})
