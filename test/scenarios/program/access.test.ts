//! Access to caches of the real program, by the AWS CLI, boto3 and redis-cli: AUTH, users, IAM, restricted commands; and no
//! secret of theirs is anywhere but in hashes: not in the home, its logs, or a process's arguments or environment.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ElastiCache, type ReplicationGroup } from '@aws-sdk/client-elasticache'
import { SignatureV4 } from '@smithy/signature-v4'
import { Sha256 } from '../../../src/aws/sigv4.ts'
import { aws, awsJson, runAwsProgram } from '../../support/api-programs.ts'
import { clientOptions } from '../../support/api-server.ts'
import { endAll, groupIs, type Installation, newHome, processesOf, up } from '../../support/program-installation.ts'

const TOKEN = 'known-token-of-the-test-1'
const PASSWORD = 'known-password-of-the-test-2'
const GROUP = ['--replication-group-id', 'shop']

describe('access to caches of the running program', { timeout: 180_000 }, () => {
  let home: string
  let running: Installation
  let elasticache: ElastiCache
  /** Of the group's primary. */
  let address = ''
  before(async () => {
    home = await newHome()
    running = await up(home)
    elasticache = new ElastiCache(clientOptions(running.api))
  })
  after(() => {
    elasticache.destroy()
    return endAll(home)
  })

  const cli = (...args: string[]) => awsJson(running.api, 'elasticache', ...args)

  async function available(): Promise<ReplicationGroup> {
    await groupIs('available', running.api, 'shop')
    const { ReplicationGroups } = await elasticache.describeReplicationGroups({ ReplicationGroupId: 'shop' })
    const group = ReplicationGroups?.[0] ?? assert.fail('there is no group')
    address = group.NodeGroups?.[0]?.PrimaryEndpoint?.Address ?? ''
    return group
  }

  /** What redis-cli prints; the password is in its environment, as its own help advises. */
  async function redisCli(password: string | null, ...args: string[]): Promise<string> {
    const tls = ['--tls', '--cacert', running.authority, '--sni', 'localhost', '-h', address, '--no-auth-warning']
    const env = { PATH: '/usr/bin:/bin', ...(password === null ? {} : { REDISCLI_AUTH: password }) }
    return new Promise((resolve) => {
      execFile('redis-cli', [...tls, ...args], { env }, (_error, stdout, stderr) =>
        resolve(`${stdout}${stderr}`.trim()),
      )
    })
  }

  test('AUTH from the creation on; restricted commands', async () => {
    await cli(
      'create-replication-group',
      ...GROUP,
      ...['--replication-group-description', 'd', '--engine', 'redis', '--cache-node-type', 'cache.t3.micro'],
      ...['--num-cache-clusters', '2', '--transit-encryption-enabled', '--auth-token', TOKEN],
    )
    assert.equal((await available()).AuthTokenEnabled, true)
    assert.match(await redisCli(null, 'PING'), /NOAUTH/)
    assert.equal(await redisCli(TOKEN, 'PING'), 'PONG')
    assert.match(await redisCli(TOKEN, 'CONFIG', 'GET', '*'), /NOPERM/)
    assert.equal(await redisCli(TOKEN, 'ACL', 'WHOAMI'), 'default')
  })

  test('the AWS CLI: from AUTH to users', async () => {
    const gate = ['--user-id', 'gate', '--user-name', 'default', '--access-string', 'off', '--no-password-required']
    await cli('create-user', '--engine', 'redis', ...gate)
    const ann = ['--user-id', 'ann', '--user-name', 'ann', '--access-string', 'on ~* +@all', '--passwords', PASSWORD]
    const made = await cli('create-user', '--engine', 'redis', ...ann)
    assert.deepEqual(made.Authentication, { Type: 'password', PasswordCount: 1 })
    await cli('create-user-group', '--user-group-id', 'staff', '--engine', 'redis', '--user-ids', 'gate', 'ann')
    const change = ['--user-group-ids-to-add', 'staff', '--auth-token-update-strategy', 'DELETE', '--apply-immediately']
    for (;;) {
      const { UserGroups } = await elasticache.describeUserGroups({ UserGroupId: 'staff' })
      if (UserGroups?.[0]?.Status === 'active') break
      await sleep(50)
    }
    await cli('modify-replication-group', ...GROUP, ...change)
    assert.deepEqual((await available()).UserGroupIds, ['staff'])
    assert.match(await redisCli(TOKEN, 'PING'), /NOAUTH/)
    assert.equal(await redisCli(PASSWORD, '--user', 'ann', 'ACL', 'WHOAMI'), 'ann')
  })

  test('boto3: a user with IAM in the group, and its token', async () => {
    const ended = await runAwsProgram('/usr/bin/python3', ['-c', BOTO3], running.api)
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(JSON.parse(ended.stdout), {
      type: { Type: 'iam' },
      members: ['ann', 'gate', 'robot'],
      restricted: 'InvalidParameterValue',
    })
    await available()
    assert.equal(await redisCli(await iamToken('robot'), '--user', 'robot', 'ACL', 'WHOAMI'), 'robot')
    assert.match(await redisCli(await iamToken('ann'), '--user', 'robot', 'ACL', 'WHOAMI'), /WRONGPASS/)
  })

  test('a wrong token is in no error of the API', async () => {
    const words = ['--auth-token', `${PASSWORD}%`, '--apply-immediately']
    const { stderr } = await aws(running.api, 'elasticache', 'modify-replication-group', ...GROUP, ...words)
    assert.match(stderr, /InvalidParameterValue/)
    assert.ok(!stderr.includes(PASSWORD))
  })

  test('no secret is in the home, its logs, or what a process was started with', () => {
    let files = 0
    for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      files++
      const path = join(entry.parentPath, entry.name)
      const bytes = readFileSync(path)
      for (const secret of [TOKEN, PASSWORD]) assert.ok(!bytes.includes(secret), `${secret} is in ${path}`)
    }
    assert.ok(files > 5, `${files} files were looked at`)
    const processes = processesOf(home)
    assert.ok(processes.length > 3)
    for (const { pid } of processes) {
      for (const name of ['cmdline', 'environ']) {
        const text = readFileSync(`/proc/${pid}/${name}`)
        for (const secret of [TOKEN, PASSWORD]) assert.ok(!text.includes(secret), `${name} of process ${pid}`)
      }
    }
  })
})

/** By any key: this installation has none, so only form, time, cache and user are looked at (docs/access.md). */
async function iamToken(user: string): Promise<string> {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'of-nobody' }
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service: 'elasticache', sha256: Sha256 })
  const query = { Action: 'connect', User: user }
  const url = { method: 'GET', protocol: 'http:', hostname: 'shop', path: '/', query, headers: { host: 'shop' } }
  const signed = await signer.presign(url, { expiresIn: 900 })
  return `shop/?${new URLSearchParams(signed.query as Record<string, string>)}`
}

const BOTO3 = `
import boto3, json, os, time
ec, out = boto3.client('elasticache', endpoint_url=os.environ['ENDPOINT']), {}
made = ec.create_user(UserId='robot', UserName='robot', Engine='redis', AccessString='on ~* +@all',
    AuthenticationMode={'Type': 'iam'})
out['type'] = made['Authentication']
ec.modify_user_group(UserGroupId='staff', UserIdsToAdd=['robot'])
group = lambda: ec.describe_user_groups(UserGroupId='staff')['UserGroups'][0]
while group()['Status'] != 'active': time.sleep(0.1)
out['members'] = sorted(group()['UserIds'])
try:
    ec.create_user(UserId='x', UserName='x', Engine='redis', AccessString='on +config', NoPasswordRequired=True)
except ec.exceptions.InvalidParameterValueException as error:
    out['restricted'] = error.response['Error']['Code']
print(json.dumps(out))
`
