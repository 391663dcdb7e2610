//! Field-level encryption from the call to the origin (spec/cloudfront.md 1.9, 12.3): what AWS's SDK and boto3 write is what
//! comes back, what edges are told follows it, and a form that a viewer sends is read by the holder of the private key alone.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { CloudFront } from '@aws-sdk/client-cloudfront'
import { allDistributions, feedChanges } from '../../../src/control/plan/feed-changes.ts'
import type { DistributionDoc } from '../../../src/domain/distribution.ts'
import { runAwsProgram } from '../../support/api-programs.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'
import { FaultSite, listed } from '../../support/fault-site.ts'
import { decryptField, FORM, PROVIDER_ID } from '../../support/field-encryption.ts'
import {
  addFieldEncryption,
  addProfile,
  encrypting,
  encryptionEntity,
  fieldConfig,
  profileConfig,
} from '../../support/field-encryption-api.ts'
import { addPublicKey, rsaKey } from '../../support/signing-keys.ts'

const ROOT = join(import.meta.dirname, '../../..')

test('configurations and profiles come back as they were written, are replaced, listed and deleted', () =>
  FaultSite.use({}, async ({ client }) => {
    const { key, profile } = await addFieldEncryption(client, 'mine', 'card', 'secret*')
    const second = await addProfile(client, profileConfig('second', encryptionEntity(key.id, 'name')))
    assert.match(profile.id, /^P[A-Z0-9]{13}$/)
    const written = profileConfig('mine', encryptionEntity(key.id, 'card', 'secret*'))
    const got = await client.getFieldLevelEncryptionProfile({ Id: profile.id })
    assert.deepEqual(got.FieldLevelEncryptionProfile?.FieldLevelEncryptionProfileConfig, written)
    assert.ok(got.FieldLevelEncryptionProfile?.LastModifiedTime instanceof Date)
    assert.equal(got.ETag, profile.etag)
    const changed = { ...written, Comment: 'other', EncryptionEntities: { Quantity: 0 } }
    const updated = await client.updateFieldLevelEncryptionProfile({
      ...{ Id: profile.id, IfMatch: profile.etag },
      FieldLevelEncryptionProfileConfig: changed,
    })
    assert.notEqual(updated.ETag, profile.etag)
    const config = await client.getFieldLevelEncryptionProfileConfig({ Id: profile.id })
    assert.deepEqual(config.FieldLevelEncryptionProfileConfig, changed)
    await configs(client, profile.id, second.id)
    const one = (await client.listFieldLevelEncryptionProfiles({ MaxItems: 1 })).FieldLevelEncryptionProfileList
    const rest = await client.listFieldLevelEncryptionProfiles({ Marker: one?.NextMarker as string })
    const listing = [...(one?.Items ?? []), ...(rest.FieldLevelEncryptionProfileList?.Items ?? [])]
    assert.deepEqual(listing.map(({ Id, Name, Comment }) => [Id, Name, Comment]).sort(), [
      ...[
        [profile.id, 'mine', 'other'],
        [second.id, 'second', ''],
      ].sort(),
    ])
    await client.deleteFieldLevelEncryptionProfile({ Id: second.id, IfMatch: second.etag })
    await assert.rejects(client.getFieldLevelEncryptionProfile({ Id: second.id }), {
      name: 'NoSuchFieldLevelEncryptionProfile',
    })
  }))

/** The same of configurations; leaves none that names `second`. */
async function configs(client: CloudFront, first: string, second: string): Promise<void> {
  const written = fieldConfig('everything', first, {
    Comment: 'all blocks',
    QueryArgProfileConfig: {
      ForwardWhenQueryArgProfileIsUnknown: true,
      QueryArgProfiles: listed({ QueryArg: 'second', ProfileId: second }),
    },
  })
  const made = await client.createFieldLevelEncryptionConfig({ FieldLevelEncryptionConfig: written })
  const Id = made.FieldLevelEncryption?.Id as string
  assert.match(Id, /^C[A-Z0-9]{13}$/)
  assert.equal(made.Location, `https://cloudfront.amazonaws.com/2020-05-31/field-level-encryption/${Id}`)
  assert.deepEqual(made.FieldLevelEncryption?.FieldLevelEncryptionConfig, written)
  const got = await client.getFieldLevelEncryption({ Id })
  assert.deepEqual(got.FieldLevelEncryption, made.FieldLevelEncryption)
  assert.equal(got.ETag, made.ETag)
  const bare = { CallerReference: 'everything' }
  const updated = await client.updateFieldLevelEncryptionConfig({
    ...{ Id, IfMatch: made.ETag, FieldLevelEncryptionConfig: bare },
  })
  const config = await client.getFieldLevelEncryptionConfig({ Id })
  assert.deepEqual(config.FieldLevelEncryptionConfig, { ...bare, Comment: '' })
  const { FieldLevelEncryptionList: list } = await client.listFieldLevelEncryptionConfigs({})
  assert.equal(list?.Quantity, 2)
  assert.equal(list?.Items?.find((item) => item.Id === Id)?.Comment, '')
  await client.deleteFieldLevelEncryptionConfig({ Id, IfMatch: updated.ETag })
  await assert.rejects(client.getFieldLevelEncryption({ Id }), { name: 'NoSuchFieldLevelEncryptionConfig' })
}

test('edges are told of a configuration, and again of each change of it and of its profiles', () =>
  FaultSite.use({}, async (site) => {
    const { client, state } = site
    const { key, profile, config } = await addFieldEncryption(client, 'mine', 'card')
    await site.create()
    const { id } = await site.update(encrypting(site.one.config, config.id))
    await site.deploy(id)
    const toldOf = async (change: () => Promise<unknown>): Promise<(DistributionDoc | null)[]> => {
      const from = await state.revision()
      await change()
      const news = await feedChanges(state, (await state.changesSince(from)) ?? [], from)
      return news.flatMap((one) => (one.kind === 'distribution' ? [one.distribution] : []))
    }
    const doc = async () =>
      (await allDistributions(state)).docs.find((one) => one.id === id)?.behaviors[0]?.fieldEncryption
    const name = (await client.getPublicKey({ Id: key.id })).PublicKey?.PublicKeyConfig?.Name
    const told = (patterns: string[]) => ({
      ...{ id: config.id, forwardsUnknownType: false, queryArgs: null },
      contentTypes: [
        {
          contentType: FORM,
          profile: {
            ...{ id: profile.id, name: 'mine' },
            entities: [{ providerId: PROVIDER_ID, keyName: name, publicKey: rsaKey().publicKey, patterns }],
          },
        },
      ],
    })
    assert.deepEqual(await doc(), told(['card']))
    const [changed] = await toldOf(() =>
      client.updateFieldLevelEncryptionProfile({
        ...{ Id: profile.id, IfMatch: profile.etag },
        FieldLevelEncryptionProfileConfig: profileConfig('mine', encryptionEntity(key.id, 'card', 'name')),
      }),
    )
    assert.deepEqual([changed?.id, changed?.behaviors[0]?.fieldEncryption], [id, told(['card', 'name'])])
    assert.equal((await client.getDistribution({ Id: id })).Distribution?.Status, 'InProgress')
    const again = await toldOf(() =>
      client.updateFieldLevelEncryptionConfig({
        ...{ Id: config.id, IfMatch: config.etag },
        FieldLevelEncryptionConfig: { CallerReference: 'mine' },
      }),
    )
    assert.deepEqual(
      again.map((one) => [one?.id, one?.behaviors[0]?.fieldEncryption?.contentTypes]),
      [[id, []]],
    )
    // What nobody names is told to nobody.
    const spare = await addFieldEncryption(client, 'spare', 'card')
    const none = await toldOf(() =>
      client.deleteFieldLevelEncryptionConfig({ Id: spare.config.id, IfMatch: spare.config.etag }),
    )
    assert.deepEqual(none, [])
  }))

const BOTO3 = `
import boto3, json, os, sys
client = boto3.client('cloudfront', endpoint_url=os.environ['ENDPOINT'])
key = client.create_public_key(PublicKeyConfig={'CallerReference': 'b', 'Name': 'payments', 'EncodedKey': sys.argv[1]})
entity = {'PublicKeyId': key['PublicKey']['Id'], 'ProviderId': '${PROVIDER_ID}',
          'FieldPatterns': {'Quantity': 1, 'Items': ['card*']}}
profile = client.create_field_level_encryption_profile(FieldLevelEncryptionProfileConfig={
    'Name': 'boto', 'CallerReference': 'b', 'EncryptionEntities': {'Quantity': 1, 'Items': [entity]}})
profile_id = profile['FieldLevelEncryptionProfile']['Id']
types = {'ForwardWhenContentTypeIsUnknown': False, 'ContentTypeProfiles': {'Quantity': 1, 'Items': [
    {'Format': 'URLEncoded', 'ContentType': '${FORM}', 'ProfileId': profile_id}]}}
made = client.create_field_level_encryption_config(FieldLevelEncryptionConfig={
    'CallerReference': 'b', 'ContentTypeProfileConfig': types})
id = made['FieldLevelEncryption']['Id']
got = client.get_field_level_encryption_config(Id=id)
got['FieldLevelEncryptionConfig']['Comment'] = 'by boto3'
client.update_field_level_encryption_config(
    Id=id, IfMatch=got['ETag'], FieldLevelEncryptionConfig=got['FieldLevelEncryptionConfig'])
items = client.list_field_level_encryption_configs()['FieldLevelEncryptionList']['Items']
try:
    client.delete_field_level_encryption_profile(Id=profile_id, IfMatch=profile['ETag'])
except client.exceptions.FieldLevelEncryptionProfileInUse as error:
    code = error.response['ResponseMetadata']['HTTPStatusCode']
print(json.dumps({'id': id, 'comments': [i['Comment'] for i in items], 'code': code}))
`

test('boto3 sets it up; a form over HTTPS reaches the origin encrypted, and the decryptor of docs/ reads it', (t) =>
  FaultSite.use({}, async (site) => {
    const { publicKey, privateKey } = rsaKey()
    const endpoint = await site.client.config.endpoint?.()
    const url = `http://${endpoint?.hostname}:${endpoint?.port}`
    const ended = await runAwsProgram('/usr/bin/python3', ['-c', BOTO3, publicKey], url)
    assert.equal(ended.code, 0, ended.stderr)
    const { id, ...rest } = JSON.parse(ended.stdout)
    assert.deepEqual(rest, { comments: ['by boto3'], code: 409 })
    const made = await site.update(encrypting(site.one.config, id))
    const doc = (await allDistributions(site.state)).docs.find((one) => one.id === made.id) as DistributionDoc
    // Its origin is asked over HTTPS: another distribution of the edge, whose own origin is on this host.
    const origin = await startOrigin((asked, response) => response.end(asked.method))
    t.after(() => origin.close())
    const behind = distributionDoc(origin.port, {
      ...{ id: 'EBEHIND', domainName: 'dbehind.cloudfront.localhost' },
      behaviors: [behaviorDoc({ allowedMethods: doc.behaviors[0]?.allowedMethods as string[] })],
    })
    const origins = doc.origins.map((one) => ({ ...one, domainName: behind.domainName }))
    const edge = await EdgeScenario.start(t, [{ ...doc, origins }, behind])
    const asks = { host: doc.domainName, method: 'POST', headers: { 'content-type': FORM }, body: 'a=1&card_no=4111' }
    assert.equal((await edge.get('/pay', asks)).status, 403, 'plain HTTP')
    assert.equal((await edge.get('/pay', { ...asks, trust: await edge.trust() })).status, 200)
    const form = new URLSearchParams(origin.asked[0]?.body)
    assert.equal(form.get('a'), '1')
    const value = form.get('card_no') as string
    // The example of the page, as it stands there.
    const page = await readFile(join(ROOT, 'docs/field-level-encryption.md'), 'utf8')
    const example = /```js\n(.*?)```/s.exec(page)?.[1] as string
    const script = join(ROOT, 'node_modules', `.decrypt-example-${process.pid}.mjs`)
    const keyFile = join(edge.directory, 'private_key.pem')
    await writeFile(keyFile, privateKey, { mode: 0o600 })
    await writeFile(script, example)
    t.after(() => rm(script, { force: true }))
    const read = await promisify(execFile)(process.execPath, [script, keyFile, PROVIDER_ID, 'payments', value])
    assert.equal(read.stdout, '4111\n')
    await assert.rejects(decryptField(value, { privateKey }), 'the key has another name')
    assert.ok((await addPublicKey(site.client, publicKey)).id)
  }))
