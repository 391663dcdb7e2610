//! The front door to S3 origins, folders and chains: the running program with an S3 endpoint, driven by the AWS CLI and the
//! SDK. The keys for buckets are where they have to be, and nowhere else.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { CloudFront, type Origin, waitUntilDistributionDeployed } from '@aws-sdk/client-cloudfront'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { awsJson } from '../../support/api-programs.ts'
import { clientOptions } from '../../support/api-server.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import {
  endAll,
  type Installation,
  killed,
  newHome,
  pidOf,
  processesOf,
  upWithin,
} from '../../support/program-installation.ts'
import { S3_KEYS, type S3Server, startS3 } from '../../support/s3-server.ts'

const KEYS = {
  CACHEFRONT_S3_ACCESS_KEY_ID: S3_KEYS.accessKeyId,
  CACHEFRONT_S3_SECRET_ACCESS_KEY: S3_KEYS.secretAccessKey,
}
const SECRET = S3_KEYS.secretAccessKey

/** Every file below a directory but those that a program keeps in a binary form of its own. */
function textsBelow(directory: string): { readonly path: string; readonly text: string }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, text: readFileSync(path, 'latin1') }))
}

describe('origins of the running program', { timeout: 180_000 }, () => {
  let s3: S3Server
  let home: string
  let folder: string
  let running: Installation
  let client: CloudFront
  let names = 0

  const start = (environment: NodeJS.ProcessEnv): Promise<Installation> =>
    upWithin(home, environment, '--s3-endpoint', s3.url, '--folder', `site=${folder}`)

  before(async () => {
    s3 = await startS3([{ name: 'shop' }])
    home = await newHome()
    folder = await mkdtemp(join(tmpdir(), 'cachefront-site-'))
    await writeFile(join(folder, 'index.html'), 'from the folder')
    running = await start(KEYS)
    client = new CloudFront(clientOptions(running.api))
  })
  after(async () => {
    client.destroy()
    assert.deepEqual(await endAll(home), [])
    await s3.close()
    await rm(folder, { recursive: true })
  })

  /** A distribution with that origin, deployed; its host name. */
  async function deployed(origin: Origin): Promise<string> {
    const config = {
      ...oneOrigin(`origins-${++names}`, 80),
      Origins: { Quantity: 1, Items: [{ ...origin, Id: 'origin' }] },
    }
    const made = await client.createDistribution({ DistributionConfig: config })
    const { Id = '', DomainName = '' } = made.Distribution ?? {}
    await waitUntilDistributionDeployed({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { Id })
    return DomainName
  }

  function get(
    host: string,
    path: string,
  ): Promise<{ readonly status: number; readonly body: string; readonly xCache: string }> {
    const [address, port] = running.edge.split(':')
    return new Promise((resolve, reject) => {
      const asked = request({ host: address, port, path, headers: { host }, agent: false }, (response) => {
        let body = ''
        response.on('data', (text: Buffer) => {
          body += text
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, xCache: String(response.headers['x-cache']) }),
        )
      })
      asked.on('error', reject)
      asked.end()
    })
  }

  const custom = { CustomOriginConfig: { HTTPPort: 80, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' } } as const
  let bucketHost = ''

  it('a private bucket by an origin access control that the AWS CLI made', async () => {
    const config = {
      ...{ Name: 'shop', SigningProtocol: 'sigv4', SigningBehavior: 'always', OriginAccessControlOriginType: 's3' },
    }
    const made = await awsJson(
      ...([running.api, 'cloudfront', 'create-origin-access-control'] as const),
      ...['--origin-access-control-config', JSON.stringify(config)],
    )
    const s3Client = new S3Client({
      ...{ region: 'us-east-1', endpoint: s3.url, forcePathStyle: true, credentials: S3_KEYS },
    })
    await s3Client.send(new PutObjectCommand({ Bucket: 'shop', Key: 'hello world.txt', Body: 'from the bucket' }))
    s3Client.destroy()
    bucketHost = await deployed({
      ...{ Id: 'origin', DomainName: 'shop.s3.eu-central-1.amazonaws.com' },
      S3OriginConfig: { OriginAccessIdentity: '' },
      OriginAccessControlId: made.OriginAccessControl.Id,
    })
    const first = await get(bucketHost, '/hello%20world.txt')
    assert.deepEqual([first.status, first.body, first.xCache], [200, 'from the bucket', 'Miss from cloudfront'])
    assert.equal((await get(bucketHost, '/hello%20world.txt')).xCache, 'Hit from cloudfront')
    assert.equal(s3.asked.at(-1)?.signature, 'valid')
    const listed = await awsJson(running.api, 'cloudfront', 'list-origin-access-controls')
    assert.equal(listed.OriginAccessControlList.Items[0].Name, 'shop')
  })

  it('a folder, and the distribution of the folder as the origin of another one', async () => {
    const host = await deployed({ ...custom, Id: 'origin', DomainName: 'site.folder.cachefront' })
    assert.deepEqual(await get(host, '/'), { status: 200, body: 'from the folder', xCache: 'Miss from cloudfront' })
    const outer = await deployed({ ...custom, Id: 'origin', DomainName: host })
    assert.deepEqual(await get(outer, '/'), { status: 200, body: 'from the folder', xCache: 'Miss from cloudfront' })
    assert.equal((await get(outer, '/')).xCache, 'Hit from cloudfront')
    const third = await deployed({ ...custom, Id: 'origin', DomainName: outer })
    assert.equal((await get(third, '/other')).status, 403)
  })

  it('the keys are in their file and in the memory of those who sign', async () => {
    const { mode } = statSync(join(home, 's3-keys.json'))
    assert.equal(mode & 0o777, 0o600)
    for (const { pid, command } of processesOf(home)) {
      assert.ok(!command.includes(SECRET), command)
      if (pid === running.control.pid) continue
      assert.ok(!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(SECRET), command)
    }
    const holders = textsBelow(home).filter(({ text }) => text.includes(SECRET))
    assert.deepEqual(
      holders.map(({ path }) => path),
      [join(home, 's3-keys.json')],
    )
  })

  it('a new control adopts workers with the same keys, and replaces those that have others', async () => {
    const worker = await pidOf(running, 'worker-0')
    await killed(running.control)
    running = await start(KEYS)
    assert.equal(await pidOf(running, 'worker-0'), worker)
    await killed(running.control)
    running = await start({ ...KEYS, CACHEFRONT_S3_SECRET_ACCESS_KEY: 'another' })
    const replaced = await pidOf(running, 'worker-0')
    assert.notEqual(replaced, worker)
    assert.match((await get(bucketHost, '/wrong')).body, /SignatureDoesNotMatch/)
    await killed(running.control)
    running = await start({})
    assert.notEqual(await pidOf(running, 'worker-0'), replaced)
    const without = await get(bucketHost, '/without')
    assert.deepEqual([without.status, /CACHEFRONT_S3_ACCESS_KEY_ID/.test(without.body)], [502, true])
    await killed(running.control)
    running = await start(KEYS)
    assert.equal((await get(bucketHost, '/hello%20world.txt?again')).status, 200)
  })
})
