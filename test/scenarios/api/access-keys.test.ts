//! Access keys through the front door with the real SDK: roles, rotation, expiry, revocation, the audit log, a call that is
//! sent again, wrong keys in a row.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ACM } from '@aws-sdk/client-acm'
import { CloudFront } from '@aws-sdk/client-cloudfront'
import { ElastiCache } from '@aws-sdk/client-elasticache'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { Hash } from '@smithy/core/serde'
import { SignatureV4 } from '@smithy/signature-v4'
import { localCall } from '../../../src/cli/local-call.ts'
import { ACM_OPERATIONS } from '../../../src/services/acm/operations.ts'
import { CLOUDFRONT_OPERATIONS } from '../../../src/services/cloudfront/operations.ts'
import { startDoor, type TestDoor } from '../../support/api-door.ts'
import { send } from '../../support/api-http.ts'
import { runAwsProgram } from '../../support/api-programs.ts'
import { clientOptions } from '../../support/api-server.ts'

type Keys = Awaited<ReturnType<TestDoor['keyOf']>>

let made = 0
let door: TestDoor
let admin: Keys
let operator: Keys
let invalidator: Keys
let reader: Keys
before(async () => {
  door = await startDoor({
    services: {
      acm: ACM_OPERATIONS,
      cloudfront: {
        ...CLOUDFRONT_OPERATIONS,
        async CreateInvalidation({ DistributionId }: { DistributionId: string }) {
          made++
          const batch = { CallerReference: 'r', Paths: { Quantity: 1, Items: ['/*'] } }
          return {
            Location: 'x',
            Invalidation: {
              Id: `I${made}${DistributionId}`,
              Status: 'InProgress',
              CreateTime: new Date(0),
              InvalidationBatch: batch,
            },
          }
        },
      },
      elasticache: {
        async CreateUser(input: object) {
          return { ...input, Authentication: undefined, UserGroupIds: [] }
        },
      },
    },
  })
  admin = await door.keyOf('admin')
  operator = await door.keyOf('operator')
  invalidator = await door.keyOf('invalidator')
  reader = await door.keyOf('read-only')
})
after(() => door.end())

const cloudfront = (keys: Keys) => new CloudFront(clientOptions(door.url, keys))
const local = (keys: Keys, path: string, body?: unknown) =>
  localCall({ endpoint: door.url, credentials: keys }, path, body)

async function whoAmI(keys: Keys): Promise<string> {
  const client = new STSClient(clientOptions(door.url, keys))
  return client.send(new GetCallerIdentityCommand({})).then(
    ({ Arn, UserId }) => `${UserId} ${Arn}`,
    (error: Error) => error.name,
  )
}

/** What became of a call: `ok`, or the error's name. */
const came = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: Error) => error.name,
  )

const batch = (CallerReference: string) => ({
  DistributionId: 'E1',
  InvalidationBatch: { CallerReference, Paths: { Quantity: 1, Items: ['/*'] } },
})
const IDENTITY = { Comment: 'x', CallerReference: 'x' }

test('each role may do what its row says, and is told what it may not', async () => {
  for (const [keys, invalidate, list, policies, create] of [
    [admin, 'ok', 'ok', 'ok', 'ok'],
    [operator, 'ok', 'ok', 'ok', 'ok'],
    [invalidator, 'ok', 'ok', 'AccessDenied', 'AccessDenied'],
    [reader, 'AccessDenied', 'ok', 'ok', 'AccessDenied'],
  ] as const) {
    const client = cloudfront(keys)
    const name = keys.accessKeyId
    assert.equal(await came(client.createInvalidation(batch(name))), invalidate)
    assert.equal(await came(client.listDistributions({})), list)
    assert.equal(await came(client.listCachePolicies({})), policies)
    const config = { ...IDENTITY, CallerReference: name }
    const call = client.createCloudFrontOriginAccessIdentity({ CloudFrontOriginAccessIdentityConfig: config })
    assert.equal(await came(call), create)
    assert.match(await whoAmI(keys), new RegExp(`^${name} arn:aws:iam::123456789012:user/`))
    assert.equal((await local(keys, '/_cachefront/keys')).status, keys === admin ? 200 : 403)
    client.destroy()
  }
  const denied = cloudfront(reader).createInvalidation(batch('y'))
  await assert.rejects(denied, (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
    assert.match(
      error.message,
      /read-only.* has the role read-only.*cloudfront CreateInvalidation.*admin, operator or invalidator/,
    )
    assert.equal(error.$metadata?.httpStatusCode, 403)
    return true
  })
  // Services that speak JSON have their own name for it; a private key leaves for admins alone.
  const acm = (keys: Keys) => new ACM(clientOptions(door.url, keys))
  const key = { CertificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/x', Passphrase: Buffer.from('abcd') }
  assert.equal(await came(acm(reader).listCertificates({})), 'ok')
  assert.equal(await came(acm(operator).exportCertificate(key)), 'AccessDeniedException')
  assert.notEqual(await came(acm(admin).exportCertificate(key)), 'AccessDeniedException')
})

test('a key rotates without a gap, expires, and is gone when it is revoked', async () => {
  const created = await local(admin, '/_cachefront/keys', {
    name: 'turning',
    role: 'read-only',
    expiresInMs: 3_600_000,
  })
  assert.equal(created.status, 201)
  const first = created.document as { id: string; secretAccessKey: string }
  assert.match(first.id, /^AKIA[A-Z2-7]{16}$/)
  assert.equal(first.secretAccessKey.length, 40)
  const withSecret = ({ secretAccessKey }: { secretAccessKey: string }) => ({ accessKeyId: first.id, secretAccessKey })
  const rotate = async (overlapMs: number) =>
    (await local(admin, '/_cachefront/keys/rotate', { key: 'turning', overlapMs })).document as typeof first
  const second = await rotate(60_000)
  assert.match(await whoAmI(withSecret(first)), /user\/turning$/)
  assert.match(await whoAmI(withSecret(second)), /user\/turning$/)
  door.forward(60_000)
  assert.equal(await whoAmI(withSecret(first)), 'SignatureDoesNotMatch')
  assert.match(await whoAmI(withSecret(second)), /user\/turning$/)
  const third = await rotate(0)
  assert.equal(await whoAmI(withSecret(second)), 'SignatureDoesNotMatch')
  assert.match(await whoAmI(withSecret(third)), /user\/turning$/)
  const { keys } = (await local(admin, '/_cachefront/keys')).document as {
    keys: { name: string; lastUsedAt: string }[]
  }
  assert.ok(keys.find(({ name }) => name === 'turning')?.lastUsedAt, 'its use is noted')
  assert.ok(!JSON.stringify(keys).includes('wrapped'))
  door.forward(3_600_000)
  assert.equal(await whoAmI(withSecret(third)), 'InvalidClientTokenId', 'it has expired')
  door.forward(-3_600_000)
  assert.equal((await local(admin, '/_cachefront/keys/revoke', { key: first.id })).status, 200)
  assert.equal(await whoAmI(withSecret(third)), 'InvalidClientTokenId')
  for (const [path, body, status] of [
    ['/_cachefront/keys/revoke', { key: 'turning' }, 404],
    ['/_cachefront/keys', { name: 'admin', role: 'admin' }, 409],
    ['/_cachefront/keys', { name: 'root', role: 'admin' }, 400],
    ['/_cachefront/keys', { name: 'a b', role: 'admin' }, 400],
    ['/_cachefront/keys', { name: 'x', role: 'owner' }, 400],
    ['/_cachefront/keys', { name: 'x', role: 'admin', expiresInMs: 0 }, 400],
    ['/_cachefront/keys/rotate', { key: 'admin', overlapMs: -1 }, 400],
  ] as const) {
    assert.equal((await local(admin, path, body)).status, status, JSON.stringify(body))
  }
})

test('the last admin stays', async () => {
  const other = await startDoor()
  try {
    await assert.rejects(other.keys.revoke('first'), { code: 'Conflict' })
    await other.keyOf('admin', 'second')
    await other.keys.revoke('first')
    await assert.rejects(other.keys.revoke('second'), /the last admin/)
  } finally {
    await other.end()
  }
})

describe('the audit log', () => {
  test('has every change with its caller, its resources and its outcome, and no secret', async () => {
    const client = new ElastiCache(clientOptions(door.url, operator))
    const password = 'a-password-of-16-x'
    await client.createUser({
      UserId: 'ann',
      UserName: 'ann',
      Engine: 'redis',
      AccessString: 'on',
      Passwords: [password],
    })
    client.destroy()
    await came(cloudfront(reader).deleteDistribution({ Id: 'E9', IfMatch: 'E' }))
    await came(cloudfront(operator).deleteDistribution({ Id: 'E9', IfMatch: 'E' }))
    await local(admin, '/_cachefront/keys', { name: 'audited', role: 'operator' })
    const lines = door.audited()
    const of = (operation: string) => {
      const change = lines.findLast((line) => line.operation === operation && line.event === 'change')
      const outcome = lines.find(({ event, requestId }) => event === 'outcome' && requestId === change?.requestId)
      return [change?.caller?.name, change?.resources, outcome?.status, outcome?.code]
    }
    assert.deepEqual(of('CreateUser'), ['operator', { UserId: 'ann', UserName: 'ann' }, 200, null])
    assert.deepEqual(of('DeleteDistribution'), ['operator', { Id: 'E9' }, 404, 'NoSuchDistribution'])
    assert.deepEqual(of('POST /_cachefront/keys'), ['admin', { name: 'audited', role: 'operator' }, 201, null])
    const denied = lines.find(({ event, caller }) => event === 'denied' && caller?.name === 'read-only')
    assert.equal(denied?.code, 'AccessDenied')
    assert.ok(!lines.some(({ operation }) => /^(?:Get|List|Describe)/.test(operation ?? '')), 'reads are not in it')
    assert.equal(statSync(join(door.directory, 'audit.log')).mode & 0o777, 0o600)
    const secrets = [password, admin.secretAccessKey, operator.secretAccessKey, reader.secretAccessKey]
    const everything = door.rawLog.join('\n') + filesOf(door.directory)
    for (const secret of secrets) assert.ok(!everything.includes(secret), 'no secret in log, audit log or state')
  })

  test('that cannot be written lets nothing be changed', async () => {
    const file = join(door.directory, 'audit.log')
    const before = made
    renameSync(file, `${file}.away`)
    mkdirSync(file)
    try {
      const client = cloudfront(operator)
      await assert.rejects(client.createInvalidation(batch('unaudited')), { name: 'ServiceUnavailable' })
      assert.equal(await came(client.listDistributions({})), 'ok', 'reads go on')
      assert.equal(made, before)
      assert.match(door.metrics.text(), /cachefront_api_audit_failures_total 1/)
    } finally {
      rmdirSync(file)
      renameSync(`${file}.away`, file)
    }
    assert.equal(await came(cloudfront(operator).createInvalidation(batch('audited again'))), 'ok')
    assert.equal(door.audited().at(-1)?.status, 201)
  })
})

const filesOf = (directory: string): string =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')

describe('the same bytes again', () => {
  const body =
    '<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><CallerReference>r</CallerReference>' +
    '<Paths><Quantity>1</Quantity><Items><Path>/*</Path></Items></Paths></InvalidationBatch>'
  const path = '/2020-05-31/distribution/E1/invalidation'

  async function sign(
    service: string,
    asked: { path: string; body: string; type: string; method?: string },
    keys = operator,
  ) {
    const signer = new SignatureV4({
      ...{ credentials: keys, region: 'us-east-1', service, applyChecksum: false },
      sha256: Hash.bind(null, 'sha256') as never,
    })
    const { headers } = await signer.sign({
      ...{
        method: asked.method ?? 'POST',
        protocol: 'http:',
        hostname: '127.0.0.1',
        path: asked.path,
        body: asked.body,
      },
      headers: { Host: `127.0.0.1:${door.port}`, 'Content-Type': asked.type },
    })
    return { method: asked.method ?? 'POST', path: asked.path, body: asked.body, headers }
  }

  test('a change is made once, and answered as it was, at the same time and later', async () => {
    const sent = await sign('cloudfront', { path, body, type: 'text/xml' })
    const before = made
    const answers = await Promise.all([1, 2, 3].map(() => send(door.port, sent)))
    answers.push(await send(door.port, sent))
    assert.equal(made, before + 1)
    assert.equal(new Set(answers.map((answer) => `${answer.status} ${answer.body}`)).size, 1)
    assert.equal(answers[0]!.status, 201)
    const again = answers.filter(({ headers }) => headers['x-cachefront-replayed'] === 'true')
    assert.equal(again.length, 3)
    assert.ok(door.log.some((line) => (line as { replayed?: boolean }).replayed === true))
  })

  test('what failed may be tried again, a secret is not told twice, and a read is just read', async () => {
    const nowhere = { path: '/2020-05-31/distribution/E404', body: '', type: 'text/xml', method: 'DELETE' }
    const sent = await sign('cloudfront', nowhere)
    for (let n = 0; n < 2; n++) {
      const answer = await send(door.port, sent)
      assert.equal(answer.headers['x-cachefront-replayed'], undefined)
      assert.ok(answer.status >= 400, answer.body)
    }
    const secret = await sign(
      'cachefront',
      { path: '/_cachefront/keys', body: '{"name":"twice","role":"read-only"}', type: 'application/json' },
      admin,
    )
    assert.equal((await send(door.port, secret)).status, 201)
    for (let n = 0; n < 3; n++) {
      const again = await send(door.port, secret)
      assert.deepEqual([again.status, again.code, again.body.includes('secretAccessKey')], [409, 'Conflict', false])
      assert.match(again.body, /signature was answered already/)
    }
    const read = await sign('cachefront', { path: '/_cachefront/keys', body: '', type: 'x', method: 'GET' }, admin)
    for (let n = 0; n < 2; n++) assert.equal((await send(door.port, { ...read, body: undefined as never })).status, 200)
  })
})

test('wrong keys in a row are held up, right ones are not, and the log says so', async () => {
  const waits: number[] = []
  const slow = await startDoor({ wait: async (ms) => void waits.push(ms) })
  try {
    const right = await slow.keyOf('read-only')
    const wrong = { ...right, secretAccessKey: 'not this one' }
    const ask = async (keys: Keys) => {
      const client = new STSClient(clientOptions(slow.url, keys))
      return came(client.send(new GetCallerIdentityCommand({})))
    }
    for (let n = 0; n < 14; n++) assert.equal(await ask(wrong), 'SignatureDoesNotMatch')
    assert.deepEqual(waits, [50, 100, 200, 400])
    assert.equal(await ask(right), 'ok')
    assert.equal(slow.rawLog.filter((line) => line.includes('"api-wrong-keys"')).length, 1)
    assert.match(slow.metrics.text(), /authentication_failures_total\{reason="mismatch"\} 14/)
  } finally {
    await slow.end()
  }
})

test('on loopback unknown keys are taken at their word, known ones are verified; --require-keys ends that', async () => {
  for (const requireKeys of [false, true]) {
    const near = await startDoor({ near: true, requireKeys })
    try {
      const right = await near.keyOf('read-only')
      const ask = async (keys: Keys) => {
        const client = new STSClient(clientOptions(near.url, keys))
        return client.send(new GetCallerIdentityCommand({})).then(
          ({ Arn }) => Arn?.split(':').at(-1),
          (error: Error) => error.name,
        )
      }
      const stranger = { accessKeyId: 'AKIDSTRANGER', secretAccessKey: 'x' }
      assert.equal(await ask(right), 'user/read-only')
      assert.equal(await ask({ ...right, secretAccessKey: 'x' }), 'SignatureDoesNotMatch')
      assert.equal(await ask(stranger), requireKeys ? 'InvalidClientTokenId' : 'root')
      const create = (keys: Keys) => came(new CloudFront(clientOptions(near.url, keys)).createInvalidation(batch('x')))
      assert.equal(await create(right), 'AccessDenied')
      const unsigned = await send(near.port, { path: '/_cachefront/keys' })
      assert.equal(unsigned.status, requireKeys ? 403 : 200)
    } finally {
      await near.end()
    }
  }
})

test('a key file that is not there, or that others may read, opens nothing and says so', async () => {
  const other = await startDoor()
  try {
    const keys = await other.keyOf('read-only')
    const file = join(other.directory, 'keys', 'access-keys.json')
    chmodSync(file, 0o644)
    const client = new CloudFront(clientOptions(other.url, keys))
    await assert.rejects(client.listDistributions({}), /access-keys\.json can be read by others/)
    chmodSync(file, 0o600)
    assert.equal(await came(client.listDistributions({})), 'NotImplemented', 'and is read when it is right again')
  } finally {
    await other.end()
  }
})

test('the AWS CLI and boto3: their signatures, and what boto3 presigns', async () => {
  const identity = await runAwsProgram(
    '/usr/bin/aws',
    ['--endpoint-url', door.url, 'sts', 'get-caller-identity'],
    door.url,
    reader,
  )
  assert.match(JSON.parse(identity.stdout).Arn, /user\/read-only$/, identity.stderr)
  const ended = await runAwsProgram('/usr/bin/python3', ['-c', BOTO3], door.url, reader)
  assert.equal(ended.code, 0, ended.stderr)
  assert.deepEqual(JSON.parse(ended.stdout), {
    denied: 'AccessDenied',
    session: 'InvalidClientTokenId',
    presigned: [200, 200],
    changed: [403, 'SignatureDoesNotMatch'],
    other: [403, 'SignatureDoesNotMatch'],
    denied_presigned: [403, 'AccessDenied'],
  })
})

const BOTO3 = `
import boto3, botocore, json, os, re, urllib.error, urllib.request
at, out = {'endpoint_url': os.environ['ENDPOINT']}, {}
cf, sts = boto3.client('cloudfront', **at), boto3.client('sts', **at)
batch = {'CallerReference': 'b', 'Paths': {'Quantity': 1, 'Items': ['/*']}}
def code(call, **params):
    try: call(**params)
    except botocore.exceptions.ClientError as error: return error.response['Error']['Code']
def get(url, method='GET'):
    try: return urllib.request.urlopen(urllib.request.Request(url, method=method)).status
    except urllib.error.HTTPError as error: return [error.code, re.search('<Code>(.*?)</Code>', error.read().decode()).group(1)]
out['denied'] = code(cf.create_invalidation, DistributionId='E1', InvalidationBatch=batch)
listing = cf.generate_presigned_url('list_distributions', Params={'MaxItems': '5'}, ExpiresIn=600)
out['presigned'] = [get(listing), get(sts.generate_presigned_url('get_caller_identity', ExpiresIn=600, HttpMethod='GET'))]
out['changed'] = get(listing.replace('MaxItems=5', 'MaxItems=6'))
out['other'] = get(listing.replace('/distribution?', '/cache-policy?'))
out['denied_presigned'] = get(cf.generate_presigned_url('delete_distribution', Params={'Id': 'E1'}, ExpiresIn=600), 'DELETE')
os.environ['AWS_SESSION_TOKEN'] = 't'
out['session'] = code(boto3.Session().client('sts', **at).get_caller_identity)
print(json.dumps(out))
`
